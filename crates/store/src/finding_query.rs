//! Findings that are asked for, a page at a time.

use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
    str::FromStr,
    sync::Arc,
};

use jiff::Timestamp;
use model::{
    Account, AccountId, ContentHash, ControlId, Finding, GapSample, Judgement, Link, Reason,
    SweepId, Verdict,
};
use serde::Deserialize;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, Transaction};

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
    /// Only what comes behind this account and control.
    pub after: Option<(AccountId, ControlId)>,
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
            last: (query.after.as_ref())
                .map(|(account, control)| (account.to_string(), control.to_string())),
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
        let rows: String = (self.select(size).build_query_scalar())
            .fetch_one(&mut *self.transaction)
            .await?;
        let rows: Vec<PageRow> = serde_json::from_str(&rows)
            .map_err(|source| Cause::damaged("findings", "id", 0, source))?;
        let Some(last) = rows.last() else {
            self.left = 0;
            return Ok(None);
        };
        self.last = Some((last.account.clone(), last.control.clone()));
        let read = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        self.left = if read < size { 0 } else { self.left - read };

        let with_chains = !self.query.without_chains;
        let details: BTreeSet<i64> = rows.iter().map(|row| row.detail).collect();
        let begun: BTreeSet<i64> = rows.iter().map(|row| row.since).collect();
        let named: BTreeSet<&str> = rows.iter().map(|row| row.account.as_str()).collect();
        (self.judgements)
            .fetch(&mut self.transaction, &details)
            .await?;
        self.fetch_started(&begun).await?;
        let accounts = accounts::at(&mut self.transaction, self.query.sweep, &named).await?;
        let page = (rows.iter())
            .map(|row| self.finding_row(row, &accounts, with_chains))
            .collect::<Result<Vec<_>, Cause>>()?;
        self.judgements.end_page();
        Ok(Some(page))
    }

    /// A page in one row: what SQLite hands over row by row and column by column takes four times as
    /// long.
    fn select(&self, size: u32) -> QueryBuilder<Sqlite> {
        let query = &self.query;
        let mut select = QueryBuilder::new(
            "SELECT json_group_array(json_array(
                 id, account, control, reason, link, detail, gap_samples, valid_from, valid_until
             ) ORDER BY account, control)
             FROM (SELECT * FROM findings ",
        );
        // Nearly all findings pass: the others are not looked for among them.
        select.push(match (query.verdict, query.account) {
            (Some(Verdict::Fail | Verdict::Unknown | Verdict::NotApplicable), None) => {
                "INDEXED BY findings_by_verdict WHERE verdict <> 'PASS' AND "
            }
            _ => "WHERE ",
        });
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
            .push_bind(i64::from(size))
            .push(")");
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
        row: &PageRow,
        accounts: &HashMap<AccountId, AccountAt>,
        with_chain: bool,
    ) -> Result<FindingRow, Cause> {
        let account: AccountId = row.parsed("account", &row.account)?;
        let at = row.required("account", accounts.get(&account))?;
        let answer = Answer {
            detail: row.detail,
            reason: row.parsed("reason", &row.reason)?,
            link: (row.link.as_ref())
                .map(|link| row.parsed("link", link))
                .transpose()?,
        };
        let mut finding = Finding {
            account,
            control: row.parsed("control", &row.control)?,
            judgement: (self.judgements)
                .of(answer, with_chain)?
                .ok_or_else(|| row.damaged("detail", "there is no such document"))?,
        };
        if let Some(samples) = &row.gap_samples {
            let samples: Vec<GapSample> = serde_json::from_str(samples)
                .map_err(|source| row.damaged("gap_samples", source))?;
            for (gap, sample) in finding.gaps.iter_mut().zip(samples) {
                gap.sample = sample;
            }
        }
        Ok(FindingRow {
            finding,
            account: Arc::clone(&at.account),
            since_sweep: SweepId(row.since),
            since: row.required("valid_from", self.started.get(&row.since).copied())?,
            until_sweep: row.until.map(SweepId),
            evidence_root: at.evidence,
        })
    }
}

/// A row of a page, as it is selected.
#[derive(Debug, Deserialize)]
struct PageRow {
    id: i64,
    account: String,
    control: String,
    reason: String,
    link: Option<String>,
    detail: i64,
    gap_samples: Option<String>,
    since: i64,
    until: Option<i64>,
}

impl PageRow {
    fn parsed<T>(&self, column: &'static str, text: &str) -> Result<T, Cause>
    where
        T: FromStr,
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        (text.parse()).map_err(|source: T::Err| self.damaged(column, source))
    }

    fn required<T>(&self, column: &'static str, value: Option<T>) -> Result<T, Cause> {
        value.ok_or_else(|| self.damaged(column, "it is empty"))
    }

    fn damaged(
        &self,
        column: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Cause {
        Cause::damaged("findings", column, self.id, source)
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

/// What a row says by itself: the document that has the rest, and why the verdict is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Answer {
    pub(crate) detail: i64,
    pub(crate) reason: Reason,
    pub(crate) link: Option<Link>,
}

/// Judgements that were read: the findings that share one in the store share it here.
#[derive(Debug, Default)]
pub(crate) struct Judgements {
    read: HashMap<Answer, ReadJudgement>,
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
        let known: BTreeSet<i64> = self.read.keys().map(|answer| answer.detail).collect();
        let unknown: BTreeSet<i64> = details.difference(&known).copied().collect();
        self.texts = evidence::texts(connection, &unknown).await?;
        Ok(())
    }

    pub(crate) fn of_row(
        &mut self,
        columns: &Columns<'_>,
        with_chain: bool,
    ) -> Result<Arc<Judgement>, Cause> {
        let answer = Answer {
            detail: columns.get("detail")?,
            reason: columns.parsed("reason")?,
            link: columns.parsed_option("link")?,
        };
        (self.of(answer, with_chain)?)
            .ok_or_else(|| columns.damaged("detail", "there is no such document"))
    }

    /// `None` where there is no such document.
    fn of(&mut self, answer: Answer, with_chain: bool) -> Result<Option<Arc<Judgement>>, Cause> {
        if let Some(known) = self.read.get_mut(&answer) {
            known.uses += 1;
            return Ok(Some(Arc::clone(&known.judgement)));
        }
        let Answer {
            detail,
            reason,
            link,
        } = answer;
        let judgement = match self.texts.get(&detail) {
            Some(text) => read_detail(text, reason, link, with_chain)
                .map_err(|source| Cause::damaged("documents", "body", detail, source))?,
            // The same document under another reason, on a page before.
            None => match self.read.iter().find(|(other, _)| other.detail == detail) {
                Some((_, other)) => Judgement {
                    reason,
                    link,
                    ..(*other.judgement).clone()
                },
                None => return Ok(None),
            },
        };
        let judgement = Arc::new(judgement);
        let read = ReadJudgement {
            judgement: Arc::clone(&judgement),
            uses: 1,
        };
        self.read.insert(answer, read);
        Ok(Some(judgement))
    }

    /// Keeps what several findings share; what was read for one alone is not asked for again.
    fn end_page(&mut self) {
        self.texts.clear();
        self.read.retain(|_, read| read.uses > 1);
    }
}
