//! Verifies the whole store against its seals, and names the first thing that does not fit.
//!
//! In the order in which one thing rests on the other: documents against their names; the chain of
//! seals, with the sweeps, drifts and journal records that each is over; the leaf of each account
//! against the rows that it is made of; and the tree of leaves against each seal.

mod accounts;
mod documents;
mod sweeps;
mod tree;

#[cfg(test)]
mod tests;

use std::fmt::Display;

use model::SweepId;
use proof::{Misfit, SealHash};
use sqlx::SqliteConnection;

use crate::{Error, Store, advice, error::Cause, retention};

/// A store in which everything fits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifiedStore {
    /// The last seal: to be noted elsewhere.
    pub head: Option<SealHash>,
    /// The sweep of the last seal.
    pub head_sweep: Option<SweepId>,
    /// The first sweep that is sealed: what was no longer so by then is vouched for by nothing but its
    /// documents' names. `None`: nothing is sealed.
    pub sealed_since: Option<SweepId>,
    /// The sweep before which content was dropped: of earlier ones there are the rows and the seals.
    pub content_from: Option<SweepId>,
    /// The sweep whose seal is the one that was expected.
    pub noted_sweep: Option<SweepId>,
    /// How many seals lead from the first to the last.
    pub seals: u64,
    /// How many sweeps there are, sealed or not.
    pub sweeps: u64,
    /// How many of them finished before anything was sealed: an earlier version wrote them.
    pub earlier_sweeps: u64,
    /// How many did not come to their end, and so have no seal of their own: the next seal is over them.
    pub unfinished_sweeps: u64,
    /// How many of those came after the last seal: nothing vouches for them yet.
    pub unsealed_sweeps: u64,
    /// How many documents were read.
    pub documents: u64,
    /// How many accounts' rows were compared with their leaves.
    pub accounts: u64,
    /// How many leaves were made again.
    pub leaves: u64,
    /// How many findings they were made of, each counted for as long as it was so.
    pub findings: u64,
    /// How many drifts are sealed and there.
    pub drifts: u64,
    /// How many records of the journal are sealed.
    pub journal: u64,
    /// Drifts since the last seal: nothing vouches for them yet.
    pub unsealed_drifts: u64,
    /// Records of the journal since the last seal: nothing vouches for them yet.
    pub unsealed_journal: u64,
}

/// What ends a verification.
enum Fault {
    Misfit(Misfit),
    Cause(Cause),
}

impl From<Misfit> for Fault {
    fn from(misfit: Misfit) -> Self {
        Self::Misfit(misfit)
    }
}

impl From<Cause> for Fault {
    fn from(cause: Cause) -> Self {
        match cause {
            // A value that we cannot have written is not what was sealed.
            Cause::Damaged {
                table,
                column,
                row,
                source,
            } => {
                let place = format!("row {row} of {table}");
                let expected = format!("a readable {column}");
                Self::Misfit(Misfit::new("value", &place, &expected, &source))
            }
            Cause::Database(error) if advice::is_damage(&error) => {
                Self::Misfit(Misfit::new("file", &"the database", &"whole pages", &error))
            }
            Cause::Database(_) => Self::Cause(cause),
        }
    }
}

impl From<sqlx::Error> for Fault {
    fn from(source: sqlx::Error) -> Self {
        Cause::from(source).into()
    }
}

/// What must be equal.
fn same<T: PartialEq + Display>(
    what: &'static str,
    place: &impl Display,
    expected: &T,
    found: &T,
) -> Result<(), Misfit> {
    if expected == found {
        Ok(())
    } else {
        Err(Misfit::new(what, place, expected, found))
    }
}

impl Store {
    /// Verifies the store as it is at one moment; with `expected`, also that the head that was noted is
    /// one of its seals. What does not fit is an [`Error::Tampered`].
    ///
    /// One document, the rows of some accounts and the leaf of every account are held at a time.
    #[tracing::instrument(name = "db.verify", skip_all)]
    pub async fn verify(&self, expected: Option<SealHash>) -> Result<VerifiedStore, Error> {
        let verify = async {
            let mut transaction = self.readers.begin().await?;
            verify(&mut transaction, expected).await
        };
        verify.await.map_err(|fault: Fault| match fault {
            Fault::Misfit(misfit) => Error::Tampered {
                path: self.path.clone(),
                source: Box::new(misfit),
            },
            Fault::Cause(cause) => cause.during("verify what is", &self.path),
        })
    }
}

async fn verify(
    connection: &mut SqliteConnection,
    expected: Option<SealHash>,
) -> Result<VerifiedStore, Fault> {
    let kept = retention::kept(connection).await?;
    let mut verified = VerifiedStore {
        content_from: kept.map(|kept| kept.content_from),
        ..VerifiedStore::default()
    };
    documents::verify(connection, &mut verified).await?;
    sweeps::verify(connection, kept, expected, &mut verified).await?;
    let Some(sealed_since) = verified.sealed_since else {
        return Ok(verified);
    };
    let base = verified
        .content_from
        .map_or(sealed_since, |from| from.max(sealed_since));
    accounts::verify(connection, base, &mut verified).await?;
    tree::verify(connection, base).await?;
    Ok(verified)
}
