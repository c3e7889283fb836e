//! What an account is known by within a process, and what it is not known by.

use std::collections::BTreeMap;

use model::{Finding, GapSample, Reason};

use super::*;
use crate::fixture::{account_id, gap, judged};

fn known() -> Known {
    let mut known = Known::default();
    known.read_leaves(BTreeMap::new(), HashMap::new());
    known
}

#[test]
fn an_account_is_known_by_what_is_said_of_it_and_not_by_where_that_lies() {
    let mut known = known();
    let one = judged(1, Reason::TrailAbsent);
    let mut copied = one.clone();
    for finding in &mut copied.findings {
        finding.judgement = Arc::new((*finding.judgement).clone());
    }
    assert_eq!(known.fingerprint(&one), known.fingerprint(&copied));
    copied.findings[0].message.push('!');
    assert_ne!(known.fingerprint(&one), known.fingerprint(&copied));
    let mut renamed = one.clone();
    renamed.account.name.push('!');
    assert_ne!(known.fingerprint(&one), known.fingerprint(&renamed));
}

#[test]
fn findings_that_follow_from_the_same_are_not_looked_at() {
    let mut known = known();
    let basis = |text: &str| Some(Fingerprint::of(&text));
    let mut one = judged(1, Reason::TrailAbsent);
    one.basis = basis("these controls");
    let mut other = one.clone();
    other.findings[0].message.push('!');
    assert_eq!(known.fingerprint(&one), known.fingerprint(&other));
    assert!(known.judgements.is_empty());
    // By other controls, of other evidence, of another account, or without that promise, they may be others.
    other.basis = basis("other controls");
    assert_ne!(known.fingerprint(&one), known.fingerprint(&other));
    other.basis = one.basis;
    other.evidence = judged(1, Reason::TrailNotLogging).evidence;
    assert_ne!(known.fingerprint(&one), known.fingerprint(&other));
    let mut third = judged(2, Reason::TrailAbsent);
    third.basis = one.basis;
    assert_ne!(known.fingerprint(&one), known.fingerprint(&third));
    third = one.clone();
    third.basis = None;
    assert_ne!(known.fingerprint(&one), known.fingerprint(&third));
}

#[test]
fn the_accounts_are_those_of_the_tree_and_what_came_since() {
    let mut known = Known::default();
    assert!(known.accounts().is_none());
    let leaf = LeafHash::of_canonical("{}");
    let accounts = |known: &Known| {
        let mut accounts: Vec<AccountId> = known.accounts().unwrap().collect();
        accounts.sort();
        accounts
    };
    let leaves = [(account_id(1), leaf), (account_id(2), leaf)];
    known.read_leaves(leaves.into(), HashMap::new());
    known.stored(
        vec![(account_id(3), leaf), (account_id(2), leaf)],
        HashMap::new(),
        Vec::new(),
    );
    known.forget(&[account_id(1)]);
    assert_eq!(accounts(&known), [account_id(2), account_id(3)]);
    known.head();
    assert_eq!(accounts(&known), [account_id(2), account_id(3)]);
}

#[test]
fn tags_are_part_of_it_as_they_were_last_read() {
    let mut known = known();
    let unread = judged(1, Reason::TrailAbsent);
    let mut tagged = unread.clone();
    tagged.account.tags = Some([("env".to_owned(), "prod".to_owned())].into());
    let bare = known.fingerprint(&unread);
    assert_ne!(bare, known.fingerprint(&tagged));
    let tags = tagged.account.tags.clone().unwrap();
    known.stored(Vec::new(), HashMap::new(), vec![(account_id(1), tags)]);
    assert_eq!(known.fingerprint(&unread), known.fingerprint(&tagged));
    assert_eq!(*known.with_tags(&unread.account), tagged.account);
    tagged.account.tags = Some(Tags::new());
    assert_ne!(known.fingerprint(&unread), known.fingerprint(&tagged));
    known.forget(&[account_id(1)]);
    assert_eq!(known.fingerprint(&unread), bare);
}

#[test]
fn what_aws_said_this_time_is_no_part_of_it() {
    let mut known = known();
    let mut one = judged(1, Reason::AccountNotEntered);
    one.findings[0].gaps = vec![gap("request-1")];
    let mut other = one.clone();
    other.findings[0].gaps[0].sample = GapSample::default();
    assert_eq!(known.fingerprint(&one), known.fingerprint(&other));
    other.findings[0].gaps[0].api.push('!');
    assert_ne!(known.fingerprint(&one), known.fingerprint(&other));
}

#[test]
fn judgements_of_single_accounts_are_let_go() {
    let mut known = known();
    let alone = judged(1, Reason::TrailAbsent);
    let shared = judged(2, Reason::TrailNotLogging);
    let with_it: Finding = shared.findings[0].clone();
    for account in [&alone, &shared] {
        known.fingerprint(account);
        known.detail(&account.findings[0].judgement);
    }
    assert_eq!(known.judgements.len(), 2);
    known.end_group();
    assert_eq!(known.judgements.len(), 1);
    assert_eq!(Arc::strong_count(&alone.findings[0].judgement), 1);
    drop(with_it);
}

#[test]
fn a_leaf_counts_before_it_is_in_the_tree() {
    let mut known = known();
    let leaf = LeafHash::of_canonical("{}");
    known.stored(vec![(account_id(1), leaf)], HashMap::new(), Vec::new());
    assert_eq!(known.leaf(account_id(1)), Some(leaf));
    assert_eq!(known.head().map(|head| head.accounts), Some(1));
    known.forget(&[account_id(1)]);
    assert_eq!(known.leaf(account_id(1)), None);
    assert_eq!(known.head().map(|head| head.accounts), Some(0));
}
