//! Makes text from AWS fit to be shown.
//!
//! Names, ARNs and error messages are written by whoever controls an account. Everything that
//! reaches a terminal or a file goes through [`safe`].

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The widest name that is shown whole.
pub(crate) const NAME_WIDTH: usize = 40;

/// The widest sentence or value that is shown whole: room for two ARNs, none for a flood.
pub(crate) const SENTENCE_WIDTH: usize = 600;

/// Whether a character acts on the terminal or hides what stands there.
///
/// Controls and escapes, the bidirectional controls that turn text around, what has no width, the
/// separators that break lines, and the tags that nobody sees.
pub fn is_hostile(c: char) -> bool {
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

/// One line of harmless text, at most `width` columns wide.
///
/// Hostile characters become visible escapes such as `\u{202e}`; what is cut off is marked by `…`.
pub fn safe(text: &str, width: usize) -> String {
    let mut shown = String::new();
    let mut used = 0;
    for c in text.chars() {
        let piece = if is_hostile(c) {
            c.escape_default().to_string()
        } else {
            c.to_string()
        };
        let piece_width = piece.width();
        if used + piece_width > width {
            // Make room for the mark.
            while used >= width.max(1) {
                used -= shown.pop().and_then(UnicodeWidthChar::width).unwrap_or(0);
            }
            shown.push('…');
            break;
        }
        used += piece_width;
        shown.push_str(&piece);
    }
    shown
}

/// A sentence from a finding, made safe.
pub(crate) fn sentence(text: &str) -> String {
    safe(text, SENTENCE_WIDTH)
}

/// Breaks text into lines of at most `width` columns: between words where it can, within a word
/// that is wider than a line.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(8);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let word_width = visible_width(word);
        if used > 0 && used + 1 + word_width > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        if word_width <= width {
            line.push_str(word);
            used += word_width;
            continue;
        }
        for c in word.chars() {
            let c_width = c.width().unwrap_or(0);
            if used + c_width > width {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += c_width;
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// How many columns text takes, colours not counted.
fn visible_width(text: &str) -> usize {
    let mut pieces = text.split("\u{1b}[");
    let plain = pieces.next().map_or(0, UnicodeWidthStr::width);
    let coloured = pieces.map(|piece| piece.split_once('m').map_or(0, |(_, rest)| rest.width()));
    plain + coloured.sum::<usize>()
}

/// Appends text with `first` before its first line and as many spaces before the others.
pub fn push_wrapped(out: &mut String, first: &str, text: &str, width: usize) {
    let indent = visible_width(first);
    for (number, line) in (wrap(text, width.saturating_sub(indent)).iter()).enumerate() {
        let lead = if number == 0 {
            first.to_owned()
        } else {
            " ".repeat(indent)
        };
        push_line(out, &format!("{lead}{line}"));
    }
}

/// Appends one line, without blanks at its end.
pub fn push_line(out: &mut String, line: &str) {
    out.push_str(line.trim_end());
    out.push('\n');
}

/// `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 account`, `1,234 accounts`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(number))
}

/// A length as the number it is.
pub(crate) fn number(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// A moment to the second, in UTC.
pub(crate) fn moment(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// A duration as a human would say it: two units at most.
pub(crate) fn duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let mut text = String::new();
    let written = match seconds {
        0..10 => write!(text, "{:.1} s", duration.as_secs_f64().max(0.0)),
        10..60 => write!(text, "{seconds} s"),
        60..3600 => write!(text, "{} min {} s", seconds / 60, seconds % 60),
        _ => write!(text, "{} h {} min", seconds / 3600, seconds % 3600 / 60),
    };
    debug_assert!(written.is_ok(), "writing into a String cannot fail");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_shown_as_text() {
        for (given, shown) in [
            ("plain-name", "plain-name"),
            ("Zürich 東京", "Zürich 東京"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("a\nb\tc\r", "a\\nb\\tc\\r"),
            ("user\u{202e}gnp", "user\\u{202e}gnp"),
            ("zero\u{200b}width", "zero\\u{200b}width"),
            ("c1\u{9b}2J", "c1\\u{9b}2J"),
            ("tag\u{e0041}", "tag\\u{e0041}"),
        ] {
            assert_eq!(safe(given, 80), shown);
        }
    }

    #[test]
    fn long_text_is_cut_by_columns_and_marked() {
        assert_eq!(safe("abcdef", 6), "abcdef");
        assert_eq!(safe("abcdefg", 6), "abcde…");
        assert_eq!(safe("東京東京", 6), "東京…");
        for width in 0..12 {
            let shown = safe("a東\u{1b}京e\u{301}bcdef", width);
            assert!(shown.width() <= width.max(1), "{width}: {shown}");
        }
    }

    #[test]
    fn words_are_kept_whole_unless_they_are_wider_than_a_line() {
        assert_eq!(wrap("one two three four", 9), ["one two", "three", "four"]);
        assert_eq!(wrap("abcdefghijkl mn", 8), ["abcdefgh", "ijkl mn"]);
        assert_eq!(wrap("", 8), [""]);
    }

    #[test]
    fn numbers_and_durations_are_easy_to_read() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(counted(1_234_567, "call"), "1,234,567 calls");
        assert_eq!(counted(1, "call"), "1 call");
        assert_eq!(duration(SignedDuration::from_millis(420)), "0.4 s");
        assert_eq!(duration(SignedDuration::from_secs(42)), "42 s");
        assert_eq!(duration(SignedDuration::from_secs(61)), "1 min 1 s");
        assert_eq!(duration(SignedDuration::from_secs(7260)), "2 h 1 min");
    }
}
