//! Tokens: who may use the API. What is told never holds a token, nor what could be made into one.

use comfy_table::Cell;
use jiff::Timestamp;
use model::TokenRole;
use serde::Serialize;

use crate::{
    Options, json,
    list_table::{lines, table},
    text::{NAME_WIDTH, moment, safe},
};

/// Whether a token is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenState {
    /// It is.
    InForce,
    /// Its time is over.
    Expired,
    /// It was revoked.
    Revoked,
}

/// A token in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenLine {
    /// Whose it is, or what for.
    pub name: String,
    /// What it allows.
    pub role: TokenRole,
    /// How it begins.
    pub prefix: String,
    /// Whether it is taken.
    pub state: TokenState,
    /// When it was made.
    pub created_at: Timestamp,
    /// The first moment at which it is no longer taken.
    pub expires_at: Option<Timestamp>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct TokensShape<'a> {
    schema_version: u32,
    tokens: &'a [TokenLine],
}

/// Renders tokens, in the order given.
pub fn render(tokens: &[TokenLine], options: &Options) -> String {
    if tokens.is_empty() {
        return "There are no tokens.\n".to_owned();
    }
    let mut table = table(options);
    table.set_header([
        "NAME",
        "ROLE",
        "BEGINS WITH",
        "STATE",
        "EXPIRES",
        "LAST USED",
    ]);
    for token in tokens {
        let state = match token.state {
            TokenState::InForce => "in force",
            TokenState::Expired => "expired",
            TokenState::Revoked => "revoked",
        };
        let time = |time: Option<Timestamp>| time.map_or_else(|| "never".to_owned(), moment);
        table.add_row(vec![
            Cell::new(safe(&token.name, NAME_WIDTH)),
            Cell::new(token.role),
            Cell::new(safe(&token.prefix, NAME_WIDTH)),
            Cell::new(state),
            Cell::new(time(token.expires_at)),
            Cell::new(time(token.last_used_at)),
        ]);
    }
    lines(table)
}

/// The list as JSON.
pub fn render_json(tokens: &[TokenLine]) -> String {
    let shape = TokensShape {
        schema_version: json::SCHEMA_VERSION,
        tokens,
    };
    json::rendered(|out| json::write_document(&shape, out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_says_whose_they_are_and_whether_they_are_taken() {
        let token = TokenLine {
            name: "dashboard\u{1b}[2J".to_owned(),
            role: TokenRole::Viewer,
            prefix: "scanner_0a1b2c3d".to_owned(),
            state: TokenState::InForce,
            created_at: "2026-11-01T00:00:00Z".parse().unwrap(),
            expires_at: "2027-01-31T00:00:00Z".parse().ok(),
            last_used_at: None,
        };
        let wide = Options {
            width: 160,
            ..Options::default()
        };
        let text = render(std::slice::from_ref(&token), &wide);
        for word in [
            "dashboard",
            "viewer",
            "scanner_0a1b2c3d",
            "in force",
            "2027-01-31",
            "never",
        ] {
            assert!(text.contains(word), "{word}: {text}");
        }
        assert!(!text.contains('\u{1b}'), "{text:?}");
        let list = |look: &Options| render(std::slice::from_ref(&token), look);
        crate::fixture::assert_fits(list, &["scanner_0a1b2c3d", "viewer"]);
        let json: serde_json::Value = serde_json::from_str(&render_json(&[token])).unwrap();
        assert_eq!(json["tokens"][0]["role"], "viewer");
        assert_eq!(json["tokens"][0]["last_used_at"], serde_json::Value::Null);
        assert!(render(&[], &wide).contains("no tokens"));
    }
}
