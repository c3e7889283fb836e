//! Accounts as they were, with their verdicts.

use model::{OuPath, Reason};

use super::*;
use crate::fixture::{Folder, account_id, header, judged, summary, sweep_at};
use jiff::SignedDuration;

#[tokio::test]
async fn accounts_are_listed_as_they_were_with_what_their_findings_come_to() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let mut moved = judged(3, Reason::TrailAbsent);
    let both = [judged(2, Reason::CoveredByOwnTrail), moved.clone()];
    sweep_at(&sweeper, 0, &both, &[]).await;
    moved.account.ou_path = Some(OuPath(vec!["r-root".to_owned(), "ou-root-dev".to_owned()]));
    sweep_at(&sweeper, 1, &[both[0].clone(), moved], &[]).await;
    // A targeted sweep looks at one account alone.
    let mut narrow = header();
    narrow.started_at += SignedDuration::from_hours(2);
    narrow.scope.accounts = vec!["000000000002".to_owned()];
    let third = sweeper.begin_sweep(&narrow).await.unwrap();
    let broken = judged(2, Reason::TrailAbsent);
    sweeper.commit(third, &[broken], &[]).await.unwrap();
    sweeper.finish_sweep(third, &summary()).await.unwrap();

    let store = sweeper.store();
    let list = |query: AccountQuery| async move {
        let rows = store.accounts(&query).await.unwrap();
        let short = |row: AccountRow| {
            let counts: Vec<String> = (row.verdicts.iter())
                .map(|(verdict, count)| format!("{count} {verdict}"))
                .collect();
            let path = row.account.ou_path.unwrap_or_default();
            (
                row.account.id,
                path.0[1].clone(),
                row.since_sweep.0,
                counts.join(" "),
                row.confirmed_sweep.0,
            )
        };
        rows.into_iter().map(short).collect::<Vec<_>>()
    };
    let row = |number, path: &str, since, counts: &str, confirmed| {
        (
            account_id(number),
            path.to_owned(),
            since,
            counts.to_owned(),
            confirmed,
        )
    };
    let any = AccountQuery::default;
    assert_eq!(
        list(any()).await,
        [
            row(2, "ou-root-prod", 1, "1 FAIL", 3),
            row(3, "ou-root-dev", 2, "1 FAIL", 2)
        ]
    );
    let sweep = Some(SweepId(1));
    assert_eq!(
        list(AccountQuery { sweep, ..any() }).await,
        [
            row(2, "ou-root-prod", 1, "1 PASS", 1),
            row(3, "ou-root-prod", 1, "1 FAIL", 1)
        ]
    );
    let count = async |query| list(query).await.len();
    for (ou, expected) in [("r-root", 2), ("ou-root-dev", 1), ("ou-root-none", 0)] {
        let ou = Some(ou.to_owned());
        assert_eq!(count(AccountQuery { ou, ..any() }).await, expected);
    }
    let verdict = Some(Verdict::Pass);
    assert_eq!(count(AccountQuery { verdict, ..any() }).await, 0);
    assert_eq!(
        count(AccountQuery {
            verdict,
            sweep,
            ..any()
        })
        .await,
        1
    );
    let account = Some(account_id(3));
    assert_eq!(count(AccountQuery { account, ..any() }).await, 1);
    let limit = Some(1);
    assert_eq!(count(AccountQuery { limit, ..any() }).await, 1);
    let since = Some(narrow.started_at - SignedDuration::from_hours(1));
    assert_eq!(count(AccountQuery { since, ..any() }).await, 1);
    let control = "root-usage".parse().ok();
    assert_eq!(count(AccountQuery { control, ..any() }).await, 0);
}
