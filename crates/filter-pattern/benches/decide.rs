//! How long parsing, matching and deciding take; the figures are in the crate's README.
//!
//! The hard patterns are kept from a search: random patterns of 1024 characters, the slowest changed
//! at random for as long as that makes them slower.

#![expect(clippy::expect_used, reason = "a benchmark fails by panicking")]

use divan::{Bencher, black_box};
use filter_pattern::{Coverage, FieldConstraint, FilterPattern, RequiredEvent, coverage, noise};

const NAMES: [&str; 18] = [
    "AcceptHandshake",
    "AttachPolicy",
    "CreateAccount",
    "CreateOrganizationalUnit",
    "CreatePolicy",
    "DeclineHandshake",
    "DeleteOrganization",
    "DeleteOrganizationalUnit",
    "DeletePolicy",
    "DetachPolicy",
    "DisablePolicyType",
    "EnablePolicyType",
    "InviteAccountToOrganization",
    "LeaveOrganization",
    "MoveAccount",
    "RemoveAccountFromOrganization",
    "UpdatePolicy",
    "UpdateOrganizationalUnit",
];

fn main() {
    divan::main();
}

/// The filter that the benchmark's text prescribes.
fn prescribed() -> String {
    let names: Vec<String> = NAMES
        .iter()
        .map(|name| format!("($.eventName = \"{name}\")"))
        .collect();
    format!(
        "{{ ($.eventSource = organizations.amazonaws.com) && ({}) }}",
        names.join(" || ")
    )
}

fn required() -> Vec<RequiredEvent> {
    let event = |name: &&str| {
        RequiredEvent::new(*name)
            .field(
                "eventSource",
                FieldConstraint::equals("organizations.amazonaws.com"),
            )
            .field("eventName", FieldConstraint::equals(*name))
            .holding("readOnly", FieldConstraint::IsFalse)
    };
    NAMES.iter().map(event).collect()
}

fn parse(text: &str) -> FilterPattern {
    FilterPattern::parse(text).expect("a pattern")
}

#[divan::bench]
fn parse_the_prescribed_filter(bencher: Bencher) {
    let text = prescribed();
    bencher.bench(|| FilterPattern::parse(black_box(&text)));
}

#[divan::bench]
fn match_a_record(bencher: Bencher) {
    let pattern = parse(&prescribed());
    let record = format!(
        r#"{{"eventVersion":"1.08","userIdentity":{{"type":"AssumedRole","arn":"arn:aws:sts::1:x"}},
           "eventSource":"organizations.amazonaws.com","eventName":"{}","readOnly":false}}"#,
        NAMES[17]
    );
    bencher.bench(|| pattern.matches(black_box(&record)));
}

#[divan::bench(args = [
    "",
    "&& $.errorCode NOT EXISTS",
    "&& $.userIdentity.arn != \"*Terraform*\"",
])]
fn decide_the_prescribed_filter(bencher: Bencher, extra: &str) {
    let pattern = parse(&prescribed().replace(" }", &format!(" {extra} }}")));
    let required = required();
    bencher.bench(|| coverage(black_box(&required), &[&pattern]));
}

#[divan::bench]
fn look_for_noise_in_the_prescribed_filter(bencher: Bencher) {
    let pattern = parse(&prescribed());
    let required = required();
    bencher.bench(|| noise(black_box(&required), &pattern));
}

/// Patterns made to be hard, each of at most 1024 characters.
fn hard(kind: &str) -> String {
    let join = |parts: Vec<String>| format!("{{$.a NOT EXISTS||{}}}", parts.join("||"));
    let text = match kind {
        // The string must hold every one of these at once.
        "many contained texts" => join(
            (b'a'..=b'z')
                .map(|c| format!("$.a!=\"*{0}{0}*\"", char::from(c)))
                .collect(),
        ),
        // A tautology in many parts, of which each choice has to be refuted.
        "a tautology of pairs" => {
            let pair = |n| format!("$.x{n}=*&&$.y{n}=*||$.x{n} NOT EXISTS&&$.y{n} NOT EXISTS");
            format!("{{{}}}", (0..17).map(pair).collect::<Vec<_>>().join("||"))
        }
        // Two expressions with large automata.
        _ => format!(
            "{{$.a NOT EXISTS||$.a!=%{0}%||$.a!=%{1}%}}",
            "[ab].{9}".repeat(55),
            "b.?".repeat(140)
        ),
    };
    assert!(text.chars().count() <= 1024, "{}", text.chars().count());
    text
}

#[divan::bench(
    args = ["many contained texts", "a tautology of pairs", "large expressions"],
    sample_count = 10,
    sample_size = 1
)]
fn decide_a_hard_pattern(bencher: Bencher, kind: &str) {
    let text = hard(kind);
    let required = required();
    bencher
        .with_inputs(|| parse(&text))
        .bench_values(|pattern| {
            let answer = coverage(&required, &[&pattern]);
            assert!(!matches!(answer, Coverage::Covered { .. }));
            answer
        });
}
