//! What a spreadsheet is given.

use super::*;
use crate::fixture::{past_account, past_drift, past_finding, past_sweep};

fn written<T: Record>(item: T) -> String {
    let mut out = Vec::new();
    write(std::iter::once(item), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Reads it back: every record has as many cells as the header.
fn cells(text: &str) -> Vec<String> {
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let columns = reader.headers().unwrap().len();
    let record = reader.records().next().unwrap().unwrap();
    assert_eq!(record.len(), columns, "{text}");
    record.iter().map(ToOwned::to_owned).collect()
}

#[test]
fn every_list_has_a_cell_for_each_column_and_ends_its_lines_as_the_rfc_says() {
    for text in [
        written(past_sweep()),
        written(past_account()),
        written(past_finding()),
        written(past_drift()),
        written(Difference {
            drift: past_drift().drift,
            account_name: "a".to_owned(),
        }),
    ] {
        cells(&text);
        assert_eq!(text.matches("\r\n").count(), 2, "{text}");
        assert!(text.ends_with("\r\n"));
    }
}

#[test]
fn no_cell_is_taken_for_a_formula() {
    for (name, shown) in [
        ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\\t=1"),
        ("\r=1", "'\\r=1"),
        ("＝1", "'＝1"),
        ("a=1", "a=1"),
        ("a,\"b\"", "a,\"b\""),
        ("\u{1b}[31m", "\\u{1b}[31m"),
        ("a\nb", "a\\nb"),
    ] {
        let mut account = past_account();
        account.account.name = name.to_owned();
        assert_eq!(cells(&written(account))[1], shown, "{name:?}");
    }
}

#[test]
fn an_empty_list_still_has_its_header() {
    let mut out = Vec::new();
    write(std::iter::empty::<PastAccount>(), &mut out).unwrap();
    assert!(out.starts_with(b"account_id,account_name,"));
}
