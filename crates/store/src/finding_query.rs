//! Findings that are asked for, a page at a time.

use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
    sync::Arc,
};

use jiff::Timestamp;
use model::{
    Account, AccountId, ContentHash, ControlId, Finding, GapSample, Judgement, Link, Reason,
    SweepId, Verdict,
};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, Transaction, sqlite::SqliteRow};

use crate::{
    Error, Store,
    accounts::{self, AccountAt},
    column::Columns,
    error::Cause,
    evidence,
    findings::read_detail,
    moments::sweeps_begun,
    retention,
};

/// Findings of a page: those of some seventy accounts by fifteen controls.
const PAGE: u32 = 1000;

/// Which findings are asked for; what is `None` does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FindingQuery {
    /// Of this account.
    pub account: Option<AccountId>,
    /// Of this control.
    pub control: Option<ControlId>,
    /// With this verdict.
    pub verdict: Option<Verdict>,
    /// Of accounts that hung in this OU or root then.
    pub ou: Option<String>,
    /// That began with sweeps that began at this time or later.
    pub since: Option<Timestamp>,
    /// That began with sweeps that began at this time or before.
    pub until: Option<Timestamp>,
    /// As they were after this sweep; `None`: as they are now.
    pub sweep: Option<SweepId>,
    /// No more than this many.
    pub limit: Option<u32>,
    /// Leaves the chains out, which are most of what is read: they are then empty.
    pub without_chains: bool,
}

/// A finding as it is remembered.
#[derive(Debug, Clone, PartialEq)]
pub struct FindingRow {
    /// The finding. What AWS said to the calls behind its gaps is of the sweep in which it began.
    pub finding: Finding,
    /// The account at the time.
    pub account: Arc<Account>,
    /// The first sweep that found it so.
    pub since_sweep: SweepId,
    /// When that sweep began.
    pub since: Timestamp,
    /// The first sweep that found it otherwise; `None` while it is so.
    pub until_sweep: Option<SweepId>,
    /// The account's evidence at the time.
    pub evidence_root: Option<ContentHash>,
}

/// Findings that are read a page at a time, all as of one moment.
#[derive(Debug)]
pub struct FindingPages {
    path: PathBuf,
    query: FindingQuery,
    /// What is committed meanwhile does not show in it.
    transaction: Transaction<'static, Sqlite>,
    /// The first and the last sweep with which they may have begun.
    begun: (i64, i64),
    /// How many findings may still come.
    left: u32,
    last: Option<(String, String)>,
    judgements: Judgements,
    started: HashMap<i64, Timestamp>,
}

impl Store {
    /// Findings, by account and control, all at once: for questions with short answers.
    #[tracing::instrument(name = "db.finding.list", skip(self))]
    pub async fn findings(&self, query: &FindingQuery) -> Result<Vec<FindingRow>, Error> {
        let mut pages = self.finding_pages(query).await?;
        let mut rows = Vec::new();
        while let Some(page) = pages.next().await? {
            rows.extend(page);
        }
        Ok(rows)
    }

    /// Findings, by account and control, a page at a time.
    pub async fn finding_pages(&self, query: &FindingQuery) -> Result<FindingPages, Error> {
        let opening = async {
            let mut transaction = self.readers.begin().await?;
            // SQLite takes the picture at the first read.
            sqlx::query("SELECT 1 FROM owner")
                .execute(&mut *transaction)
                .await?;
            let is_pruned = retention::is_pruned(&mut transaction, query.sweep).await?;
            let begun = sweeps_begun(&mut transaction, query.since, query.until).await?;
            Ok((transaction, is_pruned, begun))
        };
        let (transaction, is_pruned, begun) = (opening.await)
            .map_err(|cause: Cause| cause.during("list the findings", &self.path))?;
        if let Some(pruned) = is_pruned {
            return Err(pruned.error(&self.path));
        }
        Ok(FindingPages {
            path: self.path.clone(),
            query: query.clone(),
            transaction,
            begun,
            left: query.limit.unwrap_or(u32::MAX),
            last: None,
            judgements: Judgements::default(),
            started: HashMap::new(),
        })
    }
}

impl FindingPages {
    /// The next findings; `None` when there are no more.
    pub async fn next(&mut self) -> Result<Option<Vec<FindingRow>>, Error> {
        let read = self.read().await;
        read.map_err(|cause| cause.during("list the findings", &self.path))
    }

    async fn read(&mut self) -> Result<Option<Vec<FindingRow>>, Cause> {
        let size = self.left.min(PAGE);
        if size == 0 {
            return Ok(None);
        }
        let rows = (self.select(size).build())
            .fetch_all(&mut *self.transaction)
            .await?;
        let Some(last) = rows.last() else {
            self.left = 0;
            return Ok(None);
        };
        let columns = Columns::of("findings", last)?;
        self.last = Some((columns.get("account")?, columns.get("control")?));
        let read = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        self.left = if read < size { 0 } else { self.left - read };

        let ids = |column| -> Result<BTreeSet<i64>, Cause> {
            (rows.iter())
                .map(|row| Columns::of("findings", row)?.get(column))
                .collect()
        };
        let with_chains = !self.query.without_chains;
        let (details, begun) = (ids("detail")?, ids("valid_from")?);
        (self.judgements)
            .fetch(&mut self.transaction, &details)
            .await?;
        self.fetch_started(&begun).await?;
        let named: BTreeSet<&str> = (rows.iter())
            .map(|row| Columns::of("findings", row)?.get("account"))
            .collect::<Result<_, Cause>>()?;
        let accounts = accounts::at(&mut self.transaction, self.query.sweep, &named).await?;
        let page = (rows.iter())
            .map(|row| self.finding_row(row, &accounts, with_chains))
            .collect::<Result<Vec<_>, Cause>>()?;
        self.judgements.end_page();
        Ok(Some(page))
    }

    fn select(&self, size: u32) -> QueryBuilder<Sqlite> {
        let query = &self.query;
        let mut select = QueryBuilder::new(
            "SELECT id, account, control, reason, link, detail, gap_samples, valid_from, valid_until
             FROM findings WHERE ",
        );
        push_is_so(&mut select, query.sweep);
        if let Some(account) = query.account {
            select
                .push(" AND account = ")
                .push_bind(account.to_string());
        }
        if let Some(control) = &query.control {
            select
                .push(" AND control = ")
                .push_bind(control.to_string());
        }
        if let Some(verdict) = query.verdict {
            select.push(" AND verdict = ").push_bind(verdict.as_str());
        }
        if let Some(ou) = &query.ou {
            select.push(" AND account IN (SELECT account FROM account_states WHERE ");
            push_is_so(&mut select, query.sweep);
            push_hangs_in(&mut select, ou);
            select.push(")");
        }
        if query.since.is_some() || query.until.is_some() {
            // The plus keeps SQLite from an index that has them in another order than the pages.
            select
                .push(" AND +valid_from BETWEEN ")
                .push_bind(self.begun.0)
                .push(" AND ")
                .push_bind(self.begun.1);
        }
        if let Some((account, control)) = &self.last {
            select
                .push(" AND (account, control) > (")
                .push_bind(account.clone())
                .push(", ")
                .push_bind(control.clone())
                .push(")");
        }
        select
            .push(" ORDER BY account, control LIMIT ")
            .push_bind(i64::from(size));
        select
    }

    async fn fetch_started(&mut self, sweeps: &BTreeSet<i64>) -> Result<(), Cause> {
        let unknown: Vec<i64> = (sweeps.iter().copied())
            .filter(|sweep| !self.started.contains_key(sweep))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query(
            "SELECT id, started_at FROM sweeps WHERE id IN (SELECT value FROM json_each(?1))",
        )
        .bind(model::canonical_json(&unknown))
        .fetch_all(&mut *self.transaction)
        .await?;
        for row in &rows {
            let columns = Columns::of("sweeps", row)?;
            let started = columns.required("started_at", columns.time("started_at")?)?;
            self.started.insert(columns.id(), started);
        }
        Ok(())
    }

    fn finding_row(
        &mut self,
        row: &SqliteRow,
        accounts: &HashMap<AccountId, AccountAt>,
        with_chain: bool,
    ) -> Result<FindingRow, Cause> {
        let columns = Columns::of("findings", row)?;
        let account: AccountId = columns.parsed("account")?;
        let at = columns.required("account", accounts.get(&account))?;
        let since: i64 = columns.get("valid_from")?;
        let mut finding = Finding {
            account,
            control: columns.parsed("control")?,
            judgement: self.judgements.of_row(&columns, with_chain)?,
        };
        let samples: Vec<GapSample> = columns.json("gap_samples")?.unwrap_or_default();
        if !samples.is_empty() {
            for (gap, sample) in finding.gaps.iter_mut().zip(samples) {
                gap.sample = sample;
            }
        }
        Ok(FindingRow {
            finding,
            account: Arc::clone(&at.account),
            since_sweep: SweepId(since),
            since: columns.required("valid_from", self.started.get(&since).copied())?,
            until_sweep: columns.get::<Option<i64>>("valid_until")?.map(SweepId),
            evidence_root: at.evidence,
        })
    }
}

/// Narrows to the rows that were so after this sweep, or are so now.
pub(crate) fn push_is_so(select: &mut QueryBuilder<Sqlite>, sweep: Option<SweepId>) {
    match sweep {
        Some(sweep) => select
            .push("valid_from <= ")
            .push_bind(sweep.0)
            .push(" AND (valid_until IS NULL OR valid_until > ")
            .push_bind(sweep.0)
            .push(")"),
        None => select.push("valid_until IS NULL"),
    };
}

/// Narrows the states of accounts to those in this OU or root, directly or further down.
pub(crate) fn push_hangs_in(select: &mut QueryBuilder<Sqlite>, ou: &str) {
    select
        .push(" AND EXISTS (SELECT 1 FROM json_each(ou_path) WHERE value = ")
        .push_bind(ou.to_owned())
        .push(")");
}

/// Judgements that were read: the findings that share one in the store share it here.
#[derive(Debug, Default)]
pub(crate) struct Judgements {
    read: HashMap<(i64, Reason, Option<Link>), ReadJudgement>,
    /// Of the page at hand.
    texts: HashMap<i64, String>,
}

#[derive(Debug)]
struct ReadJudgement {
    judgement: Arc<Judgement>,
    /// By how many findings.
    uses: u32,
}

impl Judgements {
    /// Reads the documents of a page that are not known from the pages before.
    pub(crate) async fn fetch(
        &mut self,
        connection: &mut SqliteConnection,
        details: &BTreeSet<i64>,
    ) -> Result<(), Cause> {
        let known: BTreeSet<i64> = self.read.keys().map(|(id, ..)| *id).collect();
        let unknown: BTreeSet<i64> = details.difference(&known).copied().collect();
        self.texts = evidence::texts(connection, &unknown).await?;
        Ok(())
    }

    pub(crate) fn of_row(
        &mut self,
        columns: &Columns<'_>,
        with_chain: bool,
    ) -> Result<Arc<Judgement>, Cause> {
        let detail: i64 = columns.get("detail")?;
        let (reason, link) = (columns.parsed("reason")?, columns.parsed_option("link")?);
        let key = (detail, reason, link);
        if let Some(known) = self.read.get_mut(&key) {
            known.uses += 1;
            return Ok(Arc::clone(&known.judgement));
        }
        let judgement = match self.texts.get(&detail) {
            Some(text) => read_detail(text, reason, link, with_chain)
                .map_err(|source| Cause::damaged("documents", "body", detail, source))?,
            // The same document under another reason, on a page before.
            None => match self.read.iter().find(|((id, ..), _)| *id == detail) {
                Some((_, other)) => Judgement {
                    reason,
                    link,
                    ..(*other.judgement).clone()
                },
                None => return Err(columns.damaged("detail", "there is no such document")),
            },
        };
        let judgement = Arc::new(judgement);
        let read = ReadJudgement {
            judgement: Arc::clone(&judgement),
            uses: 1,
        };
        self.read.insert(key, read);
        Ok(judgement)
    }

    /// Keeps what several findings share; what was read for one alone is not asked for again.
    fn end_page(&mut self) {
        self.texts.clear();
        self.read.retain(|_, read| read.uses > 1);
    }
}
