//! Sweeps: begun, committed to in small groups, finished.

use std::{collections::BTreeMap, time::Instant};

use jiff::Timestamp;
use model::{
    Account, AccountId, ContentHash, DiscoveryState, Drift, Finding, Fingerprint, Organization,
    SweepHeader, SweepId, SweepScope, SweepState, SweepSummary, Verdict,
    evidence::StorableEvidence,
};
use proof::SealHash;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteRow};

use crate::{
    Error, Store, Sweeper, accounts,
    changed::Changed,
    column::Columns,
    coverage, database, drifts,
    error::Cause,
    evidence::{self, Documents},
    leaves, owner, progress, seals,
};

#[cfg(test)]
mod tests;

/// One account with everything that a sweep came to know of it.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedAccount {
    /// The account as discovery saw it.
    pub account: Account,
    /// What was read; `None` where there was nothing to look at, as in a suspended account.
    pub evidence: Option<StorableEvidence>,
    /// One finding for each control in scope.
    pub findings: Vec<Finding>,
    /// What the findings follow from, besides the account and the evidence, where they follow from that
    /// and from nothing else: where all three are as they were, so are the findings, and nobody has to
    /// look at them. `None` where that cannot be promised.
    pub basis: Option<Fingerprint>,
}

/// A sweep as it is remembered.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepRow {
    /// Its number in this store.
    pub id: SweepId,
    /// Whether it came to its end.
    pub state: SweepState,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; `None` while it runs, and for ever if its process died.
    pub finished_at: Option<Timestamp>,
    /// The account of the credentials it ran with.
    pub caller: AccountId,
    /// The version of the scanner.
    pub scanner_version: String,
    /// The configuration that it ran with, where that was noted.
    pub configuration: Option<ContentHash>,
    /// What it was meant to look at.
    pub scope: SweepScope,
    /// The organization, where it could be described.
    pub organization: Option<Organization>,
    /// Whether the account list was the whole one; `None` unless it was asked for to its end.
    pub discovery: Option<DiscoveryState>,
    /// How many findings have which verdict; empty while it runs.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// How many calls were sent to AWS, as far as that was noted; `None` if it never was.
    pub api_calls: Option<u64>,
    /// How many accounts were committed.
    pub accounts_seen: u64,
    /// How many findings were committed, changed or not.
    pub findings_seen: u64,
}

impl Sweeper {
    /// Begins a sweep, once it is sure that this store is the place for it.
    ///
    /// What was stopped before can be resumed no more; a sweep whose process died is closed as
    /// abandoned, with what it saw.
    #[tracing::instrument(name = "db.sweep.begin", skip_all)]
    pub async fn begin_sweep(&self, header: &SweepHeader) -> Result<SweepId, Error> {
        self.store.check_in_place()?;
        let mut writer = database::locked(&self.writer, &self.store.canonical).await;
        let begin = async {
            let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
            if let Err(refusal) = owner::admit(&mut transaction, header).await? {
                return Ok(Err(refusal));
            }
            progress::abandon(&mut transaction).await?;
            let organization = match &header.organization {
                Some(organization) => {
                    let text = model::canonical_json(organization);
                    let hash = ContentHash::of_text(&text);
                    let documents = Documents::from([(hash, text.as_str())]);
                    evidence::put(&mut transaction, &documents)
                        .await?
                        .get(&hash)
                        .copied()
                }
                None => None,
            };
            let id = sqlx::query_scalar(
                "INSERT INTO sweeps (state, started_at, caller, scanner_version, scope, organization,
                     configuration)
                 VALUES ('running', ?1, ?2, ?3, ?4, ?5, ?6) RETURNING id",
            )
            .bind(header.started_at.as_microsecond())
            .bind(header.caller.to_string())
            .bind(&header.scanner_version)
            .bind(model::canonical_json(&header.scope))
            .bind(organization)
            .bind(header.configuration.map(|hash| hash.as_bytes().to_vec()))
            .fetch_one(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(Ok(SweepId(id)))
        };
        let id = (begin.await)
            .map_err(|cause: Cause| cause.during("begin a sweep", &self.store.path))?
            .map_err(|refusal| self.other_owner(refusal))?;
        self.memory.lock().begin(id);
        Ok(id)
    }

    /// Records accounts in one transaction: all of them, or none.
    ///
    /// What is as it was writes nothing. Accounts and controls that are not among them keep their
    /// open rows: a sweep says nothing of what it did not look at. The drifts that follow from them
    /// are recorded with them.
    #[tracing::instrument(name = "db.sweep.commit", skip_all, fields(sweep.id = sweep.0, accounts = accounts.len()))]
    pub async fn commit(
        &self,
        sweep: SweepId,
        accounts: &[JudgedAccount],
        drifts: &[Drift],
    ) -> Result<(), Error> {
        // One that comes twice counts as it was last.
        let accounts: BTreeMap<AccountId, &JudgedAccount> = (accounts.iter())
            .map(|judged| (judged.account.id, judged))
            .collect();
        let mut writer = database::locked(&self.writer, &self.store.canonical).await;
        let begun = Instant::now();
        let commit = async {
            self.remember_leaves(&mut writer).await?;
            let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
            let findings: usize = (accounts.values())
                .map(|account| account.findings.len())
                .sum();
            let seen: Option<i64> = sqlx::query_scalar(
                "UPDATE sweeps
                 SET accounts_seen = accounts_seen + ?2, findings_seen = findings_seen + ?3
                 WHERE id = ?1 AND state = 'running' RETURNING accounts_seen",
            )
            .bind(sweep.0)
            .bind(i64::try_from(accounts.len()).unwrap_or(i64::MAX))
            .bind(i64::try_from(findings).unwrap_or(i64::MAX))
            .fetch_optional(&mut *transaction)
            .await?;
            let Some(seen) = seen else {
                return Ok(None);
            };
            let changed = Changed::of(accounts.values().copied(), &mut self.memory.lock());
            let recorded = changed
                .record(&mut transaction, sweep, &self.memory)
                .await?;
            drifts::record(&mut transaction, drifts).await?;
            progress::record(&mut transaction, sweep, seen, accounts.keys()).await?;
            transaction.commit().await?;
            Ok(Some((recorded, changed.fingerprints)))
        };
        let (recorded, fingerprints) = (commit.await)
            .map_err(|cause: Cause| cause.during("record findings", &self.store.path))?
            .ok_or_else(|| self.not_running(sweep))?;
        crate::metrics::committed(begun.elapsed());
        // Only now is it certain.
        let mut memory = self.memory.lock();
        memory.stored(recorded.leaves, recorded.documents, recorded.tags);
        memory.confirm(fingerprints);
        memory.committed(sweep, accounts.keys().copied());
        memory.end_group();
        Ok(())
    }

    /// Reads the leaves, in a transaction of its own: those that had to be made are remembered only
    /// when they are stored for certain.
    pub(crate) async fn remember_leaves(
        &self,
        connection: &mut SqliteConnection,
    ) -> Result<(), Cause> {
        if !self.memory.lock().has_leaves() {
            let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
            let known = leaves::known(&mut transaction).await?;
            let tags = accounts::known_tags(&mut transaction).await?;
            transaction.commit().await?;
            self.memory.lock().read_leaves(known, tags);
        }
        Ok(())
    }

    /// Ends a sweep, and seals it if it came to its end. One that was interrupted may still be
    /// resumed, until the next one begins.
    #[tracing::instrument(name = "db.sweep.finish", skip_all, fields(sweep.id = sweep.0))]
    pub async fn finish_sweep(
        &self,
        sweep: SweepId,
        summary: &SweepSummary,
    ) -> Result<Option<SealHash>, Error> {
        // A seal that is reported must be where it can be found.
        self.store.check_in_place()?;
        let mut writer = database::locked(&self.writer, &self.store.canonical).await;
        let finish = async {
            // A power cut must not take back what is reported from here on.
            sqlx::query("PRAGMA synchronous = FULL")
                .execute(&mut *writer)
                .await?;
            self.remember_leaves(&mut writer).await?;
            let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
            let finished = end(&mut transaction, sweep, summary).await?;
            if !finished {
                return Ok(None);
            }
            // To ask the store takes as long as fifteen commits.
            let saw_all = self.memory.lock().has_seen_all(sweep);
            coverage::record(&mut transaction, sweep, saw_all).await?;
            let mut seal = None;
            if summary.state == SweepState::Finished {
                let head = self.memory.lock().head();
                if let Some(head) = head {
                    let gaps = summary.gaps.clone();
                    seal = Some(seals::seal(&mut transaction, sweep, head, gaps).await?);
                }
            }
            if summary.state != SweepState::Interrupted {
                progress::clear(&mut transaction).await?;
            }
            transaction.commit().await?;
            Ok(Some(seal))
        };
        let finished = finish.await;
        self.memory.lock().forget_judgements();
        // Also where it failed; where even this does, later commits are slower and nothing else.
        let eased = sqlx::query("PRAGMA synchronous = NORMAL")
            .execute(&mut *writer)
            .await;
        if let Err(error) = eased {
            tracing::warn!(%error, "commits stay as slow as seals");
        }
        finished
            .map_err(|cause: Cause| cause.during("finish a sweep", &self.store.path))?
            .ok_or_else(|| self.not_running(sweep))
    }

    pub(crate) fn other_owner(&self, refusal: owner::Refusal) -> Error {
        Error::OtherOwner {
            path: self.store.path.clone(),
            owner: refusal.owner,
            sweep_of: refusal.sweep_of,
        }
    }

    fn not_running(&self, sweep: SweepId) -> Error {
        Error::SweepNotRunning {
            path: self.store.path.clone(),
            sweep,
        }
    }
}

/// Writes how a sweep ended; `false` if it is not under way.
async fn end(
    connection: &mut SqliteConnection,
    sweep: SweepId,
    summary: &SweepSummary,
) -> Result<bool, Cause> {
    let finished = sqlx::query(
        "UPDATE sweeps SET state = ?2, finished_at = ?3, discovery = ?4, verdicts = ?5,
             api_calls = ?6, is_abandoned = ?7
         WHERE id = ?1 AND state = 'running'",
    )
    .bind(sweep.0)
    .bind(state_word(summary.state))
    .bind(summary.finished_at.as_microsecond())
    .bind(summary.discovery.as_ref().map(model::canonical_json))
    .bind(model::canonical_json(&summary.verdicts))
    .bind(i64::try_from(summary.api_calls).unwrap_or(i64::MAX))
    .bind(summary.state == SweepState::Abandoned)
    .execute(connection)
    .await?;
    Ok(finished.rows_affected() == 1)
}

fn state_word(state: SweepState) -> &'static str {
    match state {
        SweepState::Running => "running",
        SweepState::Finished => "finished",
        // Told apart by a column of its own.
        SweepState::Interrupted | SweepState::Abandoned => "interrupted",
    }
}

impl Store {
    /// The sweeps, the latest first.
    #[tracing::instrument(name = "db.sweep.list", skip(self))]
    pub async fn sweeps(&self, limit: Option<u32>) -> Result<Vec<SweepRow>, Error> {
        let read = async {
            let rows = sqlx::query(
                "SELECT sweeps.*, documents.size, documents.body
                 FROM sweeps LEFT JOIN documents ON documents.id = sweeps.organization
                 ORDER BY sweeps.id DESC LIMIT ?1",
            )
            .bind(limit.map_or(-1, i64::from))
            .fetch_all(&self.readers)
            .await?;
            (rows.iter().map(sweep_row)).collect::<Result<_, Cause>>()
        };
        (read.await).map_err(|cause| cause.during("list the sweeps", &self.path))
    }

    /// One sweep.
    #[tracing::instrument(name = "db.sweep.lookup", skip(self))]
    pub async fn sweep(&self, id: SweepId) -> Result<Option<SweepRow>, Error> {
        let read = async {
            let row = sqlx::query(
                "SELECT sweeps.*, documents.size, documents.body
                 FROM sweeps LEFT JOIN documents ON documents.id = sweeps.organization
                 WHERE sweeps.id = ?1",
            )
            .bind(id.0)
            .fetch_optional(&self.readers)
            .await?;
            row.as_ref().map(sweep_row).transpose()
        };
        (read.await).map_err(|cause: Cause| cause.during("look up a sweep", &self.path))
    }

    /// The last sweep over exactly this scope that came to its end.
    #[tracing::instrument(name = "db.sweep.last_finished", skip_all)]
    pub async fn last_finished_sweep(&self, scope: &SweepScope) -> Result<Option<SweepRow>, Error> {
        let read = async {
            let row = sqlx::query(
                "SELECT sweeps.*, documents.size, documents.body
                 FROM sweeps LEFT JOIN documents ON documents.id = sweeps.organization
                 WHERE sweeps.state = 'finished' AND sweeps.scope = ?1
                 ORDER BY sweeps.id DESC LIMIT 1",
            )
            .bind(model::canonical_json(scope))
            .fetch_optional(&self.readers)
            .await?;
            row.as_ref().map(sweep_row).transpose()
        };
        (read.await).map_err(|cause: Cause| cause.during("look up a sweep", &self.path))
    }

    /// The sweep that began last, whether it ended or not.
    pub async fn latest_sweep(&self) -> Result<Option<SweepRow>, Error> {
        Ok(self.sweeps(Some(1)).await?.pop())
    }

    /// The organization, as the latest sweep that could describe it saw it.
    #[tracing::instrument(name = "db.organization.lookup", skip(self))]
    pub async fn organization(&self) -> Result<Option<Organization>, Error> {
        let read = async {
            let row = sqlx::query(
                "SELECT sweeps.*, documents.size, documents.body
                 FROM sweeps JOIN documents ON documents.id = sweeps.organization
                 ORDER BY sweeps.id DESC LIMIT 1",
            )
            .fetch_optional(&self.readers)
            .await?;
            row.as_ref().map(sweep_row).transpose()
        };
        let row = (read.await)
            .map_err(|cause: Cause| cause.during("look up the organization", &self.path))?;
        Ok(row.and_then(|row| row.organization))
    }
}

pub(crate) fn sweep_row(row: &SqliteRow) -> Result<SweepRow, Cause> {
    let columns = Columns::of("sweeps", row)?;
    let organization = match columns.get::<Option<i64>>("organization")? {
        Some(_) => {
            let text = evidence::text(&columns)?;
            let organization = serde_json::from_str(&text)
                .map_err(|source| columns.damaged("organization", source))?;
            Some(organization)
        }
        None => None,
    };
    let api_calls = match columns.get::<Option<i64>>("api_calls")? {
        Some(_) => Some(columns.count("api_calls")?),
        None => None,
    };
    let state = if columns.get("is_abandoned")? {
        SweepState::Abandoned
    } else {
        columns.variant("state")?
    };
    Ok(SweepRow {
        id: SweepId(columns.id()),
        state,
        started_at: columns.required("started_at", columns.time("started_at")?)?,
        finished_at: columns.time("finished_at")?,
        caller: columns.parsed("caller")?,
        scanner_version: columns.get("scanner_version")?,
        configuration: columns.hash("configuration")?,
        scope: columns.required("scope", columns.json("scope")?)?,
        organization,
        discovery: columns.json("discovery")?,
        verdicts: columns.json("verdicts")?.unwrap_or_default(),
        api_calls,
        accounts_seen: columns.count("accounts_seen")?,
        findings_seen: columns.count("findings_seen")?,
    })
}

/// Ends the interval of rows that are no longer so.
///
/// A row that began in this very sweep was so at no sweep's end: it is dropped, not closed. That
/// happens when an account is committed twice in a sweep.
pub(crate) async fn close_rows(
    connection: &mut SqliteConnection,
    sweep: SweepId,
    close: &'static str,
    drop: &'static str,
    rows: &[i64],
) -> Result<(), Cause> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows = model::canonical_json(rows);
    for statement in [drop, close] {
        sqlx::query(statement)
            .bind(sweep.0)
            .bind(&rows)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
