//! A text value with its wildcards, and which strings it stands for.
//!
//! `*` at an end stands for any run of characters. In the middle it is documented as literal, but
//! this was not observed, so such a text has two readings and what they disagree on is unsettled.

use crate::outcome::{Doubt, Outcome};

/// The right side of `=` and `!=` when it is a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    /// The text between the outer wildcards.
    core: String,
    open_start: bool,
    open_end: bool,
}

impl Text {
    /// Reads the value as it stands in a pattern, quotes removed and escapes resolved.
    pub(crate) fn new(value: &str) -> Self {
        if value == "*" {
            return Self {
                core: String::new(),
                open_start: true,
                open_end: true,
            };
        }
        let (value, open_start) = match value.strip_prefix('*') {
            Some(rest) => (rest, true),
            None => (value, false),
        };
        let (value, open_end) = match value.strip_suffix('*') {
            Some(rest) => (rest, true),
            None => (value, false),
        };
        Self {
            core: value.to_owned(),
            open_start,
            open_end,
        }
    }

    /// The value as it stands in a pattern.
    pub(crate) fn value(&self) -> String {
        if self.open_start && self.open_end && self.core.is_empty() {
            return "*".to_owned();
        }
        let start = if self.open_start { "*" } else { "" };
        let end = if self.open_end { "*" } else { "" };
        format!("{start}{}{end}", self.core)
    }

    pub(crate) fn core(&self) -> &str {
        &self.core
    }

    pub(crate) fn open_start(&self) -> bool {
        self.open_start
    }

    pub(crate) fn open_end(&self) -> bool {
        self.open_end
    }

    /// The single string it stands for, if it has no wildcard.
    pub(crate) fn exact(&self) -> Option<&str> {
        (!self.open_start && !self.open_end && !self.has_inner_wildcard())
            .then_some(self.core.as_str())
    }

    /// Whether every string matches.
    pub(crate) fn is_anything(&self) -> bool {
        self.open_start && self.open_end && self.core.is_empty()
    }

    pub(crate) fn has_inner_wildcard(&self) -> bool {
        self.core.contains('*')
    }

    /// Whether `subject` is one of the strings that the text stands for.
    pub(crate) fn matches(&self, subject: &str) -> Outcome {
        if self.matches_literally(subject) {
            Outcome::Yes
        } else if self.has_inner_wildcard() && self.matches_as_glob(subject) {
            Outcome::Unsure(Doubt::InnerWildcard)
        } else {
            Outcome::No
        }
    }

    /// With an inner `*` standing for itself.
    pub(crate) fn matches_literally(&self, subject: &str) -> bool {
        let core = self.core.as_str();
        match (self.open_start, self.open_end) {
            (false, false) => subject == core,
            (false, true) => subject.starts_with(core),
            (true, false) => subject.ends_with(core),
            (true, true) => subject.contains(core),
        }
    }

    /// With an inner `*` standing for any run of characters. Taking the leftmost place for each
    /// piece leaves most room for the next, so no backtracking is needed.
    pub(crate) fn matches_as_glob(&self, subject: &str) -> bool {
        let mut rest = subject;
        let mut pieces = self.core.split('*').peekable();
        let mut first = true;
        while let Some(piece) = pieces.next() {
            let anchored_start = first && !self.open_start;
            let anchored_end = pieces.peek().is_none() && !self.open_end;
            rest = match (anchored_start, anchored_end) {
                (true, true) => return rest == piece,
                (false, true) => return rest.ends_with(piece),
                (true, false) => match rest.strip_prefix(piece) {
                    Some(rest) => rest,
                    None => return false,
                },
                (false, false) => match rest.find(piece) {
                    Some(at) => &rest[at + piece.len()..],
                    None => return false,
                },
            };
            first = false;
        }
        true
    }
}
