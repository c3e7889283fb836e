//! Accounts that left: when that was noticed, and until when there is something to be told of them.

use jiff::Timestamp;
use model::{AccountId, SweepId};

use crate::{Error, Store, column::Columns, error::Cause};

/// How an account came to be known no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Departure {
    /// The sweep that no longer found it.
    pub sweep: SweepId,
    /// When that sweep began.
    pub at: Timestamp,
    /// The last sweep that has ended as of which it is known; `None` where there is none.
    pub last_known: Option<SweepId>,
}

impl Store {
    /// How the account left, if it was known and, as of this sweep or now, is known no more.
    #[tracing::instrument(name = "db.account.departure", skip(self))]
    pub async fn departure(
        &self,
        account: AccountId,
        as_of: Option<SweepId>,
    ) -> Result<Option<Departure>, Error> {
        let read = async {
            let sweep = as_of.map_or(i64::MAX, |sweep| sweep.0);
            let row = sqlx::query(
                "SELECT states.id, valid_until, gone.started_at AS gone_at,
                     (SELECT max(sweeps.id) FROM sweeps
                      WHERE sweeps.id >= valid_from AND sweeps.id < valid_until
                          AND sweeps.state <> 'running') AS last_known
                 FROM account_states AS states LEFT JOIN sweeps AS gone ON gone.id = valid_until
                 WHERE account = ?1 AND valid_from <= ?2 ORDER BY valid_from DESC LIMIT 1",
            )
            .bind(account.to_string())
            .bind(sweep)
            .fetch_optional(&self.readers)
            .await?;
            let Some(row) = row else { return Ok(None) };
            let columns = Columns::of("account_states", &row)?;
            let until = columns.get::<Option<i64>>("valid_until")?;
            let Some(until) = until.filter(|until| *until <= sweep) else {
                return Ok(None);
            };
            Ok(Some(Departure {
                sweep: SweepId(until),
                at: columns.required("valid_until", columns.time("gone_at")?)?,
                last_known: columns.get::<Option<i64>>("last_known")?.map(SweepId),
            }))
        };
        (read.await).map_err(|cause: Cause| cause.during("look up an account", &self.path))
    }
}
