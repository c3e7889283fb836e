//! What a request says: its query, the names in its path, its body. What cannot be meant is a problem.

use std::{fmt, str::FromStr};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{header, request::Parts},
};
use model::{ControlId, SweepId, WrittenMoment};
use serde::{Deserialize, Deserializer, de::DeserializeOwned, de::Error as _};

use crate::{State, problem::Problem};

/// How many items a page has unless something is asked for.
const PAGE: u32 = 100;
/// And how many at most: an answer of some hundred kilobytes.
const LARGEST_PAGE: u32 = 500;
/// How large a body may be. The largest that anybody needs names some hundred accounts.
pub(crate) const LARGEST_BODY: usize = 64 * 1024;

/// The query, with nothing in it that is not known.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<State> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query
            .map(|Query(asked)| Self(asked))
            .map_err(|rejection| Problem::bad_request("bad-query", rejection.body_text()))
    }
}

/// What the path names.
pub(crate) struct Named<T>(pub(crate) T);

impl<T: FromStr<Err: fmt::Display> + Send> FromRequestParts<State> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(text) =
            path.map_err(|rejection| Problem::bad_request("bad-path", rejection.body_text()))?;
        named(&text).map(Self)
    }
}

/// What the path names by two names.
pub(crate) struct BothNamed<A, B>(pub(crate) A, pub(crate) B);

impl<A, B> FromRequestParts<State> for BothNamed<A, B>
where
    A: FromStr<Err: fmt::Display> + Send,
    B: FromStr<Err: fmt::Display> + Send,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((one, other)) =
            path.map_err(|rejection| Problem::bad_request("bad-path", rejection.body_text()))?;
        Ok(Self(named(&one)?, named(&other)?))
    }
}

fn named<T: FromStr<Err: fmt::Display>>(text: &str) -> Result<T, Problem> {
    (text.parse()).map_err(|error: T::Err| Problem::bad_request("bad-path", error.to_string()))
}

/// A body in JSON, with nothing in it that is not known.
pub(crate) struct Told<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<State> for Told<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &State) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(Problem::media_type());
        }
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|rejection| match rejection.status() {
            axum::http::StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(LARGEST_BODY),
            _ => Problem::bad_request("bad-body", "The body did not arrive whole."),
        })?;
        // An array would be taken for the fields in their order.
        let is_object = body.trim_ascii_start().starts_with(b"{");
        let told = if is_object {
            serde_json::from_slice(&body)
        } else {
            serde_json::from_slice(&body).and_then(|serde::de::IgnoredAny| {
                Err(serde_json::Error::custom("expected an object"))
            })
        };
        told.map(Self).map_err(|error| {
            let said = error.to_string();
            if error.is_data() {
                Problem::unprocessable("bad-content", said)
            } else {
                Problem::bad_request("bad-json", said)
            }
        })
    }
}

/// The same where no body at all means the least that can be said.
pub(crate) struct ToldMaybe<T>(pub(crate) T);

impl<T: DeserializeOwned + Default> FromRequest<State> for ToldMaybe<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &State) -> Result<Self, Problem> {
        let headers = request.headers();
        let is_empty = !headers.contains_key(header::TRANSFER_ENCODING)
            && headers
                .get(header::CONTENT_LENGTH)
                .is_none_or(|length| length == "0");
        if is_empty && !headers.contains_key(header::CONTENT_TYPE) {
            return Ok(Self(T::default()));
        }
        Told::from_request(request, state)
            .await
            .map(|Told(told)| Self(told))
    }
}

/// The address that was asked for, with its query.
pub(crate) struct Question(String);

impl Question {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromRequestParts<State> for Question {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self, Self::Rejection> {
        let uri = &parts.uri;
        Ok(Self(
            uri.path_and_query()
                .map_or_else(String::new, ToString::to_string),
        ))
    }
}

/// A number of items, within bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit(pub(crate) u32);

impl Default for Limit {
    fn default() -> Self {
        Self(PAGE)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        (text.parse().ok())
            .filter(|limit| (1..=LARGEST_PAGE).contains(limit))
            .map(Self)
            .ok_or_else(|| D::Error::custom(format!("expected a number from 1 to {LARGEST_PAGE}")))
    }
}

/// A value that is written as text.
#[derive(Debug, Clone)]
pub(crate) struct Written<T>(pub(crate) T);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Written<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

/// A moment of the history.
pub(crate) type AsOfText = Written<WrittenMoment>;

/// The id of an OU or root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OuId(pub(crate) String);

impl FromStr for OuId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_id = |rest: &str| {
            (4..=68).contains(&rest.len())
                && rest
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        if text
            .strip_prefix("ou-")
            .or_else(|| text.strip_prefix("r-"))
            .is_some_and(is_id)
        {
            Ok(Self(text.to_owned()))
        } else {
            Err("expected the id of an OU or root, such as ou-ab12-34cdefgh or r-ab12".to_owned())
        }
    }
}

/// A control by any of its names; the catalogue knows which one is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ControlName(pub(crate) String);

impl FromStr for ControlName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if (1..=80).contains(&text.chars().count()) {
            Ok(Self(text.to_owned()))
        } else {
            Err("expected the name of a control, such as organizations-changes or 4.15".to_owned())
        }
    }
}

impl ControlName {
    /// The control of this name.
    pub(crate) fn id(&self, state: &State) -> Result<ControlId, String> {
        let found = state.catalog().find(&self.0);
        found
            .map(|control| control.id.clone())
            .map_err(|error| error.to_string())
    }
}

/// The number of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SweepNumber(pub(crate) SweepId);

impl FromStr for SweepNumber {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        (text.parse().ok())
            .filter(|number| is_number && *number > 0)
            .map(|number| Self(SweepId(number)))
            .ok_or_else(|| "expected the number of a sweep, such as 12".to_owned())
    }
}

/// Words that somebody is to read: not empty, and no essay.
pub(crate) fn said(what: &str, text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if (1..=500).contains(&text.chars().count()) {
        Ok(text.to_owned())
    } else {
        let detail = format!("{what}: expected 1 to 500 characters.");
        Err(Problem::unprocessable("bad-content", detail))
    }
}
