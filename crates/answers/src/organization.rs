//! The one verdict of an organization.

use model::{Finding, Verdict};

/// The organization's own answer: its changes happen in the management account, so by the control on
/// them it is that account's. Without that control it is the worst that was found there.
pub fn organization_verdict<'a>(of_management: impl Iterator<Item = &'a Finding>) -> Verdict {
    let own: Vec<&Finding> = of_management.collect();
    let own = || own.iter();
    let of_organization =
        own().find(|finding| finding.control.as_str() == controls::ORGANIZATION_CONTROL);
    let worst = [
        Verdict::Fail,
        Verdict::Unknown,
        Verdict::Pass,
        Verdict::NotApplicable,
    ]
    .into_iter()
    .find(|verdict| own().any(|finding| finding.verdict() == *verdict));
    of_organization
        .map(|finding| finding.verdict())
        .or(worst)
        .unwrap_or(Verdict::Unknown)
}
