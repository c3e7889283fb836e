//! What a seal says of a sweep as a whole, from the rows of the store.
//!
//! Who seals and who verifies make the header here, so that what one writes the other expects.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::{
    AccountId, ContentHash, DiscoveryState, GapClass, Organization, SweepId, SweepScope,
    SweepState, Verdict,
};
use proof::{BatchHash, BatchHasher, SealHeader, SeenAccounts};
use serde::Serialize;
use sqlx::{SqliteConnection, sqlite::SqliteRow};

use crate::{SweepRow, column::Columns, error::Cause, retention, sweeps};

/// The rows of sweeps, with their organization and the list of the accounts that they saw.
pub(crate) const SWEEPS: &str = "SELECT sweeps.*, documents.size, documents.body,
        lists.hash AS seen_hash
    FROM sweeps
    LEFT JOIN documents ON documents.id = sweeps.organization
    LEFT JOIN documents AS lists ON lists.id = sweeps.seen";

/// A sweep's row with what it saw.
pub(crate) struct SweepWithSeen {
    pub(crate) row: SweepRow,
    pub(crate) seen: Option<SeenAccounts>,
}

impl SweepWithSeen {
    /// Reads a row of [`SWEEPS`].
    pub(crate) fn of(row: &SqliteRow) -> Result<Self, Cause> {
        let columns = Columns::of("sweeps", row)?;
        let list = columns.get::<Option<i64>>("seen")?;
        let seen = match (columns.get::<i64>("saw_all")?, list) {
            (1, None) => Some(SeenAccounts::All),
            (0, None) => None,
            (0, Some(_)) => {
                let hash = columns.required("seen", columns.hash("seen_hash")?)?;
                Some(SeenAccounts::Only(hash))
            }
            (1, Some(_)) => return Err(columns.damaged("seen", "it saw all, and has a list")),
            _ => return Err(columns.damaged("saw_all", "it is neither 0 nor 1")),
        };
        Ok(Self {
            row: sweeps::sweep_row(row)?,
            seen,
        })
    }
}

/// A sweep that has no seal, as the next seal has it.
#[derive(Serialize)]
struct UnsealedSweep<'a> {
    sweep: SweepId,
    state: SweepState,
    started_at: Timestamp,
    finished_at: Option<Timestamp>,
    caller: AccountId,
    scanner_version: &'a str,
    configuration: Option<ContentHash>,
    scope: &'a SweepScope,
    organization: Option<ContentHash>,
    discovery: Option<&'a DiscoveryState>,
    verdicts: &'a BTreeMap<Verdict, u64>,
    accounts_seen: u64,
    findings_seen: u64,
    api_calls: Option<u64>,
    seen: Option<SeenAccounts>,
}

/// The sweeps since a seal that have none.
#[derive(Debug, Clone, Default)]
pub(crate) struct UnsealedSweeps {
    batch: BatchHasher,
    sweeps: u64,
}

impl UnsealedSweeps {
    pub(crate) fn push(&mut self, sweep: &SweepWithSeen) {
        let SweepWithSeen { row, seen } = sweep;
        let record = UnsealedSweep {
            sweep: row.id,
            state: row.state,
            started_at: row.started_at,
            finished_at: row.finished_at,
            caller: row.caller,
            scanner_version: &row.scanner_version,
            configuration: row.configuration,
            scope: &row.scope,
            organization: organization(row),
            discovery: row.discovery.as_ref(),
            verdicts: &row.verdicts,
            accounts_seen: row.accounts_seen,
            findings_seen: row.findings_seen,
            api_calls: row.api_calls,
            seen: *seen,
        };
        self.batch.push(&model::canonical_json(&record));
        self.sweeps += 1;
    }

    pub(crate) fn finish(self) -> Option<BatchHash> {
        (self.sweeps > 0).then(|| self.batch.finish())
    }
}

fn organization(row: &SweepRow) -> Option<ContentHash> {
    (row.organization.as_ref()).map(ContentHash::of::<Organization>)
}

/// What the seal of a sweep says, when it is made; `since`: the sweep of the seal before.
pub(crate) async fn of(
    connection: &mut SqliteConnection,
    sweep: SweepId,
    gaps: BTreeMap<GapClass, u64>,
    since: Option<SweepId>,
) -> Result<SealHeader, Cause> {
    let query = format!("{SWEEPS} WHERE sweeps.id > ?1 AND sweeps.id <= ?2 ORDER BY sweeps.id");
    let rows = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(since.map_or(0, |sweep| sweep.0))
        .bind(sweep.0)
        .fetch_all(&mut *connection)
        .await?;
    let mut unsealed = UnsealedSweeps::default();
    let mut sealed = None;
    for row in &rows {
        let row = SweepWithSeen::of(row)?;
        if row.row.id == sweep {
            sealed = Some(row);
        } else {
            unsealed.push(&row);
        }
    }
    let sealed = sealed.ok_or_else(|| Cause::damaged("sweeps", "id", sweep.0, "it is gone"))?;
    let mut header = header(&sealed, gaps)?;
    header.unsealed = unsealed.finish();
    header.content_from = retention::content_from(connection).await?;
    Ok(header)
}

/// What the sweep's own row says of it.
pub(crate) fn header(
    sweep: &SweepWithSeen,
    gaps: BTreeMap<GapClass, u64>,
) -> Result<SealHeader, Cause> {
    let SweepWithSeen { row, seen } = sweep;
    let finished_at = row.finished_at.ok_or_else(|| {
        let why = "a finished sweep has an end";
        Cause::damaged("sweeps", "finished_at", row.id.0, why)
    })?;
    Ok(SealHeader {
        sweep: row.id,
        organization_id: row.organization.as_ref().map(|it| it.id.clone()),
        organization: organization(row),
        caller: row.caller,
        scope: row.scope.clone(),
        scanner_version: row.scanner_version.clone(),
        configuration: row.configuration,
        started_at: row.started_at,
        finished_at,
        state: row.state,
        discovery: row.discovery.clone(),
        verdicts: row.verdicts.clone(),
        gaps,
        accounts_seen: row.accounts_seen,
        findings_seen: row.findings_seen,
        api_calls: row.api_calls.unwrap_or_default(),
        seen: *seen,
        unsealed: None,
        content_from: None,
    })
}
