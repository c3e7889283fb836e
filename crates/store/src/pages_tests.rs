//! Lists that are asked for in parts come to the whole lists.

use model::{SweepId, Verdict};

use crate::{
    AccountQuery, DriftQuery, FindingQuery, Store, fixture::Folder, history_fixture::history,
};

const SIZES: [u32; 3] = [1, 2, 7];

async fn findings_in_parts(store: &Store, whole: &FindingQuery, size: u32) {
    let mut parts = Vec::new();
    let mut query = whole.clone();
    query.limit = Some(size);
    loop {
        let part = store.findings(&query).await.unwrap();
        let Some(last) = part.last() else { break };
        query.after = Some((last.finding.account, last.finding.control.clone()));
        parts.extend(part);
    }
    assert_eq!(
        parts,
        store.findings(whole).await.unwrap(),
        "{whole:?} by {size}"
    );
}

async fn accounts_in_parts(store: &Store, whole: &AccountQuery, size: u32) {
    let mut parts = Vec::new();
    let mut query = whole.clone();
    query.limit = Some(size);
    loop {
        let part = store.accounts(&query).await.unwrap();
        let Some(last) = part.last() else { break };
        query.after = Some(last.account.id);
        parts.extend(part);
    }
    assert_eq!(
        parts,
        store.accounts(whole).await.unwrap(),
        "{whole:?} by {size}"
    );
}

#[tokio::test]
async fn parts_come_to_the_whole_as_of_each_sweep_and_with_each_filter() {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    let store = sweeper.store();
    let controls = [None, Some("root-usage".parse().unwrap())];
    let verdicts = [None, Some(Verdict::Fail), Some(Verdict::Unknown)];
    for sweep in [None, Some(SweepId(1)), Some(SweepId(3)), Some(SweepId(8))] {
        for (control, verdict) in
            (controls.iter()).flat_map(|control| verdicts.map(|verdict| (control.clone(), verdict)))
        {
            for size in SIZES {
                let query = FindingQuery {
                    sweep,
                    control: control.clone(),
                    verdict,
                    ..FindingQuery::default()
                };
                findings_in_parts(store, &query, size).await;
                let query = AccountQuery {
                    sweep,
                    control: control.clone(),
                    verdict,
                    ..AccountQuery::default()
                };
                accounts_in_parts(store, &query, size).await;
            }
        }
    }
}

#[tokio::test]
async fn parts_of_drifts_come_to_the_whole() {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    let store = sweeper.store();
    let whole = store.drifts(&DriftQuery::default()).await.unwrap();
    assert!(whole.len() > 2);
    for size in SIZES {
        let mut parts = Vec::new();
        let mut query = DriftQuery {
            limit: Some(size),
            ..DriftQuery::default()
        };
        loop {
            let part = store.drifts(&query).await.unwrap();
            let Some(last) = part.last() else { break };
            query.after = Some(last.drift.id);
            parts.extend(part);
        }
        assert_eq!(parts, whole, "by {size}");
    }
    // What was dropped meanwhile took all behind it along.
    let unknown = DriftQuery {
        after: Some("0000000000000000".parse().unwrap()),
        ..DriftQuery::default()
    };
    assert_eq!(store.drifts(&unknown).await.unwrap(), []);
}
