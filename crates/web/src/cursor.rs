//! Where a list goes on: opaque to whoever asks.
//!
//! A cursor names the sweep as of which the first page was read, so that all pages are of one moment, whatever
//! is committed meanwhile; and what the last item of the page before was. It fits the question that it came with,
//! and no other. It is no secret and allows nothing: to read on takes what reading takes.

use model::SweepId;
use sha2::{Digest as _, Sha256};

use crate::problem::Problem;

/// No cursor of ours is longer.
const LONGEST: usize = 400;
const VERSION: &str = "1";

/// Where a list goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// As of which sweep; `None` for lists that are of no moment.
    pub(crate) sweep: Option<SweepId>,
    /// What names the last item of the page before.
    pub(crate) after: Vec<String>,
}

impl Cursor {
    /// Reads a cursor that came with the answer to the same question.
    pub(crate) fn read(text: &str, question: &str) -> Result<Self, Problem> {
        let read = || {
            let bytes = hex::decode(text.get(..text.len().min(LONGEST))?).ok()?;
            let text = String::from_utf8(bytes).ok()?;
            let mut parts = text.split(' ').map(ToOwned::to_owned);
            let (version, of, sweep) = (parts.next()?, parts.next()?, parts.next()?);
            let sweep = match sweep.as_str() {
                "-" => None,
                number => Some(SweepId(number.parse().ok()?)),
            };
            (version == VERSION).then_some((of, sweep, parts.collect()))
        };
        let (of, sweep, after) = read().ok_or_else(|| {
            Problem::bad_request(
                "bad-cursor",
                "This is no cursor; send one as an answer had it.",
            )
        })?;
        if of != fingerprint(question) {
            return Err(Problem::bad_request(
                "other-cursor",
                "This cursor belongs to another question; send it with the same filters.",
            ));
        }
        Ok(Self { sweep, after })
    }

    /// As it is sent. The names in it have no spaces: they are ids.
    pub(crate) fn write(&self, question: &str) -> String {
        let sweep = self
            .sweep
            .map_or_else(|| "-".to_owned(), |sweep| sweep.0.to_string());
        let mut parts = vec![VERSION.to_owned(), fingerprint(question), sweep];
        parts.extend(self.after.iter().cloned());
        hex::encode(parts.join(" "))
    }

    /// The item behind which it goes on, if it is one of this kind.
    pub(crate) fn after<T: std::str::FromStr>(&self, place: usize) -> Result<T, Problem> {
        (self.after.get(place))
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| Problem::bad_request("bad-cursor", "This is no cursor of this list."))
    }
}

fn fingerprint(question: &str) -> String {
    hex::encode(&Sha256::digest(question.as_bytes())[..6])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_fits_its_question_alone() {
        let cursor = Cursor {
            sweep: Some(SweepId(12)),
            after: vec!["111111111111".to_owned(), "root-usage".to_owned()],
        };
        let text = cursor.write("findings?verdict=FAIL");
        assert_eq!(
            Cursor::read(&text, "findings?verdict=FAIL").unwrap(),
            cursor
        );
        assert_eq!(
            Cursor::read(&text, "findings").unwrap_err().code(),
            "other-cursor"
        );
        assert_eq!(
            cursor.after::<model::AccountId>(0).unwrap().to_string(),
            "111111111111"
        );
        assert_eq!(
            cursor.after::<model::AccountId>(1).unwrap_err().code(),
            "bad-cursor"
        );
        let long = "31".repeat(100_000);
        for text in [
            "",
            "x",
            "00",
            "3120",
            &text[..text.len() - 1],
            "ff",
            "é",
            &long,
        ] {
            assert!(
                Cursor::read(text, "findings?verdict=FAIL").is_err(),
                "{text:.20}"
            );
        }
    }
}
