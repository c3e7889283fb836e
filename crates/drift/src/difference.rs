//! What is not the same in two remembered states of an account, however far apart they are.

use model::{Drift, DriftKind, Finding, RememberedAccount, SeenFinding};

use crate::{AccountNow, SweepContext, account_left, compare};

/// Compares two states of an account; the context is that of the later one.
///
/// What happened between them and was undone is no difference. What is hidden in the later state is told as
/// it was last known there, and that it is hidden. The context's `new_controls` are those that
/// nobody judged until the earlier state, and an account is taken for one that joined only if
/// `knows_every_account` held then.
pub fn difference(
    context: &SweepContext,
    before: Option<&RememberedAccount>,
    after: Option<&RememberedAccount>,
) -> Vec<Drift> {
    let Some(after) = after else {
        return before
            .map(|before| account_left(context, before))
            .into_iter()
            .collect();
    };
    let latest: Vec<&SeenFinding> = (after.findings.values())
        .map(|finding| &finding.latest)
        .collect();
    let mut drifts = seen(context, before, after, &latest);
    let hidden = (after.findings.values()).filter_map(|finding| finding.before_unknown.as_ref());
    let hidden: Vec<&SeenFinding> = hidden.collect();
    if before.is_some() && !hidden.is_empty() {
        let is_of_sight = |kind| matches!(kind, DriftKind::BecameUnknown | DriftKind::VisibleAgain);
        let known = seen(context, before, after, &hidden).into_iter();
        drifts.extend(known.filter(|drift| drift.control.is_some() && !is_of_sight(drift.kind)));
    }
    drifts
}

/// What these answers, given in the later state, differ in from the earlier one.
fn seen(
    context: &SweepContext,
    before: Option<&RememberedAccount>,
    after: &RememberedAccount,
    answers: &[&SeenFinding],
) -> Vec<Drift> {
    let newest = answers.iter().max_by_key(|seen| seen.confirmed);
    let evidence = newest.and_then(|seen| seen.evidence);
    let findings: Vec<Finding> = (answers.iter()).map(|seen| seen.finding.clone()).collect();
    let now = AccountNow {
        account: &after.account,
        findings: &findings,
        evidence,
    };
    compare(context, before, now)
}

#[cfg(test)]
mod tests {
    use model::{DriftKind, Link, Reason};

    use super::*;
    use crate::fixture::{context, cut_at, fail, pass, remembered, unknown};

    fn kinds(
        before: Option<&RememberedAccount>,
        after: Option<&RememberedAccount>,
    ) -> Vec<DriftKind> {
        let drifts = difference(&context(), before, after);
        drifts.into_iter().map(|drift| drift.kind).collect()
    }

    #[test]
    fn what_was_undone_between_two_states_is_no_difference() {
        let broken = || fail(Reason::AlarmAbsent, Link::Alarm, 2, cut_at(3));
        let good = remembered(&[pass()]);
        let mended = remembered(&[pass(), broken(), pass()]);
        assert_eq!(kinds(Some(&good), Some(&mended)), []);
        let bad = remembered(&[pass(), broken()]);
        assert_eq!(kinds(Some(&good), Some(&bad)), [DriftKind::VerdictChanged]);
        assert_eq!(kinds(Some(&bad), Some(&good)), [DriftKind::VerdictChanged]);
    }

    #[test]
    fn an_account_on_one_side_only_joined_or_left() {
        let account = remembered(&[pass()]);
        assert_eq!(kinds(None, Some(&account)), [DriftKind::AccountJoined]);
        assert_eq!(kinds(Some(&account), None), [DriftKind::AccountLeft]);
        assert_eq!(kinds(None, None), []);
    }

    #[test]
    fn blindness_on_the_later_side_hides_nothing_but_says_so() {
        let (good, blind) = (remembered(&[pass()]), remembered(&[pass(), unknown()]));
        assert_eq!(kinds(Some(&good), Some(&blind)), [DriftKind::BecameUnknown]);
        assert_eq!(kinds(Some(&blind), Some(&good)), [DriftKind::VisibleAgain]);
        let broken = || fail(Reason::AlarmAbsent, Link::Alarm, 2, cut_at(3));
        let hidden = remembered(&[pass(), broken(), unknown()]);
        let (unseen, changed) = (DriftKind::BecameUnknown, DriftKind::VerdictChanged);
        assert_eq!(kinds(Some(&good), Some(&hidden)), [unseen, changed]);
        assert_eq!(kinds(Some(&blind), Some(&hidden)), [changed]);
        let bad = remembered(&[pass(), broken()]);
        assert_eq!(kinds(Some(&bad), Some(&hidden)), [unseen]);
    }
}
