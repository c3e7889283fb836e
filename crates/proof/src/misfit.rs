//! The first thing that does not fit.

use std::fmt;

/// The longest piece of outside text that a message repeats.
const SHOWN: usize = 160;

/// Something that is not what the seals say it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}: expected {expected}, found {found}")]
pub struct Misfit {
    /// What does not fit, such as `previous seal`.
    pub what: &'static str,
    /// Where it stands, such as `sweep 12` or `accounts/111111111111.json`; safe to print.
    pub place: String,
    /// What would fit; safe to print.
    pub expected: String,
    /// What is there; safe to print.
    pub found: String,
}

impl Misfit {
    /// Notes what does not fit where. All text is made safe to print.
    pub fn new(
        what: &'static str,
        place: &impl fmt::Display,
        expected: &impl fmt::Display,
        found: &impl fmt::Display,
    ) -> Self {
        Self {
            what,
            place: shown(&place.to_string(), SHOWN),
            expected: shown(&expected.to_string(), SHOWN),
            found: shown(&found.to_string(), SHOWN),
        }
    }

    /// Nothing, if `found` is as `expected`.
    pub(crate) fn unless_equal<T: PartialEq + fmt::Display>(
        what: &'static str,
        place: &impl fmt::Display,
        expected: &T,
        found: &T,
    ) -> Result<(), Self> {
        if expected == found {
            Ok(())
        } else {
            Err(Self::new(what, place, expected, found))
        }
    }
}

/// Whether a character acts on a terminal or hides what stands there: controls, the bidirectional
/// controls that turn text around, what has no width, separators that break lines, and tags.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{feff}'
            | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// One line of harmless text, of at most `longest` characters of the original.
///
/// Names are written by whoever controls an account: hostile characters become visible escapes such
/// as `\u{202e}`.
pub(crate) fn shown(text: &str, longest: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(longest));
    let mut left = text.chars();
    for c in left.by_ref().take(longest) {
        if is_hostile(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    if left.next().is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_shown_as_text() {
        let misfit = Misfit::new("name", &"a\u{1b}[2J", &"user\u{202e}gnp", &"x".repeat(500));
        assert_eq!(misfit.place, "a\\u{1b}[2J");
        assert_eq!(misfit.expected, "user\\u{202e}gnp");
        assert_eq!(misfit.found.chars().count(), SHOWN + 1);
        assert_eq!(shown("Zürich 東京", 9), "Zürich 東京");
    }
}
