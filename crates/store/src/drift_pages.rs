//! Drifts that are asked for, a page at a time, the latest first.

use std::path::PathBuf;

use model::{DriftSide, Severity, Verdict};
use sqlx::{QueryBuilder, Sqlite, Transaction};

use crate::{
    DriftQuery, DriftRow, Error, Store, column::Columns, drifts::drift_rows, error::Cause,
    moments::sweeps_begun,
};

/// Drifts of a page.
const PAGE: u32 = 500;

/// Drifts that are read a page at a time, all as of one moment.
#[derive(Debug)]
pub struct DriftPages {
    path: PathBuf,
    query: DriftQuery,
    /// What is committed meanwhile does not show in it.
    transaction: Transaction<'static, Sqlite>,
    /// The first and the last sweep of which drifts are asked for.
    sweeps: (i64, i64),
    /// How many drifts may still come.
    left: u32,
    /// Sweep and row of the last one that was read; `None` before the first page.
    last: Option<(i64, i64)>,
    is_over: bool,
}

impl Store {
    /// Drifts, the latest first, all at once: for questions with short answers.
    #[tracing::instrument(name = "db.drift.list", skip(self))]
    pub async fn drifts(&self, query: &DriftQuery) -> Result<Vec<DriftRow>, Error> {
        let mut pages = self.drift_pages(query).await?;
        let mut rows = Vec::new();
        while let Some(page) = pages.next().await? {
            rows.extend(page);
        }
        Ok(rows)
    }

    /// Drifts, the latest first, a page at a time.
    pub async fn drift_pages(&self, query: &DriftQuery) -> Result<DriftPages, Error> {
        let begin = async {
            let mut transaction = self.readers.begin().await?;
            let (first, last) = sweeps_begun(&mut transaction, query.since, query.until).await?;
            let sweeps = (
                query.from_sweep.map_or(first, |sweep| sweep.0.max(first)),
                query.to_sweep.map_or(last, |sweep| sweep.0.min(last)),
            );
            Ok((transaction, sweeps))
        };
        let (transaction, sweeps) =
            (begin.await).map_err(|cause: Cause| cause.during("list the drifts", &self.path))?;
        Ok(DriftPages {
            path: self.path.clone(),
            query: query.clone(),
            transaction,
            sweeps,
            left: query.limit.unwrap_or(u32::MAX),
            last: None,
            is_over: false,
        })
    }
}

impl DriftPages {
    /// The next drifts; `None` when there are no more.
    pub async fn next(&mut self) -> Result<Option<Vec<DriftRow>>, Error> {
        let read = self.read().await;
        read.map_err(|cause| cause.during("list the drifts", &self.path))
    }

    async fn read(&mut self) -> Result<Option<Vec<DriftRow>>, Cause> {
        while !self.is_over && self.left > 0 {
            // What does not fit is left out below: then as many as are left may not be enough.
            let size = match self.query.verdict {
                Some(_) => PAGE,
                None => self.left.min(PAGE),
            };
            let rows = (self.select(size).build())
                .fetch_all(&mut *self.transaction)
                .await?;
            let read = u32::try_from(rows.len()).unwrap_or(u32::MAX);
            self.is_over = read < size;
            if let Some(last) = rows.last() {
                let columns = Columns::of("drifts", last)?;
                self.last = Some((columns.get("sweep")?, columns.id()));
            }
            let mut page = drift_rows(&mut self.transaction, &rows).await?;
            if let Some(verdict) = self.query.verdict {
                page.retain(|row| after(row) == Some(verdict));
            }
            page.truncate(self.left.try_into().unwrap_or(usize::MAX));
            self.left -= u32::try_from(page.len()).unwrap_or(self.left);
            if !page.is_empty() {
                return Ok(Some(page));
            }
        }
        Ok(None)
    }

    fn select(&self, size: u32) -> QueryBuilder<Sqlite> {
        let query = &self.query;
        let mut select = QueryBuilder::new(
            "SELECT drifts.*, seen.started_at AS seen_at, earlier.started_at AS last_before_at
             FROM drifts
             JOIN sweeps AS seen ON seen.id = drifts.sweep
             LEFT JOIN sweeps AS earlier ON earlier.id = drifts.last_before
             WHERE drifts.sweep BETWEEN ",
        );
        select
            .push_bind(self.sweeps.0)
            .push(" AND ")
            .push_bind(self.sweeps.1);
        if let Some(id) = query.id {
            select.push(" AND drifts.name = ").push_bind(id.to_string());
        }
        if let Some(account) = query.account {
            // A notice on several accounts names them in its body alone; there are few of those.
            select
                .push(" AND (account = ")
                .push_bind(account.to_string())
                .push(" OR account IS NULL)");
        }
        if let Some(ou) = &query.ou {
            // An interval that this very sweep ended is where the account was before.
            select
                .push(
                    " AND EXISTS (SELECT 1 FROM account_states AS hung, json_each(hung.ou_path)
                       WHERE hung.account = drifts.account AND hung.valid_from <= drifts.sweep
                           AND (hung.valid_until IS NULL OR hung.valid_until >= drifts.sweep)
                           AND value = ",
                )
                .push_bind(ou.clone())
                .push(")");
        }
        if let Some(control) = &query.control {
            select
                .push(" AND control = ")
                .push_bind(control.to_string());
        }
        if let Some(kind) = query.kind {
            select.push(" AND kind = ").push_bind(kind.code());
        }
        if let Some(severity) = query.severity {
            let words: Vec<Severity> = (Severity::ALL.iter().copied())
                .filter(|word| *word >= severity)
                .collect();
            select
                .push(" AND severity IN (SELECT value FROM json_each(")
                .push_bind(model::canonical_json(&words))
                .push("))");
        }
        if let Some(alert) = query.alert {
            select
                .push(" AND alert = (SELECT id FROM alerts WHERE name = ")
                .push_bind(alert.to_string())
                .push(")");
        }
        if let (Some(after), None) = (query.after, self.last) {
            // If it was dropped, all behind it was.
            select
                .push(
                    " AND (drifts.sweep, drifts.id) <
                         (SELECT last.sweep, last.id FROM drifts AS last WHERE last.name = ",
                )
                .push_bind(after.to_string())
                .push(")");
        }
        if let Some((sweep, id)) = self.last {
            select
                .push(" AND (drifts.sweep, drifts.id) < (")
                .push_bind(sweep)
                .push(", ")
                .push_bind(id)
                .push(")");
        }
        select
            .push(" ORDER BY drifts.sweep DESC, drifts.id DESC LIMIT ")
            .push_bind(i64::from(size));
        select
    }
}

fn after(row: &DriftRow) -> Option<Verdict> {
    match &row.drift.after {
        Some(DriftSide::Finding(finding)) => Some(finding.verdict),
        _ => None,
    }
}
