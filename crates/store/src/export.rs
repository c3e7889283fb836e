//! Writes the archive of a sweep: its seals, its accounts as they were then, and what they rest on.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
};

use model::{AccountId, ContentHash, ControlId, Drift, DriftId, SweepId, SweepState};
use proof::{
    AccountLeaf, FindingLeaf, InclusionPath, LeafHash, MerkleTree, RecordHash, SealHeader,
    archive::{ArchiveWriter, BatchRecord, Verified, WriteError, parts_of_evidence},
};
use sqlx::{QueryBuilder, SqliteConnection};

use crate::{
    Error, JournalKind, JournalRecord, Store,
    accounts::{self, AccountAt},
    column::Columns,
    drifts,
    error::Cause,
    evidence,
    finding_query::push_is_so,
    findings, journal, retention,
    seals::{SealPages, SealRow},
    sweeps,
};

#[cfg(test)]
mod tests;

/// How many accounts are held at a time.
const ACCOUNTS: usize = 200;

/// How many documents are held at a time; most have some kilobytes.
const DOCUMENTS: usize = 128;

/// Why nothing was exported, before it is known from which file.
enum Failure {
    Unknown,
    NotSealed(&'static str),
    AccountUnknown(AccountId),
    Pruned(retention::IsPruned),
    Write(WriteError),
    Cause(Cause),
}

impl From<Cause> for Failure {
    fn from(cause: Cause) -> Self {
        Self::Cause(cause)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(source: sqlx::Error) -> Self {
        Self::Cause(source.into())
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

impl Store {
    /// Writes the archive of a sweep with all its accounts, or with one.
    ///
    /// Everything comes from one moment, and is made again from the rows: what was altered since it was
    /// sealed is refused with the first thing that does not fit. The archive of one account shows nothing
    /// of the others: what concerns them is withheld, and stands in it as a hash.
    ///
    /// `out` is written to as the archive comes; where this fails, what is there is no archive.
    #[tracing::instrument(name = "db.evidence.export", skip(self, out))]
    pub async fn export(
        &self,
        sweep: SweepId,
        account: Option<AccountId>,
        out: impl Write + Send,
    ) -> Result<Verified, Error> {
        let export = async {
            let mut transaction = self.readers.begin().await?;
            Export::new(&mut transaction, sweep, account, out)
                .await?
                .write()
                .await
        };
        let path = self.path.clone();
        export.await.map_err(|failure: Failure| match failure {
            Failure::Unknown => Error::SweepUnknown { path, sweep },
            Failure::NotSealed(why) => Error::SweepNotSealed { path, sweep, why },
            Failure::AccountUnknown(account) => Error::AccountUnknown {
                path,
                account,
                sweep,
            },
            Failure::Pruned(pruned) => pruned.error(&path),
            Failure::Write(WriteError::Misfit(misfit)) => Error::Tampered {
                path,
                source: Box::new(misfit),
            },
            Failure::Write(error) => Error::Export {
                path,
                source: Box::new(error),
            },
            Failure::Cause(cause) => cause.during("export evidence", &path),
        })
    }
}

struct Export<'c, W: Write> {
    connection: &'c mut SqliteConnection,
    sweep: SweepId,
    account: Option<AccountId>,
    archive: ArchiveWriter<W>,
    sealed: Option<SealRow>,
    /// Each with the finding in which it stands, if it is no document of its own.
    documents: BTreeMap<ContentHash, Option<i64>>,
    roots: BTreeSet<ContentHash>,
}

impl<'c, W: Write + Send> Export<'c, W> {
    async fn new(
        connection: &'c mut SqliteConnection,
        sweep: SweepId,
        account: Option<AccountId>,
        out: W,
    ) -> Result<Self, Failure> {
        let row = sqlx::query(
            "SELECT sweeps.*, documents.size, documents.body,
                 EXISTS (SELECT 1 FROM seals WHERE sweep = sweeps.id) AS is_sealed
             FROM sweeps LEFT JOIN documents ON documents.id = sweeps.organization
             WHERE sweeps.id = ?1",
        )
        .bind(sweep.0)
        .fetch_optional(&mut *connection)
        .await?
        .ok_or(Failure::Unknown)?;
        if !Columns::of("sweeps", &row)?.get::<bool>("is_sealed")? {
            return Err(Failure::NotSealed(match sweeps::sweep_row(&row)?.state {
                SweepState::Running => "it is under way, or its process died",
                SweepState::Interrupted => "it was stopped before its end",
                SweepState::Abandoned => "it was abandoned before its end",
                SweepState::Finished => "an earlier version finished it, which sealed nothing",
            }));
        }
        if let Some(pruned) = retention::is_pruned(connection, Some(sweep)).await? {
            return Err(Failure::Pruned(pruned));
        }
        if let Some(account) = account {
            let name = account.to_string();
            let then = accounts::at(connection, Some(sweep), &[name.as_str()].into()).await?;
            if !then.contains_key(&account) {
                return Err(Failure::AccountUnknown(account));
            }
        }
        Ok(Self {
            connection,
            sweep,
            account,
            archive: ArchiveWriter::new(out)?,
            sealed: None,
            documents: BTreeMap::new(),
            roots: BTreeSet::new(),
        })
    }

    async fn write(mut self) -> Result<Verified, Failure> {
        self.write_seals().await?;
        match self.account {
            None => self.write_accounts().await?,
            Some(account) => self.write_account(account).await?,
        }
        self.find_parts().await?;
        self.write_documents().await?;
        self.write_drifts().await?;
        self.write_journal().await?;
        let (verified, mut out) = self.archive.finish()?;
        out.flush().map_err(WriteError::Output)?;
        Ok(verified)
    }

    async fn write_seals(&mut self) -> Result<(), Failure> {
        let mut pages = SealPages::default();
        loop {
            let page = pages.next(self.connection).await?;
            if page.is_empty() {
                return Ok(());
            }
            for row in page {
                if row.seal.sweep > self.sweep {
                    self.archive.later_seal(&row.seal, &row.header)?;
                    continue;
                }
                self.archive.seal(&row.seal, &row.header)?;
                if row.seal.sweep == self.sweep {
                    let header: SealHeader =
                        serde_json::from_str(&row.header).map_err(|source| {
                            Cause::damaged("seals", "header", self.sweep.0, source)
                        })?;
                    self.documents
                        .extend(header.organization.map(|hash| (hash, None)));
                    self.sealed = Some(row);
                }
            }
        }
    }

    async fn write_accounts(&mut self) -> Result<(), Failure> {
        let mut last = String::new();
        loop {
            let mut select = QueryBuilder::new("SELECT account FROM account_states WHERE ");
            push_is_so(&mut select, Some(self.sweep));
            select
                .push(" AND account > ")
                .push_bind(&last)
                .push(" ORDER BY account LIMIT ")
                .push_bind(i64::try_from(ACCOUNTS).unwrap_or(i64::MAX));
            let page: Vec<String> = select
                .build_query_scalar()
                .fetch_all(&mut *self.connection)
                .await?;
            let Some(end) = page.last() else {
                return Ok(());
            };
            last.clone_from(end);
            for (account, findings) in self.content(&page).await?.into_values() {
                self.write_leaf(&account, &findings, None)?;
            }
        }
    }

    async fn write_account(&mut self, id: AccountId) -> Result<(), Failure> {
        let path = (self.leaves().await?.path(id)).ok_or(Failure::AccountUnknown(id))?;
        let content = self.content(&[id.to_string()]).await?;
        for (account, findings) in content.into_values() {
            self.write_leaf(&account, &findings, Some(&path))?;
        }
        Ok(())
    }

    /// The tree as it was sealed: what its hashes stand for is made again for the one account alone.
    async fn leaves(&mut self) -> Result<MerkleTree, Failure> {
        let mut select = QueryBuilder::new("SELECT id, account, leaf FROM account_leaves WHERE ");
        push_is_so(&mut select, Some(self.sweep));
        let rows = select.build().fetch_all(&mut *self.connection).await?;
        let leaves = (rows.iter())
            .map(|row| {
                let columns = Columns::of("account_leaves", row)?;
                let leaf = columns.get::<Option<&[u8]>>("leaf")?;
                let leaf = columns.required("leaf", leaf.and_then(LeafHash::from_bytes))?;
                Ok((columns.parsed("account")?, leaf))
            })
            .collect::<Result<Vec<_>, Cause>>()?;
        Ok(MerkleTree::new(leaves))
    }

    /// These accounts as they were when the sweep ended, in the order of ids.
    async fn content(
        &mut self,
        accounts: &[String],
    ) -> Result<BTreeMap<AccountId, (AccountAt, BTreeMap<ControlId, FindingLeaf>)>, Failure> {
        let named: BTreeSet<&str> = accounts.iter().map(String::as_str).collect();
        let at = accounts::at(self.connection, Some(self.sweep), &named).await?;
        let mut content: BTreeMap<_, _> = (at.into_iter())
            .map(|(id, at)| (id, (at, BTreeMap::new())))
            .collect();
        let mut select = QueryBuilder::new(
            "SELECT findings.id, account, control, verdict, reason, link, gap_samples,
                 documents.hash
             FROM findings JOIN documents ON documents.id = findings.detail WHERE ",
        );
        push_is_so(&mut select, Some(self.sweep));
        select
            .push(" AND account IN (SELECT value FROM json_each(")
            .push_bind(model::canonical_json(&named))
            .push("))");
        for row in select.build().fetch_all(&mut *self.connection).await? {
            let (account, control, finding) = findings::open_finding(&row)?;
            self.documents.insert(finding.leaf.detail, None);
            if let Some(samples) = finding.leaf.gap_samples {
                self.documents.insert(samples, Some(finding.row));
            }
            if let Some((_, findings)) = content.get_mut(&account) {
                findings.insert(control, finding.leaf);
            }
        }
        Ok(content)
    }

    fn write_leaf(
        &mut self,
        at: &AccountAt,
        findings: &BTreeMap<ControlId, FindingLeaf>,
        path: Option<&InclusionPath>,
    ) -> Result<(), Failure> {
        if let Some(root) = at.evidence {
            self.roots.insert(root);
            self.documents.insert(root, None);
        }
        let leaf = AccountLeaf {
            account: &at.account,
            evidence: at.evidence,
            findings,
        };
        Ok(self.archive.account(&leaf, path)?)
    }

    async fn find_parts(&mut self) -> Result<(), Failure> {
        let roots: Vec<ContentHash> = std::mem::take(&mut self.roots).into_iter().collect();
        for some in roots.chunks(DOCUMENTS) {
            for (_, text) in texts(self.connection, some).await? {
                let parts = parts_of_evidence(&text).unwrap_or_default();
                self.documents
                    .extend(parts.into_iter().map(|part| (part, None)));
            }
        }
        Ok(())
    }

    async fn write_documents(&mut self) -> Result<(), Failure> {
        let documents: Vec<_> = std::mem::take(&mut self.documents).into_iter().collect();
        for some in documents.chunks(DOCUMENTS) {
            let stored: Vec<ContentHash> = (some.iter())
                .filter_map(|(hash, finding)| finding.is_none().then_some(*hash))
                .collect();
            let texts = texts(self.connection, &stored).await?;
            for (hash, finding) in some {
                match finding {
                    // One that is missing is named when the archive is ended.
                    None => {
                        if let Some(text) = texts.get(hash) {
                            self.archive.document(text)?;
                        }
                    }
                    Some(finding) => {
                        let samples: String =
                            sqlx::query_scalar("SELECT gap_samples FROM findings WHERE id = ?1")
                                .bind(finding)
                                .fetch_one(&mut *self.connection)
                                .await?;
                        self.archive.document(&samples)?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn write_drifts(&mut self) -> Result<(), Failure> {
        let Some(rows) = self.sealed.as_ref().map(|row| row.drifts) else {
            return Ok(());
        };
        for drift in drifts::between(self.connection, rows).await? {
            let text = model::canonical_json(&drift);
            self.archive
                .drift(self.shown(&text, |account| concerns(&drift, account)))?;
        }
        Ok(())
    }

    async fn write_journal(&mut self) -> Result<(), Failure> {
        let Some(rows) = self.sealed.as_ref().map(|row| row.journal) else {
            return Ok(());
        };
        for record in journal::between(self.connection, rows).await? {
            let text = model::canonical_json(&record);
            let of = self.drift_account(&record).await?;
            let record = self.shown(&text, |account| of == Some(account));
            self.archive.journal(record)?;
        }
        Ok(())
    }

    fn shown<'t>(
        &self,
        text: &'t str,
        concerns: impl FnOnce(AccountId) -> bool,
    ) -> BatchRecord<'t> {
        match self.account {
            Some(account) if !concerns(account) => {
                BatchRecord::Withheld(RecordHash::of_canonical(text))
            }
            _ => BatchRecord::Shown(text),
        }
    }

    /// The account of the drift that a record is about. An exception may name several accounts: it is of
    /// none.
    async fn drift_account(
        &mut self,
        record: &JournalRecord,
    ) -> Result<Option<AccountId>, Failure> {
        let is_of_drift = matches!(
            record.kind,
            JournalKind::Author | JournalKind::Acknowledgement
        );
        if self.account.is_none() || !is_of_drift || record.subject.parse::<DriftId>().is_err() {
            return Ok(None);
        }
        let row = sqlx::query("SELECT id, account FROM drifts WHERE name = ?1")
            .bind(&record.subject)
            .fetch_optional(&mut *self.connection)
            .await?;
        match row {
            Some(row) => Ok(Columns::of("drifts", &row)?.parsed_option("account")?),
            None => Ok(None),
        }
    }
}

/// Whether a drift is of this account alone: a notice on several names the others.
fn concerns(drift: &Drift, account: AccountId) -> bool {
    drift.account == Some(account) && drift.accounts.iter().all(|other| *other == account)
}

/// The texts of those documents that are there.
async fn texts(
    connection: &mut SqliteConnection,
    hashes: &[ContentHash],
) -> Result<BTreeMap<ContentHash, String>, Cause> {
    let rows = sqlx::query(
        "SELECT id, hash, size, body FROM documents
         WHERE hash IN (SELECT unhex(value) FROM json_each(?1))",
    )
    .bind(model::canonical_json(hashes))
    .fetch_all(connection)
    .await?;
    (rows.iter())
        .map(|row| {
            let columns = Columns::of("documents", row)?;
            let hash = columns.required("hash", columns.hash("hash")?)?;
            Ok((hash, evidence::text(&columns)?))
        })
        .collect()
}
