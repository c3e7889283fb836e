//! Exceptions, as the journal has them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::{Exception, ExceptionId, ExceptionSource};
use serde_json::json;

use crate::{Error, Journal, JournalKind, JournalRecord, Store, Sweeper, error::Cause};

#[cfg(test)]
mod tests;

/// An exception as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionRow {
    /// Its name.
    pub id: ExceptionId,
    /// The exception.
    pub exception: Exception,
    /// When it was added.
    pub added_at: Timestamp,
    /// When it was removed before it expired.
    pub removed_at: Option<Timestamp>,
}

impl ExceptionRow {
    /// Whether it held at this time.
    pub fn was_in_force(&self, at: Timestamp) -> bool {
        self.added_at <= at
            && self.removed_at.is_none_or(|removed| at < removed)
            && self.exception.is_in_force(at)
    }
}

impl Store {
    /// Every exception that ever was, the oldest first.
    pub async fn exceptions(&self) -> Result<Vec<ExceptionRow>, Error> {
        let added = self.journal(JournalKind::Exception, None).await?;
        let ended = self.journal(JournalKind::ExceptionEnd, None).await?;
        let mut rows: Vec<(i64, ExceptionRow)> = Vec::new();
        for record in &added {
            let row =
                row(record).map_err(|cause| cause.during("read the exceptions", &self.path))?;
            rows.push((record.id, row));
        }
        // One that was removed may be added again, and then ends anew.
        let mut ends: BTreeMap<String, Vec<&JournalRecord>> = BTreeMap::new();
        for record in &ended {
            ends.entry(record.subject.clone()).or_default().push(record);
        }
        for (number, row) in &mut rows {
            let later = ends.get(&row.id.to_string()).into_iter().flatten();
            let end = later
                .filter(|end| end.id > *number)
                .min_by_key(|end| end.id);
            row.removed_at = end.map(|end| end.recorded_at);
        }
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }
}

fn row(record: &JournalRecord) -> Result<ExceptionRow, Cause> {
    let damaged = |source: Box<dyn std::error::Error + Send + Sync>| {
        Cause::damaged("journal", "body", record.id, source)
    };
    let exception: Exception =
        serde_json::from_value(record.body.clone()).map_err(|source| damaged(source.into()))?;
    let id = (record.subject.parse()).map_err(|source: model::InvalidValue| {
        Cause::damaged("journal", "subject", record.id, source)
    })?;
    Ok(ExceptionRow {
        id,
        exception,
        added_at: record.recorded_at,
        removed_at: None,
    })
}

impl Journal {
    /// Adds an exception; `None` if the very same is in force already.
    pub async fn add_exception(
        &self,
        at: Timestamp,
        exception: &Exception,
    ) -> Result<Option<ExceptionId>, Error> {
        let id = exception.id();
        let known = self.store().exceptions().await?;
        if (known.iter()).any(|row| row.id == id && row.was_in_force(at)) {
            return Ok(None);
        }
        let body = json!(exception);
        self.record(at, JournalKind::Exception, &id.to_string(), &body)
            .await?;
        Ok(Some(id))
    }

    /// Ends an exception before it expires; `false` if none of this name is in force.
    pub async fn remove_exception(
        &self,
        at: Timestamp,
        id: ExceptionId,
        by: Option<&str>,
    ) -> Result<bool, Error> {
        let known = self.store().exceptions().await?;
        if !(known.iter()).any(|row| row.id == id && row.was_in_force(at)) {
            return Ok(false);
        }
        let body = json!({ "by": by });
        self.record(at, JournalKind::ExceptionEnd, &id.to_string(), &body)
            .await?;
        Ok(true)
    }
}

impl Sweeper {
    /// Makes the exceptions of the configuration what these are: adds new ones, and ends those that
    /// are no longer there.
    pub async fn reconcile_exceptions(
        &self,
        at: Timestamp,
        configured: &[Exception],
    ) -> Result<(), Error> {
        let known = self.store().exceptions().await?;
        let in_force: Vec<&ExceptionRow> = (known.iter())
            .filter(|row| row.exception.source == ExceptionSource::Configuration)
            .filter(|row| row.removed_at.is_none())
            .collect();
        for row in &in_force {
            if !configured.contains(&row.exception) && row.exception.is_in_force(at) {
                let body = json!({ "by": "configuration" });
                self.record_in_journal(at, JournalKind::ExceptionEnd, &row.id.to_string(), &body)
                    .await?;
            }
        }
        for exception in configured {
            if !in_force.iter().any(|row| row.exception == *exception) {
                let id = exception.id().to_string();
                self.record_in_journal(at, JournalKind::Exception, &id, &json!(exception))
                    .await?;
            }
        }
        Ok(())
    }
}
