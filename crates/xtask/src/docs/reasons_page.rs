//! `docs/reasons.md`: every reason and every kind of advice.

use model::{AdviceCode, Reason, Verdict};

use super::{MADE_BY, page, table};

const OPENING: &str = "A finding has one reason, and its verdict follows from it. The codes are a closed list and do not
change from version to version. They stand in the order of the chain, from the trail to the subscriber.";

pub(super) fn render() -> String {
    let mut blocks = vec![
        "# Reasons and advice".to_owned(),
        MADE_BY.to_owned(),
        OPENING.to_owned(),
    ];
    for verdict in Verdict::ALL {
        blocks.push(format!("## {verdict}"));
        blocks.push(meaning(verdict).to_owned());
        let reasons = || {
            Reason::ALL
                .iter()
                .filter(move |reason| reason.verdict() == verdict)
        };
        blocks.push(if reasons().all(|reason| reason.next_step().is_empty()) {
            table(
                ["code", "means"],
                reasons().map(|reason| [code(reason.code()), reason.meaning().to_owned()]),
            )
        } else {
            table(
                ["code", "means", "what to do"],
                reasons().map(|reason| {
                    let (meaning, next_step) = (reason.meaning(), reason.next_step());
                    [
                        code(reason.code()),
                        meaning.to_owned(),
                        next_step.to_owned(),
                    ]
                }),
            )
        });
    }
    blocks.push("## Advice".to_owned());
    blocks.push("Worth knowing, and no change of the verdict.".to_owned());
    let advice = AdviceCode::ALL.iter();
    blocks.push(table(
        ["code", "means"],
        advice.map(|advice| [code(advice.code()), advice.meaning().to_owned()]),
    ));
    page(&blocks)
}

fn code(code: &str) -> String {
    format!("`{code}`")
}

fn meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "An unbroken chain was seen.",
        Verdict::Fail => "The chain is broken.",
        Verdict::Unknown => "What would decide could not be read or is not known to this version.",
        Verdict::NotApplicable => "The question does not arise.",
    }
}
