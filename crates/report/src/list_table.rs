//! The table of a list, as wide as the terminal, and what stands in its place where that is too narrow.

use comfy_table::{
    ColumnConstraint, ContentArrangement, LineStyle, Row, Table, TableStyle, Width::Fixed,
};
use unicode_width::UnicodeWidthStr;

use crate::{
    Options,
    text::{push_line, push_wrapped},
};

/// Words up to this width are not broken where there is room for them: else only shorter ones. The ids of
/// drifts have sixteen characters, those of accounts twelve.
const WHOLE_WORDS: [usize; 2] = [16, 12];

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

/// The lines of a table; where not even the ids would stay whole in it, of each row by itself.
pub(crate) fn lines(mut table: Table) -> String {
    let width = table.width().map_or(usize::MAX, usize::from);
    let whole = WHOLE_WORDS.map(|longest| widths(&table, longest));
    let fits = |widths: &&Vec<usize>| {
        let all: usize = widths.iter().map(|width| width + AROUND).sum();
        all <= width
    };
    let Some(widths) = whole.iter().find(fits) else {
        return one_by_one(&table, width);
    };
    table.set_constraints(widths.iter().map(|width| {
        let with_blanks = u16::try_from(width + AROUND - 1).unwrap_or(u16::MAX);
        ColumnConstraint::LowerBoundary(Fixed(with_blanks))
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

/// The width of the widest word of each column, but no more than this.
fn widths(table: &Table, longest: usize) -> Vec<usize> {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows(table) {
        for (place, cell) in row.cell_iter().enumerate() {
            let content = cell.content();
            let widest = content.split_whitespace().map(UnicodeWidthStr::width).max();
            let width = widest.unwrap_or_default().min(longest);
            match widths.get_mut(place) {
                Some(known) => *known = width.max(*known),
                None => widths.push(width),
            }
        }
    }
    widths
}

/// A line that begins with what the row is about, and below it the rest, each with its column's name.
fn one_by_one(table: &Table, width: usize) -> String {
    let names: Vec<String> = (table.header().into_iter())
        .flat_map(Row::cell_iter)
        .map(comfy_table::Cell::content)
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
            list(60),
            "\u{20}ACCOUNT        DRIFT              WHAT
────────────────────────────────────────────────────────────
 111111111111   14f44d9d2eb8617f   the metric filter
 management                        organizations-changes is
                                   gone
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
}
