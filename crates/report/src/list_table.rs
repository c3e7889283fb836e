//! The table of a list, as wide as the terminal, and what stands in its place where that is too narrow.

use comfy_table::{
    Cell, ColumnConstraint, ContentArrangement, LineStyle, Row, Table, TableStyle, Width::Fixed,
};
use unicode_width::UnicodeWidthStr;

use crate::{
    Options,
    text::{NAME_WIDTH, push_line, push_wrapped},
};

/// Words up to this width are not broken: ids of controls, reasons, OUs, drifts and accounts, and names, of
/// which so much is shown. What is wider is an ARN in a sentence.
const WHOLE_WORD: usize = NAME_WIDTH;

/// What the widest column must have, where its text is as long: a sentence in less is a tower of words.
const SENTENCE: usize = 30;

/// What a column takes beside its content: a blank on each side, and one between columns.
const AROUND: usize = 3;

pub(crate) fn table(options: &Options) -> Table {
    let mut table = Table::new();
    table
        .load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')))
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(options.width.max(40)).unwrap_or(u16::MAX));
    if options.colour {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table
}

/// The lines of a table; where words would be broken in it or sentences be too narrow, of each row by itself.
pub(crate) fn lines(mut table: Table) -> String {
    let width = table.width().map_or(usize::MAX, usize::from);
    let Some(widths) = widths(&table, width) else {
        return one_by_one(&table, width);
    };
    for row in table.row_iter_mut() {
        let cells = row.cell_iter().zip(&widths);
        let broken: Vec<Option<String>> = cells
            .map(|(cell, width)| at_slashes(&cell.content(), *width))
            .collect();
        if broken.iter().any(Option::is_some) {
            let cells = row.cell_iter().zip(broken);
            let cells: Vec<Cell> = cells
                .map(|(cell, broken)| broken.map_or_else(|| cell.clone(), Cell::new))
                .collect();
            *row = Row::from(cells);
        }
    }
    table.set_constraints(widths.iter().map(|width| {
        let with_blanks = u16::try_from(width + AROUND - 1).unwrap_or(u16::MAX);
        ColumnConstraint::Absolute(Fixed(with_blanks))
    }));
    let mut out = String::new();
    for line in table.lines() {
        push_line(&mut out, &line);
    }
    out
}

fn rows(table: &Table) -> impl Iterator<Item = &Row> {
    table.header().into_iter().chain(table.row_iter())
}

/// What a column needs, and what it could use.
#[derive(Clone, Copy, Default)]
struct Need {
    word: usize,
    line: usize,
}

/// How wide each column is in a table of this width; `None` where there is no room for what they need.
fn widths(table: &Table, width: usize) -> Option<Vec<usize>> {
    let mut needs: Vec<Need> = Vec::new();
    for row in rows(table) {
        for (place, cell) in row.cell_iter().enumerate() {
            if needs.len() <= place {
                needs.push(Need::default());
            }
            let content = cell.content();
            let words = content.split_whitespace().flat_map(pieces);
            let word = words.map(UnicodeWidthStr::width).max().unwrap_or_default();
            let line = content.lines().map(UnicodeWidthStr::width).max();
            if let Some(need) = needs.get_mut(place) {
                need.word = need.word.max(word.min(WHOLE_WORD));
                need.line = need.line.max(line.unwrap_or_default());
            }
        }
    }
    let widest = needs.iter_mut().max_by_key(|need| need.line)?;
    widest.word = widest.word.max(widest.line.min(SENTENCE));

    let mut widths: Vec<usize> = needs.iter().map(|need| need.word).collect();
    let needed: usize = widths.iter().map(|width| width + AROUND).sum();
    let mut left = width.checked_sub(needed)?;
    // The narrowest that could use more gets more, so that short columns keep their lines whole.
    while left > 0 {
        let cramped = widths.iter_mut().zip(&needs);
        let cramped = cramped.filter(|(width, need)| **width < need.line);
        let Some((narrowest, _)) = cramped.min_by_key(|(width, _)| **width) else {
            break;
        };
        *narrowest += 1;
        left -= 1;
    }
    Some(widths)
}

/// What of a word stays whole: paths of OUs and ARNs may be broken after each `/`.
fn pieces(word: &str) -> impl Iterator<Item = &str> {
    word.split_inclusive('/')
}

/// The text with the words that are wider than the column broken after a `/`; `None` where nothing is to be
/// broken so.
fn at_slashes(text: &str, width: usize) -> Option<String> {
    let is_broken = |word: &str| word.width() > width && word.contains('/');
    if !text.split_whitespace().any(is_broken) {
        return None;
    }
    let lines = text.lines().map(|line| {
        let words = line.split(' ').map(|word| {
            if !is_broken(word) {
                return word.to_owned();
            }
            let mut broken = String::new();
            let mut used = 0;
            for piece in pieces(word) {
                if used > 0 && used + piece.width() > width {
                    broken.push('\n');
                    used = 0;
                }
                broken.push_str(piece);
                used += piece.width();
            }
            broken
        });
        words.collect::<Vec<String>>().join(" ")
    });
    Some(lines.collect::<Vec<String>>().join("\n"))
}

/// A line that begins with what the row is about, and below it the rest, each with its column's name.
fn one_by_one(table: &Table, width: usize) -> String {
    let names: Vec<String> = (table.header().into_iter())
        .flat_map(Row::cell_iter)
        .map(Cell::content)
        .collect();
    let mut out = String::new();
    for row in table.row_iter() {
        let cells = names.iter().zip(row.cell_iter());
        let mut facts = cells.filter_map(|(name, cell)| {
            let content = cell.content();
            let words: Vec<&str> = content.split_whitespace().collect();
            (!words.is_empty()).then(|| format!("{name} {}", words.join(" ")))
        });
        if let Some(first) = facts.next() {
            push_wrapped(&mut out, "", &first, width);
        }
        let others: Vec<String> = facts.collect();
        push_wrapped(&mut out, "  ", &others.join(" · "), width);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(width: usize) -> String {
        let mut table = table(&Options {
            width,
            ..Options::default()
        });
        table.set_header(["ACCOUNT", "DRIFT", "WHAT"]);
        table.add_row([
            "111111111111\nmanagement",
            "14f44d9d2eb8617f",
            "the metric filter organizations-changes is gone",
        ]);
        table.add_row(["222222222222", "", "joined"]);
        lines(table)
    }

    #[test]
    fn ids_stay_whole_and_a_narrow_terminal_gets_a_row_at_a_time() {
        assert_eq!(
            list(72),
            "\u{20}ACCOUNT        DRIFT              WHAT
───────────────────────────────────────────────────────────────────────
 111111111111   14f44d9d2eb8617f   the metric filter
 management                        organizations-changes is gone
 222222222222                      joined
"
        );
        assert_eq!(
            list(40),
            "ACCOUNT 111111111111 management
  DRIFT 14f44d9d2eb8617f · WHAT the
  metric filter organizations-changes is
  gone
ACCOUNT 222222222222
  WHAT joined
"
        );
    }

    #[test]
    fn no_word_is_broken_at_any_width_but_an_arn_and_that_after_a_slash() {
        let words = [
            "ou-zhon-iaqwcwi2",
            "subscriber-replaced",
            "organizations-changes",
            "alarm-actions-disabled",
            "arn:aws:sts::000000000001:assumed-role/",
        ];
        let mut forms = std::collections::BTreeSet::new();
        for width in 48..200 {
            let mut table = table(&Options {
                width,
                ..Options::default()
            });
            table.set_header(["ACCOUNT", "OU", "CONTROL", "REASON", "WHY"]);
            table.add_row([
                "111111111111\nsubscriber-replaced",
                "r-zhon/ou-zhon-aaaaaaaa/ou-zhon-iaqwcwi2",
                "organizations-changes",
                "alarm-actions-disabled",
                "the alarm organizations-changes does nothing, by \
                 arn:aws:sts::000000000001:assumed-role/Developer/carol, and so nobody would be told",
            ]);
            let text = lines(table);
            for word in words {
                assert!(text.contains(word), "{width}, {word}: {text}");
            }
            assert!(
                text.lines().all(|line| line.width() <= width),
                "{width}: {text}"
            );
            forms.insert(text.starts_with("ACCOUNT 111111111111"));
        }
        assert_eq!(forms.len(), 2, "both forms were seen");
    }
}
