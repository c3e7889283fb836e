//! What is not the same at two moments.

use model::{SweepId, SweepState};

use super::*;
use crate::fixture::{account_id, assert_fits, line, past_drift};

fn moments() -> [AsOfLine; 2] {
    [3, 12].map(|sweep| AsOfLine {
        sweep: SweepId(sweep),
        state: SweepState::Finished,
        finished_at: line().finished_at,
    })
}

fn difference(account: u64) -> Difference {
    let mut drift = past_drift().drift;
    drift.account = Some(account_id(account));
    Difference {
        drift,
        account_name: format!("account-{account}"),
    }
}

#[test]
fn what_has_one_cause_stands_in_one_row() {
    let [from, to] = moments();
    let groups = vec![vec![difference(2)], (3..15).map(difference).collect()];
    let options = Options {
        width: 100,
        ..Options::default()
    };
    let text = render([&from, &to], groups, &options);
    insta::assert_snapshot!(text);
    assert!(
        text.lines()
            .all(|line| unicode_width::UnicodeWidthStr::width(line) <= 100)
    );
}

#[test]
fn differences_fit_the_terminal() {
    let [from, to] = moments();
    assert_fits(
        |look| render([&from, &to], vec![vec![difference(2)]], look),
        &["000000000002"],
    );
}

#[test]
fn no_difference_is_said() {
    let [from, to] = moments();
    let text = render([&from, &to], Vec::new(), &Options::default());
    assert!(text.ends_with("nothing is different\n"), "{text}");
}

#[test]
fn differences_are_json_as_well() {
    let [from, to] = moments();
    let mut out = Vec::new();
    let items = std::iter::once(difference(2));
    crate::json::write_differences([&from, &to], items, &mut out).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(json["schema_version"], 1);
    assert_eq!(
        (&json["from"]["sweep"], &json["to"]["sweep"]),
        (&3.into(), &12.into())
    );
    let one = &json["differences"][0];
    assert_eq!(one["kind"], "verdict-changed");
    assert_eq!(one["before"]["verdict"], "PASS");
    assert_eq!(one["changes"][0]["path"], "/pattern");
}
