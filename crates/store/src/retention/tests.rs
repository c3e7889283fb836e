//! What is dropped, what stays, and that nobody who asks for what stays can tell.

use std::collections::{BTreeMap, HashMap};

use model::{AccountId, RememberedAccount, SweepState};
use proptest::prelude::*;

use super::*;
use crate::{
    DriftQuery, FindingQuery, FindingRow, JudgedAccount,
    fixture::{Folder, account_id, number, raw},
    history_fixture::{
        ABSENT, BLIND, CONTROLS, MIXED, at, drift, header_at, history, judged, no_drifts,
        summary_of, whole,
    },
};

fn of(sweep: i64) -> KeepFrom {
    KeepFrom::Sweep(SweepId(sweep))
}

#[tokio::test]
async fn what_ended_goes_and_seals_stay() {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    let seals = sweeper.store().seals().await.unwrap();
    let pruned = sweeper.prune(of(6)).await.unwrap();
    assert_eq!(pruned.content_from, Some(SweepId(6)));
    assert_eq!(
        (
            pruned.findings,
            pruned.account_states,
            pruned.account_leaves
        ),
        (9, 2, 7)
    );
    assert_eq!(pruned.drifts, 3);
    assert!(pruned.documents > 0);
    assert_eq!(sweeper.store().seals().await.unwrap(), seals);
    assert_eq!(sweeper.store().sweeps(None).await.unwrap().len(), 8);
    let verified = sweeper.store().verify(None).await.unwrap();
    assert_eq!(verified.content_from, Some(SweepId(6)));
    assert_eq!(
        (verified.seals, verified.drifts, verified.journal),
        (7, 1, 2)
    );
    assert!(sweeper.store().check().await.unwrap().is_sound());
    assert_eq!(
        sweeper.store().content_from().await.unwrap(),
        Some(SweepId(6))
    );
    assert_eq!(
        sweeper.store().info().await.unwrap().content_from,
        Some(SweepId(6))
    );
    // Once more, and with an earlier sweep: there is nothing left to drop.
    for keep in [of(6), of(2), KeepFrom::Time(at(1))] {
        let again = sweeper.prune(keep).await.unwrap();
        let expected = Pruned {
            content_from: Some(SweepId(6)),
            free_bytes: again.free_bytes,
            ..Pruned::default()
        };
        assert_eq!(again, expected);
    }
}

#[tokio::test]
async fn what_was_dropped_is_refused_and_not_shown_in_part() {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    sweeper.prune(of(6)).await.unwrap();
    let store = sweeper.store();
    let query = |sweep| FindingQuery {
        sweep: Some(SweepId(sweep)),
        ..FindingQuery::default()
    };
    for error in [
        store.findings(&query(5)).await.unwrap_err(),
        store
            .export(SweepId(5), None, Vec::new())
            .await
            .unwrap_err(),
    ] {
        assert!(matches!(error, Error::Pruned { .. }), "{error:?}");
        assert!(error.is_bad_input());
        assert!(error.to_string().contains("before sweep 6"), "{error}");
    }
    assert_eq!(store.findings(&query(6)).await.unwrap().len(), 6);
    store.export(SweepId(6), None, Vec::new()).await.unwrap();
    store
        .export(SweepId(8), Some(account_id(7)), Vec::new())
        .await
        .unwrap();
}

#[tokio::test]
async fn the_last_finished_sweep_is_never_dropped() {
    for keep in [of(99), KeepFrom::Time(at(1000))] {
        let folder = Folder::new();
        let sweeper = history(&folder).await;
        let stopped = sweeper
            .begin_sweep(&header_at(9, &[], &CONTROLS))
            .await
            .unwrap();
        let pruned = sweeper.prune(keep).await.unwrap();
        assert_eq!(pruned.content_from, Some(SweepId(8)));
        sweeper
            .commit(stopped, &[judged(1, MIXED)], &[])
            .await
            .unwrap();
        sweeper
            .finish_sweep(stopped, &summary_of(9, &[judged(1, MIXED)]))
            .await
            .unwrap();
        sweeper.store().verify(None).await.unwrap();
    }
    let empty = Folder::new();
    let sweeper = empty.sweeper().await;
    assert_eq!(sweeper.prune(of(99)).await.unwrap().content_from, None);
}

#[tokio::test]
async fn nothing_is_noted_where_nothing_ended() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    for hour in 0..3 {
        whole(&sweeper, hour, &[judged(1, ABSENT)], no_drifts).await;
    }
    assert_eq!(sweeper.prune(of(3)).await.unwrap().content_from, None);
    assert_eq!(
        sweeper.store().verify(None).await.unwrap().content_from,
        None
    );
}

#[tokio::test]
async fn a_number_of_a_drift_is_never_given_again() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let both = |sweep| vec![drift(sweep, &[account_id(1)])];
    whole(&sweeper, 0, &[judged(1, ABSENT)], both).await;
    whole(&sweeper, 1, &[judged(1, MIXED)], both).await;
    for (hour, reasons) in [(2, ABSENT), (3, MIXED)] {
        whole(&sweeper, hour, &[judged(1, reasons)], no_drifts).await;
    }
    // All of them are old, and yet the last one stays.
    assert_eq!(sweeper.prune(of(4)).await.unwrap().drifts, 1);
    whole(&sweeper, 4, &[judged(1, ABSENT)], both).await;
    let verified = sweeper.store().verify(None).await.unwrap();
    assert_eq!((verified.drifts, verified.unsealed_drifts), (2, 0));
}

#[tokio::test]
async fn a_document_that_comes_again_is_stored_again() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    whole(&sweeper, 0, &[judged(1, MIXED)], no_drifts).await;
    whole(&sweeper, 1, &[judged(1, ABSENT)], no_drifts).await;
    assert!(sweeper.prune(of(2)).await.unwrap().documents > 0);
    whole(&sweeper, 2, &[judged(1, MIXED)], no_drifts).await;
    sweeper.store().verify(None).await.unwrap();
    assert!(sweeper.store().check().await.unwrap().is_sound());
}

#[tokio::test]
async fn what_was_stopped_midway_is_dropped_by_the_next() {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    {
        // It died after it had noted what it was about to do, and had dropped some.
        let mut writer = sweeper.writer.lock().await;
        let kept = note(&mut writer, of(6)).await.unwrap().unwrap();
        assert_eq!(kept.content_from, SweepId(6));
        sqlx::query("DELETE FROM findings WHERE id IN (SELECT id FROM findings WHERE valid_until <= 6 LIMIT 2)")
            .execute(&mut *writer)
            .await
            .unwrap();
    }
    sweeper.store().verify(None).await.unwrap();
    let pruned = sweeper.prune(of(2)).await.unwrap();
    assert_eq!(
        (pruned.content_from, pruned.findings),
        (Some(SweepId(6)), 7)
    );
    sweeper.store().verify(None).await.unwrap();
}

#[tokio::test]
async fn compacting_gives_room_back_while_others_read() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let many: Vec<_> = (1..=300).map(|n| judged(n, ABSENT)).collect();
    let others: Vec<_> = (1..=300).map(|n| judged(n, MIXED)).collect();
    for (hour, accounts) in [(0, &many), (1, &others), (2, &many), (3, &others)] {
        whole(&sweeper, hour, accounts, no_drifts).await;
    }
    let pruned = sweeper.prune(of(4)).await.unwrap();
    assert!(pruned.free_bytes > 0);
    let before = sweeper.store().info().await.unwrap();
    sweeper.compact().await.unwrap();
    let after = sweeper.store().info().await.unwrap();
    assert!(
        after.bytes < before.bytes,
        "{} and {}",
        after.bytes,
        before.bytes
    );
    assert_eq!(after.free_bytes, 0);
    sweeper.store().verify(None).await.unwrap();
    whole(&sweeper, 4, &many, no_drifts).await;
    sweeper.store().verify(None).await.unwrap();
}

#[tokio::test]
async fn what_retention_says_of_itself_cannot_be_taken_back() {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    sweeper.prune(of(6)).await.unwrap();
    whole(&sweeper, 9, &[judged(1, ABSENT)], no_drifts).await;
    sweeper.close().await.unwrap();
    let path = folder.file("store.db");
    assert_eq!(number(&path, "SELECT content_from FROM retention").await, 6);
    for alter in [
        "UPDATE retention SET content_from = 5",
        "DELETE FROM retention",
        "UPDATE retention SET drifts_until = 0",
    ] {
        let copy = folder.file("copy.db");
        std::fs::copy(&path, &copy).unwrap();
        let mut connection = raw(&copy).await;
        sqlx::query(alter).execute(&mut connection).await.unwrap();
        drop(connection);
        let store = Store::open_reader(&copy).await.unwrap();
        let error = store.verify(None).await.unwrap_err();
        assert!(error.misfit().is_some(), "{alter}: {error:?}");
    }
}

/// What a sweep may do with an account.
const WORLDS: [[model::Reason; 2]; 3] = [ABSENT, MIXED, BLIND];

/// For each sweep: whether it is stopped, which accounts it looks at, and how each is then.
fn sweeps() -> impl Strategy<Value = Vec<(bool, Vec<Option<usize>>)>> {
    let account = prop::option::weighted(0.8, 0..WORLDS.len());
    let sweep = (prop::bool::weighted(0.2), prop::collection::vec(account, 4));
    prop::collection::vec(sweep, 3..9)
}

async fn sweep(folder: &Folder, world: &[(bool, Vec<Option<usize>>)]) -> Sweeper {
    let sweeper = folder.sweeper().await;
    for (hour, (is_stopped, accounts)) in (0..).zip(world) {
        let looked_at: Vec<JudgedAccount> = (1..)
            .zip(accounts)
            .filter_map(|(n, how)| Some(judged(n, WORLDS[(*how)?])))
            .collect();
        let sweep = sweeper
            .begin_sweep(&header_at(hour, &[], &CONTROLS))
            .await
            .unwrap();
        let drifts: Vec<_> = (looked_at.first().iter())
            .map(|judged| drift(sweep, &[judged.account.id]))
            .collect();
        sweeper.commit(sweep, &looked_at, &drifts).await.unwrap();
        // The last account leaves whenever it is not seen.
        if accounts[3].is_none() && !is_stopped {
            sweeper
                .record_departures(sweep, &[account_id(4)], &[])
                .await
                .unwrap();
        }
        let mut summary = summary_of(hour, &looked_at);
        if *is_stopped {
            summary.state = SweepState::Interrupted;
        }
        sweeper.finish_sweep(sweep, &summary).await.unwrap();
    }
    sweeper
}

type Answers = BTreeMap<
    i64,
    (
        Vec<FindingRow>,
        Vec<String>,
        HashMap<AccountId, RememberedAccount>,
    ),
>;

/// Everything that one may ask as of these sweeps.
async fn answers(sweeper: &Sweeper, from: i64, until: i64) -> Answers {
    let mut answers = BTreeMap::new();
    let ids: Vec<AccountId> = (1..=4).map(account_id).collect();
    for sweep in from..=until {
        let query = FindingQuery {
            sweep: Some(SweepId(sweep)),
            ..FindingQuery::default()
        };
        let findings = sweeper.store().findings(&query).await.unwrap();
        let mut evidence = Vec::new();
        for root in findings.iter().filter_map(|row| row.evidence_root) {
            let text = sweeper.store().evidence(root).await.unwrap().unwrap();
            for part in parts_of_evidence(&text).unwrap() {
                evidence.push(sweeper.store().evidence(part).await.unwrap().unwrap());
            }
            evidence.push(text);
        }
        // What the sweep after it compares with.
        let remembered = sweeper.remembered(SweepId(sweep + 1), &ids).await.unwrap();
        answers.insert(sweep, (findings, evidence, remembered));
    }
    answers
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nobody_who_asks_for_what_stays_can_tell(world in sweeps(), keep in 1..9_i64) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let folder = Folder::new();
            let sweeper = sweep(&folder, &world).await;
            sweeper.store().verify(None).await.unwrap();
            let last = i64::try_from(world.len()).unwrap();
            let all = answers(&sweeper, 1, last).await;
            let seals = sweeper.store().seals().await.unwrap();
            let drifts = sweeper.store().drifts(&DriftQuery::default()).await.unwrap();

            let pruned = sweeper.prune(of(keep)).await.unwrap();
            let from = pruned.content_from.map_or(1, |from| from.0);
            assert!(from <= keep.max(1));
            let kept = all.into_iter().filter(|(sweep, _)| *sweep >= from).collect::<Answers>();
            assert_eq!(answers(&sweeper, from, last).await, kept);
            assert_eq!(sweeper.store().seals().await.unwrap(), seals);
            let stay: Vec<_> = sweeper.store().drifts(&DriftQuery::default()).await.unwrap();
            assert!(drifts.starts_with(&stay), "the latest come first");
            let young = drifts.iter().filter(|row| row.drift.between.seen.0 >= from).count();
            assert!(stay.len() >= young);

            let head = seals.last().map(|row| row.seal.hash);
            let verified = sweeper.store().verify(head).await.unwrap();
            assert_eq!(verified.content_from, pruned.content_from);
            assert!(sweeper.store().check().await.unwrap().is_sound());
            for row in seals.iter().filter(|row| row.seal.sweep.0 >= from) {
                sweeper.store().export(row.seal.sweep, None, Vec::new()).await.unwrap();
            }
            whole(&sweeper, 20, &[judged(1, MIXED), judged(9, ABSENT)], no_drifts).await;
            sweeper.store().verify(head).await.unwrap();
        });
    }
}
