//! How long a large history takes. Run with `--release --run-ignored only --no-capture`.

use std::time::Instant;

use super::*;
use crate::{
    JudgedAccount, KeepFrom,
    history_fixture::{MIXED, header_at, summary_of},
};

fn of_fifteen(number: u64, reasons: [model::Reason; 2]) -> JudgedAccount {
    let mut account = judged(number, reasons);
    let finding = account.findings[1].clone();
    account.findings = (0..15)
        .map(|control| model::Finding {
            control: format!("control-{control}").parse().unwrap(),
            ..finding.clone()
        })
        .collect();
    account.findings[0].judgement = judged(number, reasons).findings[0].judgement.clone();
    account
}

#[tokio::test]
#[ignore = "takes a minute"]
async fn a_year_of_ten_thousand_accounts() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let controls: Vec<String> = (0..15)
        .map(|control| format!("control-{control}"))
        .collect();
    let controls: Vec<&str> = controls.iter().map(String::as_str).collect();
    let mut phase = Instant::now();
    let mut lap = |what: &str| {
        let took = phase.elapsed();
        phase = Instant::now();
        println(&format!("{what}: {took:?}"));
    };
    for hour in 0..8_760_u64 {
        let header = header_at(i64::try_from(hour).unwrap(), &[], &controls);
        let sweep = sweeper.begin_sweep(&header).await.unwrap();
        let seen: Vec<JudgedAccount> = if hour == 0 {
            (1..=10_000).map(|n| of_fifteen(n, ABSENT)).collect()
        } else {
            // Ten accounts change in each sweep, and change back some time later.
            let reasons = if (hour / 1_000) % 2 == 0 {
                MIXED
            } else {
                ABSENT
            };
            (0..10)
                .map(|n| of_fifteen((hour % 1_000) * 10 + n + 1, reasons))
                .collect()
        };
        for group in seen.chunks(500) {
            sweeper.commit(sweep, group, &[]).await.unwrap();
        }
        sweeper
            .finish_sweep(sweep, &summary_of(1, &seen))
            .await
            .unwrap();
    }
    lap("8,760 sweeps");
    let verified = sweeper.store().verify(None).await.unwrap();
    lap("verify");
    println(&format!("{verified:?}"));
    println(&format!(
        "{:?}",
        sweeper.store().info().await.unwrap().tables
    ));
    lap("info");
    let mut archive = Vec::new();
    sweeper
        .store()
        .export(SweepId(8_760), None, &mut archive)
        .await
        .unwrap();
    lap("export of all");
    sweeper
        .store()
        .export(SweepId(4_000), Some(account_id(77)), Vec::new())
        .await
        .unwrap();
    lap("export of one");
    proof::archive::verify(archive.as_slice(), None).unwrap();
    lap("verify the archive");
    sweeper.store().check().await.unwrap();
    lap("check");
    sweeper
        .store()
        .backup(folder.file("backup.db"))
        .await
        .unwrap();
    lap("backup");
    let pruned = sweeper
        .prune(KeepFrom::Sweep(SweepId(8_000)))
        .await
        .unwrap();
    lap("prune");
    println(&format!("{pruned:?}"));
    sweeper.compact().await.unwrap();
    lap("compact");
    sweeper.store().verify(None).await.unwrap();
    lap("verify what is left");
}

fn println(line: &str) {
    use std::io::Write;
    writeln!(std::io::stderr(), "{line}").unwrap();
}
