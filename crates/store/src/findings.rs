//! Findings: the answer for each account and control, as intervals.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use jiff::Timestamp;
use model::{
    AccountId, AccountState, Advice, ChainNode, ContentHash, ControlId, CoveredBy, Finding, Gap,
    GapSample, NearMiss, OuPath, SweepId, Verdict,
};
use serde::{Deserialize, Serialize};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, sqlite::SqliteRow};

use crate::{
    Error, Store,
    column::Columns,
    error::Cause,
    evidence::{self, ROWS_A_STATEMENT},
    sweeps,
};

#[cfg(test)]
mod tests;

/// Which findings are asked for; what is `None` does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FindingQuery {
    /// Of this account.
    pub account: Option<AccountId>,
    /// Of this control.
    pub control: Option<ControlId>,
    /// With this verdict.
    pub verdict: Option<Verdict>,
    /// As they were after this sweep; `None`: as they are now.
    pub sweep: Option<SweepId>,
    /// No more than this many.
    pub limit: Option<u32>,
}

/// A finding as it is remembered.
#[derive(Debug, Clone, PartialEq)]
pub struct FindingRow {
    /// The finding. What AWS said to the calls behind its gaps is of the sweep in which it began.
    pub finding: Finding,
    /// The account's name at the time.
    pub account_name: String,
    /// The account's state at the time.
    pub account_state: AccountState,
    /// Where the account hung at the time.
    pub ou_path: Option<OuPath>,
    /// The first sweep that found it so.
    pub since_sweep: SweepId,
    /// When that sweep began.
    pub since: Timestamp,
    /// The first sweep that found it otherwise; `None` while it is so.
    pub until_sweep: Option<SweepId>,
    /// The account's evidence when it began to be so.
    pub evidence_root: Option<ContentHash>,
}

impl Store {
    /// Findings, by account and control.
    #[tracing::instrument(name = "db.finding.list", skip(self))]
    pub async fn findings(&self, query: &FindingQuery) -> Result<Vec<FindingRow>, Error> {
        let read = async {
            // One transaction, so that what two queries see is of one moment.
            let mut transaction = self.readers.begin().await?;
            let rows = select(query).build().fetch_all(&mut *transaction).await?;
            let details = details(&mut transaction, &rows).await?;
            transaction.commit().await?;
            (rows.iter())
                .map(|row| finding_row(row, &details))
                .collect::<Result<_, Cause>>()
        };
        (read.await).map_err(|cause| cause.during("list the findings", &self.path))
    }
}

fn select(query: &FindingQuery) -> QueryBuilder<Sqlite> {
    let mut select = QueryBuilder::new(
        "SELECT findings.id, findings.account, findings.control, findings.reason, findings.link,
             findings.detail, findings.gap_samples, findings.valid_from, findings.valid_until,
             sweeps.started_at, evidence.hash AS evidence_hash,
             account_states.name, account_states.state, account_states.ou_path
         FROM findings
         JOIN sweeps ON sweeps.id = findings.valid_from
         JOIN account_states ON account_states.account = findings.account
             AND ",
    );
    let is_so = |select: &mut QueryBuilder<Sqlite>, table: &'static str| {
        if let Some(sweep) = query.sweep {
            select
                .push(table)
                .push(".valid_from <= ")
                .push_bind(sweep.0)
                .push(" AND (")
                .push(table)
                .push(".valid_until IS NULL OR ")
                .push(table)
                .push(".valid_until > ")
                .push_bind(sweep.0)
                .push(")");
        } else {
            select.push(table).push(".valid_until IS NULL");
        }
    };
    is_so(&mut select, "account_states");
    select.push(" LEFT JOIN documents AS evidence ON evidence.id = findings.evidence WHERE ");
    is_so(&mut select, "findings");
    if let Some(account) = query.account {
        select
            .push(" AND findings.account = ")
            .push_bind(account.to_string());
    }
    if let Some(control) = &query.control {
        select
            .push(" AND findings.control = ")
            .push_bind(control.to_string());
    }
    if let Some(verdict) = query.verdict {
        select
            .push(" AND findings.verdict = ")
            .push_bind(verdict.as_str());
    }
    select
        .push(" ORDER BY findings.account, findings.control LIMIT ")
        .push_bind(query.limit.map_or(-1, i64::from));
    select
}

/// Reads each document once, however many findings share it.
async fn details(
    connection: &mut SqliteConnection,
    rows: &[SqliteRow],
) -> Result<HashMap<i64, StoredDetail>, Cause> {
    let wanted = (rows.iter())
        .map(|row| Columns::of("findings", row)?.get("detail"))
        .collect::<Result<BTreeSet<i64>, Cause>>()?;
    let texts = evidence::texts(connection, &wanted).await?;
    (texts.into_iter())
        .map(|(id, text)| {
            let detail: StoredDetail = serde_json::from_str(&text)
                .map_err(|source| Cause::damaged("documents", "body", id, source))?;
            Ok((id, detail))
        })
        .collect()
}

fn finding_row(row: &SqliteRow, details: &HashMap<i64, StoredDetail>) -> Result<FindingRow, Cause> {
    let columns = Columns::of("findings", row)?;
    let detail = columns.required("detail", details.get(&columns.get("detail")?))?;
    let mut gaps = detail.gaps.clone();
    let samples: Vec<GapSample> = columns.json("gap_samples")?.unwrap_or_default();
    for (gap, sample) in gaps.iter_mut().zip(samples) {
        gap.sample = sample;
    }
    Ok(FindingRow {
        finding: Finding {
            account: columns.parsed("account")?,
            control: columns.parsed("control")?,
            reason: columns.parsed("reason")?,
            link: columns.parsed_option("link")?,
            node: detail.node,
            message: detail.message.clone(),
            covered_by: detail.covered_by.clone(),
            advice: detail.advice.clone(),
            gaps,
            near_misses: detail.near_misses.clone(),
            chain: Arc::clone(&detail.chain),
        },
        account_name: columns.get("name")?,
        account_state: columns.variant("state")?,
        ou_path: columns.json("ou_path")?,
        since_sweep: SweepId(columns.get("valid_from")?),
        since: columns.required("started_at", columns.time("started_at")?)?,
        until_sweep: columns.get::<Option<i64>>("valid_until")?.map(SweepId),
        evidence_root: columns.hash("evidence_hash")?,
    })
}

/// The part of a finding that accounts have in common, as a document.
#[derive(Debug, Serialize)]
struct Detail<'a> {
    node: Option<usize>,
    message: &'a str,
    covered_by: Option<&'a CoveredBy>,
    advice: &'a [Advice],
    gaps: &'a [Gap],
    near_misses: &'a [NearMiss],
    chain: &'a [ChainNode],
}

/// The same, read back: the findings that share it share its chain, which is nearly all of it.
#[derive(Debug, Deserialize)]
struct StoredDetail {
    node: Option<usize>,
    message: String,
    covered_by: Option<CoveredBy>,
    advice: Vec<Advice>,
    gaps: Vec<Gap>,
    // Absent in what an earlier version stored.
    #[serde(default)]
    near_misses: Vec<NearMiss>,
    chain: Arc<[ChainNode]>,
}

/// A finding on its way into the store.
#[derive(Debug)]
pub(crate) struct Judged<'a> {
    finding: &'a Finding,
    evidence: Option<ContentHash>,
    pub(crate) detail: String,
    pub(crate) detail_hash: ContentHash,
}

impl<'a> Judged<'a> {
    pub(crate) fn new(finding: &'a Finding, evidence: Option<ContentHash>) -> Self {
        let detail = model::canonical_json(&Detail {
            node: finding.node,
            message: &finding.message,
            covered_by: finding.covered_by.as_ref(),
            advice: &finding.advice,
            gaps: &finding.gaps,
            near_misses: &finding.near_misses,
            chain: &finding.chain,
        });
        Self {
            finding,
            evidence,
            detail_hash: ContentHash::of_text(&detail),
            detail,
        }
    }

    /// What AWS said this time, in the order of the gaps; nothing where there are none.
    fn gap_samples(&self) -> Option<String> {
        let gaps = &self.finding.gaps;
        let samples: Vec<&GapSample> = gaps.iter().map(|gap| &gap.sample).collect();
        (!samples.is_empty()).then(|| model::canonical_json(&samples))
    }
}

/// The columns that make two findings of an account and control the same one.
///
/// The gaps' samples are not among them: the same call that is denied in the same way leaves the
/// row as it is, with what AWS said the first time.
#[derive(Debug, PartialEq, Eq)]
struct Identity {
    reason: String,
    link: Option<String>,
    detail: Option<i64>,
    evidence: Option<i64>,
}

/// Records what is so now: closes the rows that are no longer so and opens new ones.
pub(crate) async fn record(
    connection: &mut SqliteConnection,
    sweep: SweepId,
    judged: &[Judged<'_>],
    documents: &HashMap<ContentHash, i64>,
) -> Result<(), Cause> {
    let latest: BTreeMap<(AccountId, &ControlId), &Judged<'_>> = (judged.iter())
        .map(|judged| ((judged.finding.account, &judged.finding.control), judged))
        .collect();
    let known = open_rows(connection, latest.keys().map(|(account, _)| *account)).await?;
    let mut outdated = Vec::new();
    let mut changed = Vec::new();
    for ((account, control), judged) in latest {
        let present = Identity {
            reason: judged.finding.reason.code().to_owned(),
            link: judged.finding.link.map(|link| link.as_str().to_owned()),
            detail: documents.get(&judged.detail_hash).copied(),
            evidence: (judged.evidence).and_then(|root| documents.get(&root).copied()),
        };
        match known.get(&(account, control.clone())) {
            Some((_, before)) if *before == present => {}
            Some((row, _)) => {
                outdated.push(*row);
                changed.push((judged, present));
            }
            None => changed.push((judged, present)),
        }
    }
    sweeps::close_rows(connection, sweep, CLOSE, DROP, &outdated).await?;
    for some in changed.chunks(ROWS_A_STATEMENT) {
        QueryBuilder::<Sqlite>::new(
            "INSERT INTO findings (account, control, verdict, reason, link, detail, evidence,
                 gap_samples, valid_from) ",
        )
        .push_values(some, |mut row, (judged, present)| {
            row.push_bind(judged.finding.account.to_string())
                .push_bind(judged.finding.control.as_str())
                .push_bind(judged.finding.verdict().as_str())
                .push_bind(present.reason.as_str())
                .push_bind(present.link.as_deref())
                .push_bind(present.detail)
                .push_bind(present.evidence)
                .push_bind(judged.gap_samples())
                .push_bind(sweep.0);
        })
        .build()
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

const CLOSE: &str = "UPDATE findings SET valid_until = ?1
    WHERE valid_from < ?1 AND id IN (SELECT value FROM json_each(?2))";

const DROP: &str = "DELETE FROM findings
    WHERE valid_from = ?1 AND id IN (SELECT value FROM json_each(?2))";

/// The open rows of these accounts, of every control.
async fn open_rows(
    connection: &mut SqliteConnection,
    accounts: impl Iterator<Item = AccountId>,
) -> Result<HashMap<(AccountId, ControlId), (i64, Identity)>, Cause> {
    let accounts: BTreeSet<AccountId> = accounts.collect();
    let rows = sqlx::query(
        "SELECT id, account, control, reason, link, detail, evidence
         FROM findings INDEXED BY findings_open
         WHERE valid_until IS NULL AND account IN (SELECT value FROM json_each(?1))",
    )
    .bind(model::canonical_json(&accounts))
    .fetch_all(connection)
    .await?;
    (rows.iter())
        .map(|row| {
            let columns = Columns::of("findings", row)?;
            let key = (columns.parsed("account")?, columns.parsed("control")?);
            let identity = Identity {
                reason: columns.get("reason")?,
                link: columns.get("link")?,
                detail: columns.get("detail")?,
                evidence: columns.get("evidence")?,
            };
            Ok((key, (columns.id(), identity)))
        })
        .collect()
}
