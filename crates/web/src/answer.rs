//! Answers in JSON, and that they are still the same.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use sha2::{Digest as _, Sha256};

use crate::asked::Question;

/// What names an answer: the same as long as it says the same. Weak, because the bytes differ when they are
/// compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag(String);

impl Tag {
    /// The tag of an answer that follows from the question and from these alone.
    pub(crate) fn of(question: &Question, from: &impl serde::Serialize) -> Self {
        let mut hash = Sha256::new();
        for part in [
            env!("CARGO_PKG_VERSION"),
            question.as_str(),
            &model::canonical_json(from),
        ] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        Self(format!("W/\"{}\"", hex::encode(&hash.finalize()[..16])))
    }

    /// The tag of an answer by what it says.
    pub(crate) fn of_body(body: &[u8]) -> Self {
        Self(format!(
            "W/\"{}\"",
            hex::encode(&Sha256::digest(body)[..16])
        ))
    }

    /// That whoever asks has this answer already.
    pub(crate) fn is_had_by(&self, headers: &HeaderMap) -> bool {
        let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        let own = strong(&self.0);
        (headers.get_all(header::IF_NONE_MATCH).iter())
            .filter_map(|value| value.to_str().ok())
            .flat_map(|list| list.split(','))
            .any(|tag| tag.trim() == "*" || strong(tag) == own)
    }

    /// It may be kept by whoever asked, who then asks whether it still is so.
    fn put(&self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::from_str(&self.0) {
            headers.insert(header::ETAG, value);
        }
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("private, no-cache"),
        );
        headers.insert(header::VARY, HeaderValue::from_static("authorization"));
    }
}

/// JSON that is not kept.
pub(crate) fn json(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// JSON with its tag.
pub(crate) fn tagged(tag: &Tag, body: Vec<u8>) -> Response {
    let mut response = json(StatusCode::OK, body);
    tag.put(response.headers_mut());
    response
}

/// That nothing has changed since.
pub(crate) fn unchanged(tag: &Tag) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    tag.put(response.headers_mut());
    response
}

/// JSON whose tag is what it says: for answers that cost little.
pub(crate) fn tagged_by_body(headers: &HeaderMap, body: Vec<u8>) -> Response {
    let tag = Tag::of_body(&body);
    if tag.is_had_by(headers) {
        unchanged(&tag)
    } else {
        tagged(&tag, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_had_whatever_stands_beside_it() {
        let tag = Tag::of_body(b"x");
        let had = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::IF_NONE_MATCH, value.parse().unwrap());
            }
            tag.is_had_by(&headers)
        };
        let own = tag.0.clone();
        assert!(had(&[&own]) && had(&["*"]) && had(&[own.trim_start_matches("W/")]));
        assert!(had(&[&format!("\"a\", {own} ,\"b\"")]) && had(&["\"a\"", &own]));
        assert!(!had(&[]) && !had(&["\"a\""]) && !had(&[&own[..own.len() - 2]]));
    }
}
