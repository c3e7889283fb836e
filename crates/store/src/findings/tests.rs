//! History grows with change, and is what it was.

use super::*;
use crate::{
    FindingQuery, FindingRow, JudgedAccount, Sweeper,
    fixture::{
        Folder, account_id, evidence, evidence_root, finding, gap, judged, noon, number, sweep,
    },
};
use model::{AccountState, Reason, Verdict, evidence::StorableEvidence};

async fn findings(sweeper: &Sweeper, query: FindingQuery) -> Vec<FindingRow> {
    sweeper.store().findings(&query).await.unwrap()
}

/// Account, reason and interval of each finding.
async fn seen(sweeper: &Sweeper, sweep: Option<SweepId>) -> Vec<(u64, Reason, i64, Option<i64>)> {
    let query = FindingQuery {
        sweep,
        ..FindingQuery::default()
    };
    (findings(sweeper, query).await.iter())
        .map(|row| {
            (
                row.finding.account.to_string().parse().unwrap(),
                row.finding.reason,
                row.since_sweep.0,
                row.until_sweep.map(|sweep| sweep.0),
            )
        })
        .collect()
}

async fn rows(folder: &Folder) -> [i64; 4] {
    let path = folder.file("store.db");
    [
        number(&path, "SELECT count(*) FROM findings").await,
        // Beside the headers of the seals.
        number(
            &path,
            "SELECT count(*) - (SELECT count(*) FROM seals) FROM documents",
        )
        .await,
        number(&path, "SELECT count(*) FROM account_states").await,
        number(&path, "SELECT count(*) FROM accounts").await,
    ]
}

#[tokio::test]
async fn a_finding_is_read_as_it_was_written() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let mut judged = judged(2, Reason::EvidenceGap);
    let finding = &mut judged.findings[0];
    finding.gaps = vec![gap("request-1"), gap("request-2")];
    finding.link = None;
    finding.covered_by = Some(CoveredBy {
        trail: "arn:aws:cloudtrail:us-east-1:000000000001:trail/org"
            .parse()
            .unwrap(),
        account: account_id(1),
        is_organization_trail: true,
    });
    finding.advice = vec![Advice {
        code: model::AdviceCode::Noise,
        message: "“quoted” \u{0} and \u{202e} survive".to_owned(),
    }];
    let id = sweep(&sweeper, std::slice::from_ref(&judged)).await;
    let stored = findings(&sweeper, FindingQuery::default()).await;
    assert_eq!(
        stored,
        [FindingRow {
            finding: judged.findings[0].clone(),
            account: Arc::new(judged.account.clone()),
            since_sweep: id,
            since: noon(),
            until_sweep: None,
            evidence_root: judged.evidence.as_ref().map(StorableEvidence::root),
        }]
    );
    // Equality of gaps leaves out what AWS said; that must have survived, too.
    let samples = |finding: &Finding| {
        (finding.gaps.iter())
            .map(|gap| gap.sample.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(samples(&stored[0].finding), samples(&judged.findings[0]));
}

#[tokio::test]
async fn a_sweep_that_changes_nothing_leaves_its_own_row_alone() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let world: Vec<_> = (1..=1200).map(|n| judged(n, Reason::TrailAbsent)).collect();
    sweep(&sweeper, &world).await;
    let before = rows(&folder).await;
    // One detail, one trail and the organization are shared; a root for each account.
    assert_eq!(before, [1200, 4, 1200, 1200]);
    for _ in 0..3 {
        sweep(&sweeper, &world).await;
    }
    assert_eq!(rows(&folder).await, before);
    let path = folder.file("store.db");
    assert_eq!(number(&path, "SELECT count(*) FROM sweeps").await, 4);
    let last = sweeper.store().latest_sweep().await.unwrap().unwrap();
    assert_eq!((last.accounts_seen, last.findings_seen), (1200, 1200));
}

#[tokio::test]
async fn a_change_closes_one_interval_and_opens_another() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let one = sweep(
        &sweeper,
        &[
            judged(1, Reason::TrailAbsent),
            judged(2, Reason::TrailAbsent),
        ],
    )
    .await;
    let two = sweep(
        &sweeper,
        &[
            judged(1, Reason::TrailNotLogging),
            judged(2, Reason::TrailAbsent),
        ],
    )
    .await;
    let three = sweep(
        &sweeper,
        &[
            judged(1, Reason::TrailAbsent),
            judged(2, Reason::TrailAbsent),
        ],
    )
    .await;
    let absent = Reason::TrailAbsent;
    assert_eq!(
        seen(&sweeper, Some(one)).await,
        [(1, absent, 1, Some(2)), (2, absent, 1, None)]
    );
    assert_eq!(
        seen(&sweeper, Some(two)).await,
        [
            (1, Reason::TrailNotLogging, 2, Some(3)),
            (2, absent, 1, None)
        ]
    );
    assert_eq!(
        seen(&sweeper, Some(three)).await,
        [(1, absent, 3, None), (2, absent, 1, None)]
    );
    assert_eq!(
        seen(&sweeper, None).await,
        seen(&sweeper, Some(three)).await
    );
    assert_eq!(seen(&sweeper, Some(SweepId(0))).await, []);
}

#[tokio::test]
async fn anything_that_a_verdict_rests_on_makes_a_new_interval() {
    let change = |change: fn(&mut JudgedAccount)| {
        let mut changed = judged(1, Reason::TrailAbsent);
        change(&mut changed);
        changed
    };
    let changes = [
        change(|it| it.findings[0].reason = Reason::TrailNotLogging),
        change(|it| it.findings[0].link = None),
        change(|it| it.findings[0].message.push('!')),
        change(|it| it.findings[0].gaps.push(gap("r"))),
        change(|it| it.findings[0].chain = [].into()),
        change(|it| {
            std::sync::Arc::make_mut(&mut it.findings[0].chain)[0].read =
                serde_json::json!({"is_logging": true});
        }),
    ];
    for changed in changes {
        assert_eq!(intervals(&changed).await, [2, 2], "{changed:?}");
    }
}

/// How many findings and leaves there are when an account changed.
async fn intervals(changed: &JudgedAccount) -> [i64; 2] {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    sweep(&sweeper, &[judged(1, Reason::TrailAbsent)]).await;
    sweep(&sweeper, std::slice::from_ref(changed)).await;
    let path = folder.file("store.db");
    [
        number(&path, "SELECT count(*) FROM findings").await,
        number(&path, "SELECT count(*) FROM account_leaves").await,
    ]
}

#[tokio::test]
async fn evidence_that_changes_no_finding_makes_a_new_interval_of_the_account_alone() {
    for other in [Some(StorableEvidence::read(evidence(1, false))), None] {
        let changed = JudgedAccount {
            evidence: other,
            ..judged(1, Reason::TrailAbsent)
        };
        assert_eq!(intervals(&changed).await, [1, 2], "{changed:?}");
    }
}

#[tokio::test]
async fn what_was_read_for_one_control_does_not_replace_what_is_known_of_all() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let mut both = judged(1, Reason::TrailAbsent);
    both.findings.push(of_another_control(1));
    sweep(&sweeper, &[both]).await;
    let narrow = JudgedAccount {
        evidence: None,
        ..judged(1, Reason::TrailAbsent)
    };
    sweep(&sweeper, &[narrow]).await;
    let stored = findings(&sweeper, FindingQuery::default()).await;
    assert!(stored.iter().all(|row| row.evidence_root.is_some()));
    assert_eq!(rows(&folder).await[0], 2);
    let path = folder.file("store.db");
    let leaves = number(&path, "SELECT count(*) FROM account_leaves");
    assert_eq!(leaves.await, 1);
}

fn of_another_control(account: u64) -> Finding {
    Finding {
        control: "root-usage".parse().unwrap(),
        ..finding(account, Reason::TrailAbsent)
    }
}

#[tokio::test]
async fn pages_give_what_one_list_gives_and_share_what_accounts_share() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let accounts: Vec<_> = (1..=1_500)
        .map(|number| {
            let mut judged = judged(number, Reason::TrailAbsent);
            judged.findings.push(of_another_control(number));
            judged
        })
        .collect();
    sweep(&sweeper, &accounts).await;
    let query = FindingQuery {
        limit: Some(2_500),
        without_chains: true,
        ..FindingQuery::default()
    };
    let mut pages = sweeper.store().finding_pages(&query).await.unwrap();
    // Another process commits meanwhile: the pages are of one moment.
    sweep(
        &sweeper,
        &[
            judged(2_000, Reason::TrailNotLogging),
            judged(1_200, Reason::TrailNotLogging),
        ],
    )
    .await;
    let mut rows = Vec::new();
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await.unwrap() {
        sizes.push(page.len());
        rows.extend(page);
    }
    assert_eq!(sizes, [1000, 1000, 500]);
    let keys: Vec<_> = (rows.iter())
        .map(|row| (row.finding.account, row.finding.control.clone()))
        .collect();
    let expected: Vec<_> = (accounts.iter().flat_map(|account| &account.findings))
        .map(|finding| (finding.account, finding.control.clone()))
        .take(2_500)
        .collect();
    assert_eq!(keys, expected);
    let first = &rows[0].finding;
    assert!(first.chain.is_empty());
    assert!(
        rows.iter()
            .all(|row| Arc::ptr_eq(&row.finding.judgement, &first.judgement))
    );
}

#[tokio::test]
async fn what_aws_said_this_time_makes_no_new_interval() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    for request in ["request-1", "request-2"] {
        let mut blind = judged(2, Reason::EvidenceGap);
        blind.findings[0].gaps = vec![gap(request)];
        sweep(&sweeper, &[blind]).await;
    }
    assert_eq!(rows(&folder).await[0], 1);
    let stored = findings(&sweeper, FindingQuery::default()).await;
    let sample = &stored[0].finding.gaps[0].sample;
    assert_eq!(sample.request_id.as_deref(), Some("request-1"));
}

#[tokio::test]
async fn what_was_not_looked_at_stays_as_it_was() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let mut both = judged(1, Reason::TrailAbsent);
    both.findings.push(of_another_control(1));
    sweep(&sweeper, &[both, judged(2, Reason::TrailAbsent)]).await;
    sweep(&sweeper, &[judged(1, Reason::TrailNotLogging)]).await;
    assert_eq!(
        seen(&sweeper, None).await,
        [
            (1, Reason::TrailNotLogging, 2, None),
            (1, Reason::TrailAbsent, 1, None),
            (2, Reason::TrailAbsent, 1, None),
        ]
    );
}

#[tokio::test]
async fn an_account_committed_twice_in_a_sweep_counts_as_it_was_last() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    sweep(&sweeper, &[judged(1, Reason::TrailAbsent)]).await;
    let id = sweeper
        .begin_sweep(&crate::fixture::header())
        .await
        .unwrap();
    for reason in [Reason::EvidenceGap, Reason::TrailNotLogging] {
        let mut again = judged(1, reason);
        again.account.name = reason.code().to_owned();
        sweeper.commit(id, &[again], &[]).await.unwrap();
    }
    assert_eq!(
        seen(&sweeper, None).await,
        [(1, Reason::TrailNotLogging, 2, None)]
    );
    let [findings, _, states, accounts] = rows(&folder).await;
    assert_eq!([findings, states, accounts], [2, 2, 1]);
    assert_eq!(
        seen(&sweeper, Some(SweepId(1))).await,
        [(1, Reason::TrailAbsent, 1, Some(2))]
    );
}

#[tokio::test]
async fn an_account_is_called_what_it_was_called_then() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    sweep(&sweeper, &[judged(1, Reason::TrailAbsent)]).await;
    let mut renamed = judged(1, Reason::TrailAbsent);
    renamed.account.name = "new name".to_owned();
    renamed.account.ou_path = None;
    sweep(&sweeper, std::slice::from_ref(&renamed)).await;
    let mut closed = renamed.clone();
    closed.account.state = AccountState::Suspended;
    sweep(&sweeper, &[closed]).await;
    let at = async |sweep| {
        let query = FindingQuery {
            sweep: Some(SweepId(sweep)),
            ..FindingQuery::default()
        };
        let row = findings(&sweeper, query).await.remove(0);
        (
            row.account.name.clone(),
            row.account.state,
            row.account.ou_path.is_some(),
        )
    };
    let active = AccountState::Active;
    assert_eq!(at(1).await, ("account-1".to_owned(), active, true));
    assert_eq!(at(2).await, ("new name".to_owned(), active, false));
    assert_eq!(
        at(3).await,
        ("new name".to_owned(), AccountState::Suspended, false)
    );
    assert_eq!(rows(&folder).await[0], 1, "the finding is the same");
}

#[tokio::test]
async fn a_query_narrows_by_each_of_its_parts() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let world = [
        judged(1, Reason::TrailAbsent),
        judged(2, Reason::EvidenceGap),
        judged(3, Reason::TrailAbsent),
    ];
    sweep(&sweeper, &world).await;
    let count = async |query| findings(&sweeper, query).await.len();
    let any = FindingQuery::default;
    assert_eq!(count(any()).await, 3);
    let account = Some(account_id(2));
    assert_eq!(count(FindingQuery { account, ..any() }).await, 1);
    let verdict = Some(Verdict::Fail);
    assert_eq!(count(FindingQuery { verdict, ..any() }).await, 2);
    assert_eq!(
        count(FindingQuery {
            account,
            verdict,
            ..any()
        })
        .await,
        0
    );
    for (control, expected) in [("organizations-changes", 3), ("root-usage", 0)] {
        let control = Some(control.parse().unwrap());
        assert_eq!(count(FindingQuery { control, ..any() }).await, expected);
    }
    let limit = Some(2);
    assert_eq!(count(FindingQuery { limit, ..any() }).await, 2);
}

#[tokio::test]
async fn evidence_is_found_by_its_hash() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let judged = judged(1, Reason::TrailAbsent);
    sweep(&sweeper, std::slice::from_ref(&judged)).await;
    for (hash, text) in &judged.evidence.as_ref().unwrap().documents().parts {
        let stored = sweeper.store().evidence(*hash).await.unwrap();
        assert_eq!(stored.as_deref(), Some(text.as_str()));
    }
    let unknown = ContentHash::of("never stored");
    let unknown = sweeper.store().evidence(unknown).await.unwrap();
    assert_eq!(unknown, None);
}

#[tokio::test]
async fn an_altered_document_is_damage_and_not_a_panic() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    sweep(&sweeper, &[judged(1, Reason::TrailAbsent)]).await;
    for damage in [
        "UPDATE documents SET body = x'00112233'",
        "UPDATE documents SET size = 3",
        "UPDATE documents SET size = 9000000000000000",
    ] {
        let mut writer = sweeper.writer.lock().await;
        sqlx::query(damage).execute(&mut *writer).await.unwrap();
        drop(writer);
        let error = (sweeper.store().findings(&FindingQuery::default()).await).unwrap_err();
        assert!(error.to_string().contains("in documents"), "{error}");
        assert!((sweeper.store().evidence(evidence_root(1)).await).is_err());
    }
}

#[tokio::test]
async fn the_database_is_whole_after_all_that() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    for reason in [
        Reason::TrailAbsent,
        Reason::TrailNotLogging,
        Reason::TrailAbsent,
    ] {
        let world: Vec<_> = (1..=20).map(|n| judged(n, reason)).collect();
        sweep(&sweeper, &world).await;
    }
    sweeper.close().await.unwrap();
    let path = folder.file("store.db");
    let broken = "SELECT count(*) FROM pragma_foreign_key_check";
    assert_eq!(number(&path, broken).await, 0);
    let sound = "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'";
    assert_eq!(number(&path, sound).await, 1);
}
