//! What must reach no log, no store and no error.

use std::fmt;

/// What stands in place of a secret.
const HIDDEN: &str = "***";

/// A secret, or a part of one, of fewer bytes is none.
const SHORT: usize = 4;

/// A piece of this many letters is as good as the secret.
const LONG: usize = 8;

/// A secret: it can be used, and not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret into keeping.
    pub fn new(secret: String) -> Self {
        Self(secret)
    }

    /// The secret itself, for the one place that sends it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// The secret, and all that stands in it and is a secret on its own: of a URL the path, the query,
    /// and their parts, as they are written and as they are meant. A receiver that refuses a request
    /// often says which path it does not know.
    fn parts(&self) -> Vec<String> {
        let mut parts = vec![self.0.clone()];
        if let Ok(url) = reqwest::Url::parse(&self.0)
            && let Some(host) = url.host_str()
        {
            let (path, query) = (url.path(), url.query().unwrap_or_default());
            parts.extend([
                url.to_string(),
                format!("{path}?{query}"),
                path.to_owned(),
                query.to_owned(),
                url.fragment().unwrap_or_default().to_owned(),
                url.username().to_owned(),
                url.password().unwrap_or_default().to_owned(),
            ]);
            let long = |part: &&str| part.len() >= LONG;
            parts.extend(path.split('/').filter(long).map(ToOwned::to_owned));
            // Some services put what nobody may know into the name of the host.
            let labels = host.split('.').filter(|label| label.len() >= 2 * LONG);
            parts.extend(labels.map(ToOwned::to_owned));
            let values = query.split('&').map(|pair| pair.split_once('='));
            parts.extend(values.flatten().map(|(_, value)| value.to_owned()));
            parts.extend(url.query_pairs().map(|(_, value)| value.into_owned()));
        }
        let decoded: Vec<String> = parts.iter().map(|part| percent_decoded(part)).collect();
        parts.extend(decoded);
        // Shorter ones stand in words that give nothing away, and are refused as secrets elsewhere.
        parts.retain(|part| part.len() >= SHORT);
        parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
        parts.dedup();
        parts
    }
}

/// What somebody else said, without the secrets that stand in it; nothing of it where a piece of one is
/// left, in another spelling or cut off.
pub(crate) fn quoted(said: &str, secrets: &[&Secret]) -> String {
    let parts: Vec<String> = secrets.iter().flat_map(|secret| secret.parts()).collect();
    let mut text = said.to_owned();
    for part in &parts {
        text = text.replace(part, HIDDEN);
    }
    // What was cut out parts what stood around it.
    let heard: Vec<String> = text.split(HIDDEN).map(bare).collect();
    let is_left = |part: &String| {
        let part: Vec<char> = bare(without_host(part)).chars().collect();
        part.windows(LONG).any(|piece| {
            let piece: String = piece.iter().collect();
            heard.iter().any(|heard| heard.contains(&piece))
        })
    };
    if parts.iter().any(is_left) {
        return "(not shown: it repeats a part of the channel's secret)".to_owned();
    }
    text
}

/// A URL from its path on: that the host is named gives nothing away.
fn without_host(part: &str) -> &str {
    let Some((_, rest)) = part.split_once("://") else {
        return part;
    };
    rest.split_once('/').map_or("", |(_, path)| path)
}

/// Letters and digits alone, so that it does not matter how the rest is escaped.
fn bare(text: &str) -> String {
    let text = percent_decoded(&percent_decoded(text));
    let letters = text.chars().filter(|letter| letter.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// A text with every `%41` as the byte that it stands for.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = match (first, after) {
            (b'%', [high, low, ..]) => digit(*high).zip(digit(*low)),
            _ => None,
        };
        if let Some((high, low)) = escaped {
            bytes.push(high * 16 + low);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        let secret = Secret::new("hunter2!".to_owned());
        assert!(!format!("{secret:?} {secret:#?}").contains("hunter2"));
        assert_eq!(quoted("no hunter2! here", &[&secret]), "no *** here");
    }

    #[test]
    fn a_receiver_that_repeats_the_url_gives_nothing_away() {
        let url =
            "https://hooks.example.com/services/T0%2DSECRETPATH/x?token=Sup3r%2FS3cret&k=abcd";
        let secret = Secret::new(url.to_owned());
        let key = Secret::new("signing-key-of-32-bytes-or-more!".to_owned());
        for said in [
            "Cannot POST /services/T0%2DSECRETPATH/x?token=Sup3r%2FS3cret&k=abcd",
            "Cannot POST /services/T0%2DSECRETPATH/x?token=Sup3r%2FS3cret&amp;k=abcd",
            "Cannot POST /services/T0-SECRETPATH/x",
            "no hook T0-SECRETPATH, T0%2dSECRETPATH",
            "bad token Sup3r/S3cret",
            "bad token Sup3r%2fS3cret",
            "bad token SUP3R%252FS3CRET",
            r#"{"path":"\/services\/T0-SECRETPATH\/x"}"#,
            "it was https://hooks.example.com/services/T0%2DSECRETPATH/x?token=Sup3r%2FS3cret&k=abcd",
            "cut off: /services/T0-SECRETP",
            "signing-key-of-32-bytes-or-more! is no key",
            "k is abcd",
        ] {
            let quoted = quoted(said, &[&secret, &key]).to_lowercase();
            for left in ["secretp", "sup3r", "s3cret", "signing", "abcd"] {
                assert!(!quoted.contains(left), "{said}: {quoted}");
            }
        }
        for said in ["invalid_payload", "no route to hooks.example.com", ""] {
            assert_eq!(quoted(said, &[&secret, &key]), said);
        }
        let said = "404: Cannot POST /services/T0%2DSECRETPATH/x?token=Sup3r%2FS3cret&k=abcd";
        assert_eq!(quoted(said, &[&secret]), "404: Cannot POST ***");
    }
}
