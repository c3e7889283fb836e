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
        // A year of sweeps is not read again for each: only the latest can still judge more.
        let before = (self.memory.lock().judged_before.clone()).filter(|(until, _)| *until < sweep);
        let (read, mut controls) = before.unwrap_or((SweepId(0), BTreeSet::new()));
        let read_on = async {
            controls.extend(controls_of(&mut writer, (read, sweep)).await?);
            beside_controls(&mut writer, sweep).await
        };
        let earlier = (read_on.await)
            .map_err(|cause: Cause| cause.during("list the sweeps", &self.store.path))?;
        self.memory.lock().judged_before = Some((SweepId(sweep.0 - 1), controls.clone()));
        Ok(EarlierSweeps {
            controls,
            ..earlier
        })
    }
}

/// What is known from the sweeps before this one.
pub(crate) async fn earlier(
    connection: &mut SqliteConnection,
    sweep: SweepId,
) -> Result<EarlierSweeps, Cause> {
    Ok(EarlierSweeps {
        controls: controls_of(connection, (SweepId(0), sweep)).await?,
        ..beside_controls(connection, sweep).await?
    })
}

/// The controls that sweeps judged after the first of these and before the second.
async fn controls_of(
    connection: &mut SqliteConnection,
    (after, before): (SweepId, SweepId),
) -> Result<BTreeSet<ControlId>, Cause> {
    // There are few different scopes, however many sweeps.
    let scopes = sqlx::query(
        "SELECT max(id) AS id, scope FROM sweeps
         WHERE id > ?1 AND id < ?2 AND accounts_seen > 0 GROUP BY scope",
    )
    .bind(after.0)
    .bind(before.0)
    .fetch_all(connection)
    .await?;
    let mut controls = BTreeSet::new();
    for row in &scopes {
        let columns = Columns::of("sweeps", row)?;
        let scope: SweepScope = columns.required("scope", columns.json("scope")?)?;
        controls.extend(scope.controls);
    }
    Ok(controls)
}

/// The same without the controls.
async fn beside_controls(
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
        controls: BTreeSet::new(),
        last,
    })
}
