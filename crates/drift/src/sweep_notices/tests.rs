//! What a sweep tells beside its accounts.

use model::{Link, Reason};

use super::*;
use crate::fixture::{
    MEMBER, OWNER, context, cut_at, drift, fail, id, of_account, of_control, pass, remembered,
    unknown,
};

fn broke(account: &str, control: &str) -> Drift {
    let of = |finding| of_account(account, of_control(control, finding));
    let after = fail(Reason::AlarmAbsent, Link::Alarm, 2, cut_at(3));
    drift(of(pass()), of(after))
}

#[test]
fn what_breaks_for_many_accounts_at_once_is_one_notice() {
    let accounts = ["333333333333", MEMBER, "444444444444"];
    let drifts: Vec<Drift> = (accounts.iter())
        .flat_map(|account| {
            ["organizations-changes", "root-usage"].map(|control| broke(account, control))
        })
        .collect();
    let notices = grouped(drifts.clone());
    assert_eq!(notices.len(), 1, "{notices:#?}");
    let notice = &notices[0];
    assert_eq!((notice.account, &notice.control), (None, &None));
    assert_eq!(
        notice.accounts,
        [MEMBER, "333333333333", "444444444444"].map(id)
    );
    assert_eq!(notice.account_count(), 3);
    assert_eq!(notice.severity, Severity::Critical);
    assert!(
        notice
            .message
            .starts_with("3 accounts and 2 controls, such as: "),
        "{}",
        notice.message
    );
    assert_eq!(notice.changes, drifts[0].changes);
    // However they arrive, it is the same notice.
    let reversed: Vec<Drift> = drifts.into_iter().rev().collect();
    assert_eq!(grouped(reversed), notices);
}

#[test]
fn several_controls_of_one_account_stay_with_the_account() {
    let notices = grouped([
        broke(MEMBER, "organizations-changes"),
        broke(MEMBER, "root-usage"),
    ]);
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].account, Some(id(MEMBER)));
    assert_eq!(notices[0].control, None);
    assert!(notices[0].accounts.is_empty());
}

#[test]
fn what_stands_alone_or_goes_the_other_way_stays_apart() {
    let alone = broke(MEMBER, "organizations-changes");
    assert_eq!(grouped([alone.clone()]), std::slice::from_ref(&alone));
    let other = "333333333333";
    let after = fail(Reason::AlarmAbsent, Link::Alarm, 2, cut_at(3));
    let mended = drift(of_account(other, after), of_account(other, pass()));
    assert_eq!(grouped([alone, mended]).len(), 2);
}

#[test]
fn a_group_flaps_only_if_all_of_it_does() {
    let flapping = crate::damped(broke(MEMBER, "organizations-changes"));
    let steady = broke("333333333333", "organizations-changes");
    let notice = |drifts: [Drift; 2]| grouped(drifts).remove(0);
    let mixed = notice([flapping.clone(), steady]);
    assert_eq!(
        (mixed.severity, mixed.is_flapping()),
        (Severity::Critical, false)
    );
    let other = crate::damped(broke("333333333333", "organizations-changes"));
    let all = notice([flapping, other]);
    assert_eq!(
        (all.severity, all.undamped),
        (Severity::Low, Some(Severity::Critical))
    );
}

#[test]
fn an_account_that_left_and_a_control_that_came_are_told_once() {
    let left = account_left(&context(), &remembered(&[pass(), unknown()]));
    assert_eq!(left.kind, DriftKind::AccountLeft);
    assert_eq!(left.message, "shop (222222222222) left the organization");
    assert_eq!(left.between.last_before, Some(SweepId(2)));
    let control = "root-usage".parse().unwrap();
    let added = control_added(&context(), &control);
    assert_eq!(added.id, control_added(&context(), &control).id);
    assert_eq!((added.account, added.control), (None, Some(control)));
}

#[test]
fn an_exception_that_expired_tells_what_is_no_longer_accepted() {
    let account = remembered(&[pass()]).account;
    let exception = Exception {
        scope: model::ExceptionScope::default(),
        owner: "platform\u{1b}[31m".to_owned(),
        reason: "it is being moved".to_owned(),
        ticket: Some("SEC-1".to_owned()),
        expires_at: "2026-02-01T00:00:00Z".parse().unwrap(),
        source: model::ExceptionSource::Command,
    };
    let ended = |removed_at: Option<&str>| EndedException {
        exception: &exception,
        removed_at: removed_at.map(|at| at.parse().unwrap()),
    };
    let told = |finding: Finding, removed_at| {
        exception_expired(
            &context(),
            &finding,
            &account,
            ended(removed_at),
            Some(SweepId(5)),
        )
    };
    let expired = |finding: Finding| {
        let drift = told(finding, None)?;
        Some(drift.severity)
    };
    let broken = || fail(Reason::AlarmAbsent, Link::Alarm, 2, cut_at(3));
    assert_eq!(expired(broken()), Some(Severity::Medium));
    assert_eq!(expired(of_account(OWNER, broken())), Some(Severity::High));
    assert_eq!(expired(unknown()), Some(Severity::Low));
    assert_eq!(expired(pass()), None);
    for (removed_at, how) in [
        (None, "expired at 2026-02-01T00:00:00Z"),
        (
            Some("2026-01-07T00:00:00Z"),
            "was removed at 2026-01-07T00:00:00Z",
        ),
        // It was over already.
        (
            Some("2026-03-07T00:00:00Z"),
            "expired at 2026-02-01T00:00:00Z",
        ),
    ] {
        let message = told(broken(), removed_at).unwrap().message;
        let which = format!(
            "in account shop (222222222222) is no longer accepted: the exception {} of platform [31m, SEC-1 \
             (it is being moved) {how}; it is FAIL: ",
            exception.id()
        );
        assert!(message.contains(&which), "{message}");
    }
}
