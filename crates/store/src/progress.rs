//! How far a sweep is: the accounts that it committed, for as long as it may be resumed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use model::{AccountId, GapClass, SweepHeader, SweepId, Verdict};
use sqlx::{Connection, SqliteConnection};

use crate::{Error, Sweeper, column::Columns, coverage, database, error::Cause, owner};

#[cfg(test)]
mod tests;

/// A sweep that goes on where it stopped.
#[derive(Debug, Clone, PartialEq)]
pub struct ResumedSweep {
    /// Its number, as it was.
    pub id: SweepId,
    /// The accounts that were committed before.
    pub judged: BTreeSet<AccountId>,
    /// How many findings of those have which verdict.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// How many gaps of which class they have.
    pub gaps: BTreeMap<GapClass, u64>,
    /// How many calls were sent before, as far as that was noted: a process that dies does not.
    pub api_calls: u64,
}

/// A sweep that was stopped and cannot go on any more: only the latest one can, because what is known is
/// ordered by the numbers of sweeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OvertakenSweep {
    /// The sweep.
    pub id: SweepId,
    /// The first one that began after it.
    pub by: SweepId,
}

impl Sweeper {
    /// The sweep that would go on if none had begun after it: the latest of this scope and version, unless
    /// it came to its end or began before `not_before`.
    pub async fn overtaken_sweep(
        &self,
        header: &SweepHeader,
        not_before: Timestamp,
    ) -> Result<Option<OvertakenSweep>, Error> {
        let mut writer = database::locked(&self.writer, &self.store.canonical).await;
        let read = async {
            let row = sqlx::query(
                "SELECT stopped.id, min(later.id) AS next
                 FROM (SELECT id, state, started_at FROM sweeps
                       WHERE scope = ?1 AND scanner_version = ?2 ORDER BY id DESC LIMIT 1) AS stopped
                 JOIN sweeps AS later ON later.id > stopped.id
                 WHERE stopped.state <> 'finished' AND stopped.started_at >= ?3
                 GROUP BY stopped.id",
            )
            .bind(model::canonical_json(&header.scope))
            .bind(&header.scanner_version)
            .bind(not_before.as_microsecond())
            .fetch_optional(&mut *writer)
            .await?;
            let Some(row) = row else { return Ok(None) };
            let columns = Columns::of("sweeps", &row)?;
            Ok(Some(OvertakenSweep {
                id: SweepId(columns.id()),
                by: SweepId(columns.get("next")?),
            }))
        };
        (read.await).map_err(|cause: Cause| cause.during("look up a sweep", &self.store.path))
    }

    /// Takes up the latest sweep again, if it did not come to its end, began no earlier than
    /// `not_before`, and had the same scope and the same version of the scanner.
    pub async fn resume_sweep(
        &self,
        header: &SweepHeader,
        not_before: Timestamp,
    ) -> Result<Option<ResumedSweep>, Error> {
        let mut writer = database::locked(&self.writer, &self.store.canonical).await;
        let resume = async {
            let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
            if let Err(refusal) = owner::admit(&mut transaction, header).await? {
                return Ok(Err(refusal));
            }
            let Some(resumed) = resumable(&mut transaction, header, not_before).await? else {
                return Ok(Ok(None));
            };
            sqlx::query(
                "UPDATE sweeps SET state = 'running', finished_at = NULL, discovery = NULL,
                     verdicts = NULL
                 WHERE id = ?1",
            )
            .bind(resumed.id.0)
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(Ok(Some(resumed)))
        };
        (resume.await)
            .map_err(|cause: Cause| cause.during("resume a sweep", &self.store.path))?
            .map_err(|refusal| self.other_owner(refusal))
    }
}

async fn resumable(
    connection: &mut SqliteConnection,
    header: &SweepHeader,
    not_before: Timestamp,
) -> Result<Option<ResumedSweep>, Cause> {
    let row = sqlx::query("SELECT * FROM sweeps ORDER BY id DESC LIMIT 1")
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let columns = Columns::of("sweeps", &row)?;
    if !is_same_sweep(&columns, header, not_before)? {
        return Ok(None);
    }
    let id = SweepId(columns.id());
    let judged = coverage::seen_so_far(connection, id).await?;
    // A version that kept no progress may have been there; what it saw cannot be told any more.
    if columns.count("accounts_seen")? != judged.len() as u64 {
        return Ok(None);
    }
    let api_calls = match columns.get::<Option<i64>>("api_calls")? {
        Some(_) => columns.count("api_calls")?,
        None => 0,
    };
    Ok(Some(ResumedSweep {
        id,
        judged,
        verdicts: verdicts(connection, id).await?,
        gaps: gaps(connection, id).await?,
        api_calls,
    }))
}

fn is_same_sweep(
    row: &Columns<'_>,
    header: &SweepHeader,
    not_before: Timestamp,
) -> Result<bool, Cause> {
    let is_open = matches!(row.get("state")?, "running" | "interrupted")
        && !row.get::<bool>("is_abandoned")?;
    let started_at = row.required("started_at", row.time("started_at")?)?;
    Ok(is_open
        && started_at >= not_before
        && row.get::<&str>("scanner_version")? == header.scanner_version
        && row.get::<&str>("scope")? == model::canonical_json(&header.scope))
}

/// How many findings of the accounts that this sweep committed have which verdict.
///
/// What a sweep committed is so since it did: it stands in the open rows, changed or not.
async fn verdicts(
    connection: &mut SqliteConnection,
    sweep: SweepId,
) -> Result<BTreeMap<Verdict, u64>, Cause> {
    let rows = sqlx::query(
        "SELECT findings.verdict, count(*) AS id
         FROM (SELECT DISTINCT json_each.value AS account, sweep
               FROM sweep_progress, json_each(sweep_progress.accounts)
               WHERE sweep = ?1) AS done
         JOIN findings INDEXED BY findings_open ON findings.account = done.account
         JOIN sweeps ON sweeps.id = done.sweep
         WHERE findings.valid_until IS NULL
             AND findings.control IN
                 (SELECT value FROM json_each(sweeps.scope, '$.controls'))
         GROUP BY findings.verdict",
    )
    .bind(sweep.0)
    .fetch_all(connection)
    .await?;
    (rows.iter())
        .map(|row| {
            let columns = Columns::of("findings", row)?;
            Ok((columns.parsed("verdict")?, columns.count("id")?))
        })
        .collect()
}

/// How many gaps of which class the findings of those accounts have.
async fn gaps(
    connection: &mut SqliteConnection,
    sweep: SweepId,
) -> Result<BTreeMap<GapClass, u64>, Cause> {
    #[derive(serde::Deserialize)]
    struct Gaps {
        gaps: Vec<model::Gap>,
    }
    let rows = sqlx::query(
        "SELECT documents.id, size, body, count(*) AS findings
         FROM (SELECT DISTINCT json_each.value AS account, sweep
               FROM sweep_progress, json_each(sweep_progress.accounts)
               WHERE sweep = ?1) AS done
         JOIN findings INDEXED BY findings_open ON findings.account = done.account
         JOIN sweeps ON sweeps.id = done.sweep
         JOIN documents ON documents.id = findings.detail
         WHERE findings.valid_until IS NULL AND findings.gap_samples IS NOT NULL
             AND findings.control IN
                 (SELECT value FROM json_each(sweeps.scope, '$.controls'))
         GROUP BY documents.id",
    )
    .bind(sweep.0)
    .fetch_all(connection)
    .await?;
    let mut classes = BTreeMap::new();
    for row in &rows {
        let columns = Columns::of("documents", row)?;
        let detail: Gaps = serde_json::from_str(&crate::evidence::text(&columns)?)
            .map_err(|source| columns.damaged("body", source))?;
        for gap in detail.gaps {
            *classes.entry(gap.class).or_default() += columns.count("findings")?;
        }
    }
    Ok(classes)
}

/// Notes that these accounts are done in this sweep, which has seen so many with them.
pub(crate) async fn record(
    connection: &mut SqliteConnection,
    sweep: SweepId,
    seen: i64,
    accounts: impl Iterator<Item = &AccountId>,
) -> Result<(), Cause> {
    // Twelve digits need no escape: through a JSON value this takes ten times as long, for each group.
    let accounts: Vec<String> = accounts.map(|id| format!("\"{id}\"")).collect();
    sqlx::query(
        "INSERT OR REPLACE INTO sweep_progress (sweep, seen, accounts) VALUES (?1, ?2, ?3)",
    )
    .bind(sweep.0)
    .bind(seen)
    .bind(format!("[{}]", accounts.join(",")))
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets how far sweeps are: none of them will go on.
pub(crate) async fn clear(connection: &mut SqliteConnection) -> Result<(), Cause> {
    sqlx::query("DELETE FROM sweep_progress")
        .execute(connection)
        .await?;
    Ok(())
}

/// Closes what nobody will resume: a sweep that is still under way by the books belongs to a
/// process that died, since there is one sweeper at a time.
pub(crate) async fn abandon(connection: &mut SqliteConnection) -> Result<(), Cause> {
    let dead: Vec<i64> = sqlx::query_scalar("SELECT id FROM sweeps WHERE state = 'running'")
        .fetch_all(&mut *connection)
        .await?;
    for id in dead {
        let verdicts = verdicts(connection, SweepId(id)).await?;
        coverage::record(connection, SweepId(id), false).await?;
        sqlx::query(
            "UPDATE sweeps SET state = 'interrupted', is_abandoned = 1, verdicts = ?2
             WHERE id = ?1",
        )
        .bind(id)
        .bind(model::canonical_json(&verdicts))
        .execute(&mut *connection)
        .await?;
    }
    clear(connection).await
}
