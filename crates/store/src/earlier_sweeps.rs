//! What the sweeps before one came to, taken together.

use std::collections::BTreeSet;

use model::{ContentHash, ControlId, SweepId, SweepScope};
use sqlx::SqliteConnection;

use crate::{Error, Sweeper, column::Columns, database, error::Cause};

/// What is known from the sweeps before one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EarlierSweeps {
    /// Whether a finished one had read the whole account list and saw every account in it.
    pub knows_every_account: bool,
    /// The controls that any of them judged.
    pub controls: BTreeSet<ControlId>,
    /// The version of the scanner and the configuration of the last one.
    pub last: Option<(String, Option<ContentHash>)>,
}

impl Sweeper {
    /// What is known from the sweeps before this one.
    #[tracing::instrument(name = "db.sweep.earlier", skip_all, fields(sweep.id = sweep.0))]
    pub async fn earlier_sweeps(&self, sweep: SweepId) -> Result<EarlierSweeps, Error> {
        let mut writer = database::locked(&self.writer, &self.store.canonical).await;
        (earlier(&mut writer, sweep).await)
            .map_err(|cause: Cause| cause.during("list the sweeps", &self.store.path))
    }
}

/// What is known from the sweeps before this one.
pub(crate) async fn earlier(
    connection: &mut SqliteConnection,
    sweep: SweepId,
) -> Result<EarlierSweeps, Cause> {
    let knows_every_account = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM sweeps WHERE id < ?1 AND saw_all
             AND state = 'finished' AND json_array_length(scope, '$.accounts') = 0
             AND json_extract(discovery, '$.state') = 'complete')",
    )
    .bind(sweep.0)
    .fetch_one(&mut *connection)
    .await?;
    // There are few different scopes, however many sweeps. Nearly all have the last one's, which need
    // not be sorted.
    let scopes = sqlx::query(
        "WITH last AS (
             SELECT id, scope FROM sweeps
             WHERE id < ?1 AND accounts_seen > 0 ORDER BY id DESC LIMIT 1
         )
         SELECT id, scope FROM last
         UNION ALL
         SELECT max(id), scope FROM sweeps
         WHERE id < ?1 AND accounts_seen > 0 AND scope <> (SELECT scope FROM last)
         GROUP BY scope",
    )
    .bind(sweep.0)
    .fetch_all(&mut *connection)
    .await?;
    let mut controls = BTreeSet::new();
    for row in &scopes {
        let columns = Columns::of("sweeps", row)?;
        let scope: SweepScope = columns.required("scope", columns.json("scope")?)?;
        controls.extend(scope.controls);
    }
    let last = sqlx::query(
        "SELECT id, scanner_version, configuration FROM sweeps
         WHERE id < ?1 ORDER BY id DESC LIMIT 1",
    )
    .bind(sweep.0)
    .fetch_optional(&mut *connection)
    .await?;
    let last = match &last {
        Some(row) => {
            let columns = Columns::of("sweeps", row)?;
            Some((
                columns.get("scanner_version")?,
                columns.hash("configuration")?,
            ))
        }
        None => None,
    };
    Ok(EarlierSweeps {
        knows_every_account,
        controls,
        last,
    })
}
