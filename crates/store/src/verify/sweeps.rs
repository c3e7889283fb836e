//! The chain of seals, and the sweeps, drifts and journal records that each seal is over.

use std::collections::VecDeque;

use model::{SweepId, SweepState};
use proof::{Chain, Misfit, SealHash, SealHeader};
use serde_json::Value;
use sqlx::{SqliteConnection, sqlite::SqliteRow};

use super::{Fault, VerifiedStore, same};
use crate::{
    column::Columns,
    retention::Kept,
    sealed_header::{self, SWEEPS, SweepWithSeen, UnsealedSweeps},
    seals::{self, SealPages, SealRow},
};

/// How many sweeps are held at a time.
const SWEEPS_A_PAGE: i64 = 200;

pub(super) async fn verify(
    connection: &mut SqliteConnection,
    kept: Option<Kept>,
    expected: Option<SealHash>,
    verified: &mut VerifiedStore,
) -> Result<(), Fault> {
    let mut walk = Walk {
        kept,
        expected,
        verified,
        chain: Chain::default(),
        unsealed: UnsealedSweeps::default(),
        pages: SealPages::default(),
        seals: VecDeque::new(),
        ends: (0, 0),
        owner: owner(connection).await?,
    };
    let query = format!("{SWEEPS} WHERE sweeps.id > ?1 ORDER BY sweeps.id LIMIT ?2");
    let mut last = 0;
    if let Some(id) = first(connection, "SELECT min(id) FROM sweeps WHERE id <= 0").await? {
        return Err(surplus("sweeps", id).into());
    }
    loop {
        let rows = sqlx::query(sqlx::AssertSqlSafe(query.as_str()))
            .bind(last)
            .bind(SWEEPS_A_PAGE)
            .fetch_all(&mut *connection)
            .await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            let sweep = SweepWithSeen::of(row)?;
            // Numbers are given in a row, and never again.
            same("row", &"sweeps", &(last + 1), &sweep.row.id.0)?;
            last = sweep.row.id.0;
            walk.sweep(connection, row, &sweep).await?;
        }
    }
    same_last(connection, "sweeps", last).await?;
    walk.end(connection).await
}

/// Whose history it is.
struct Owner {
    caller: Option<String>,
    organization: Option<String>,
}

async fn owner(connection: &mut SqliteConnection) -> Result<Owner, Fault> {
    let row = sqlx::query("SELECT only_row AS id, caller, organization_id FROM owner")
        .fetch_optional(connection)
        .await?;
    Ok(match row {
        None => Owner {
            caller: None,
            organization: None,
        },
        Some(row) => {
            let columns = Columns::of("owner", &row)?;
            Owner {
                caller: columns.get("caller")?,
                organization: columns.get("organization_id")?,
            }
        }
    })
}

async fn first(
    connection: &mut SqliteConnection,
    query: &'static str,
) -> Result<Option<i64>, Fault> {
    Ok(sqlx::query_scalar(query).fetch_one(connection).await?)
}

fn surplus(table: &str, id: i64) -> Misfit {
    Misfit::new(
        "row",
        &format!("row {id} of {table}"),
        &"no such row",
        &"a row",
    )
}

/// That the last row is the last that was ever written.
async fn same_last(
    connection: &mut SqliteConnection,
    table: &'static str,
    last: i64,
) -> Result<(), Fault> {
    let written: Option<i64> =
        sqlx::query_scalar("SELECT seq FROM sqlite_sequence WHERE name = ?1")
            .bind(table)
            .fetch_optional(connection)
            .await?;
    same("last row", &table, &written.unwrap_or_default(), &last)?;
    Ok(())
}

struct Walk<'v> {
    kept: Option<Kept>,
    expected: Option<SealHash>,
    verified: &'v mut VerifiedStore,
    chain: Chain,
    unsealed: UnsealedSweeps,
    pages: SealPages,
    seals: VecDeque<SealRow>,
    /// The last rows of drifts and of the journal that are sealed.
    ends: (i64, i64),
    owner: Owner,
}

impl Walk<'_> {
    async fn sweep(
        &mut self,
        connection: &mut SqliteConnection,
        row: &SqliteRow,
        sweep: &SweepWithSeen,
    ) -> Result<(), Fault> {
        let id = sweep.row.id;
        let place = format!("row {id} of sweeps");
        canonical_columns(row, &place)?;
        if id == SweepId(1) {
            let caller = sweep.row.caller.to_string();
            let owner = self.owner.caller.clone().unwrap_or_default();
            same("caller", &"owner", &caller, &owner)?;
        }
        if let Some(organization) = &sweep.row.organization {
            let owner = self.owner.organization.clone().unwrap_or_default();
            same("organization_id", &"owner", &organization.id, &owner)?;
        }
        self.verified.sweeps += 1;
        if self.seals.is_empty() {
            self.seals.extend(self.pages.next(connection).await?);
        }
        match self.seals.front() {
            Some(seal) if seal.seal.sweep <= id => {}
            _ => {
                if sweep.row.state == SweepState::Finished && self.chain.seals() > 0 {
                    return Err(Misfit::new("seal", &place, &"one in seals", &"none").into());
                }
                self.unsealed.push(sweep);
                if sweep.row.state == SweepState::Finished {
                    self.verified.earlier_sweeps += 1;
                } else {
                    self.verified.unfinished_sweeps += 1;
                    self.verified.unsealed_sweeps += 1;
                }
                return Ok(());
            }
        }
        let Some(seal) = self.seals.pop_front() else {
            return Ok(());
        };
        same("sweep", &"seals", &id, &seal.seal.sweep)?;
        self.chain.follow(&seal.seal, &seal.header)?;
        self.header(&seal, sweep)?;
        self.batches(connection, &seal).await?;
        if self.expected == Some(seal.seal.hash) {
            self.verified.noted_sweep = Some(id);
        }
        self.verified.sealed_since.get_or_insert(id);
        self.verified.unsealed_sweeps = 0;
        self.verified.seals += 1;
        Ok(())
    }

    /// That the header says of the sweep what its row says.
    fn header(&mut self, seal: &SealRow, sweep: &SweepWithSeen) -> Result<(), Fault> {
        let id = sweep.row.id;
        let stored: SealHeader = serde_json::from_str(&seal.header).map_err(|error| {
            Misfit::new(
                "header",
                &format!("seal of sweep {id}"),
                &"a header",
                &error,
            )
        })?;
        let mut header = sealed_header::header(sweep, stored.gaps.clone())?;
        // Absent in what was sealed before it was noted.
        if stored.seen.is_none() {
            header.seen = None;
        }
        header.unsealed = std::mem::take(&mut self.unsealed).finish();
        if stored.unsealed != header.unsealed {
            let place = format!("unsealed rows of sweeps before {id}");
            let shown =
                |batch: Option<proof::BatchHash>| batch.map_or("none".to_owned(), String::from);
            let (expected, found) = (shown(stored.unsealed), shown(header.unsealed));
            return Err(Misfit::new("hash of the rows", &place, &expected, &found).into());
        }
        // What was dropped is never there again.
        header.content_from = stored.content_from;
        let (then, now) = (stored.content_from, self.verified.content_from);
        if then > now {
            let shown = |from: Option<SweepId>| from.map_or("none".to_owned(), |it| it.to_string());
            let expected = format!("{} or later", shown(then));
            return Err(Misfit::new("content_from", &"retention", &expected, &shown(now)).into());
        }
        let expected = serde_json::to_value(&stored).unwrap_or_default();
        let found = serde_json::to_value(&header).unwrap_or_default();
        compare(&expected, &found, id)?;
        Ok(())
    }

    async fn batches(
        &mut self,
        connection: &mut SqliteConnection,
        seal: &SealRow,
    ) -> Result<(), Fault> {
        let id = seal.seal.sweep;
        let dropped = self.kept.map_or(0, |kept| kept.drifts_until);
        if !(1..=dropped).contains(&seal.drifts.1) {
            end_of_batch(connection, "drifts", DRIFTS_END, seal.drifts, id).await?;
            let hash = seals::drifts_hash(connection, seal.drifts).await?;
            let place = batch_place("drifts", seal.drifts, id);
            same("hash of the records", &place, &seal.seal.drifts, &hash)?;
        }
        end_of_batch(connection, "journal", JOURNAL_END, seal.journal, id).await?;
        let hash = seals::journal_hash(connection, seal.journal).await?;
        let place = batch_place("journal", seal.journal, id);
        same("hash of the records", &place, &seal.seal.journal, &hash)?;
        self.ends = (seal.drifts.1, seal.journal.1);
        Ok(())
    }

    async fn end(mut self, connection: &mut SqliteConnection) -> Result<(), Fault> {
        if self.seals.is_empty() {
            self.seals.extend(self.pages.next(connection).await?);
        }
        if let Some(seal) = self.seals.front() {
            let place = format!("seal of sweep {}", seal.seal.sweep);
            return Err(Misfit::new("sweep", &place, &"its row in sweeps", &"none").into());
        }
        self.records(connection).await?;
        let verified = self.verified;
        verified.head = self.chain.head();
        verified.head_sweep = self.chain.last().map(|seal| seal.sweep);
        if let (Some(expected), None) = (self.expected, verified.noted_sweep) {
            let head = verified.head.map_or("no seal at all".to_owned(), |head| {
                format!("another head, {head}")
            });
            return Err(Misfit::new("noted head", &"seals", &expected, &head).into());
        }
        Ok(())
    }

    /// Drifts and records of the journal as a whole: those outside of every batch, and their JSON, which
    /// a seal has in canonical form however it is written here.
    async fn records(&mut self, connection: &mut SqliteConnection) -> Result<(), Fault> {
        for (table, query) in [
            ("drifts", "SELECT min(id) FROM drifts WHERE id <= 0"),
            ("journal", "SELECT min(id) FROM journal WHERE id <= 0"),
        ] {
            if let Some(id) = first(connection, query).await? {
                return Err(surplus(table, id).into());
            }
        }
        let count = async |connection: &mut SqliteConnection, query, after: i64| {
            let count: i64 = sqlx::query_scalar(query)
                .bind(after)
                .fetch_one(connection)
                .await?;
            Ok::<u64, Fault>(u64::try_from(count).unwrap_or_default())
        };
        let drifts = "SELECT count(*) FROM drifts WHERE id > ?1";
        let dropped = self.kept.map_or(0, |kept| kept.drifts_until);
        self.verified.unsealed_drifts = count(connection, drifts, self.ends.0).await?;
        self.verified.drifts =
            count(connection, drifts, dropped).await? - self.verified.unsealed_drifts;
        let journal = "SELECT count(*) FROM journal WHERE id > ?1";
        let records = count(connection, journal, 0).await?;
        self.verified.unsealed_journal = count(connection, journal, self.ends.1).await?;
        self.verified.journal = records - self.verified.unsealed_journal;
        let last = first(connection, "SELECT max(id) FROM journal")
            .await?
            .unwrap_or_default();
        same(
            "rows",
            &"journal",
            &u64::try_from(last).unwrap_or_default(),
            &records,
        )?;
        same_last(connection, "journal", last).await?;
        // Names are read in other spellings, too.
        let odd = "SELECT min(id) FROM drifts WHERE name GLOB '*[^0-9a-f]*'";
        if let Some(id) = first(connection, odd).await? {
            let place = format!("row {id} of drifts");
            let expected = "16 small hexadecimal digits";
            return Err(Misfit::new("name", &place, &expected, &"another name").into());
        }
        let mut last = 0;
        loop {
            let rows =
                sqlx::query("SELECT id, body FROM journal WHERE id > ?1 ORDER BY id LIMIT 500")
                    .bind(last)
                    .fetch_all(&mut *connection)
                    .await?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in &rows {
                last = Columns::of("journal", row)?.id();
                canonical_json("journal", row, "body", &format!("row {last} of journal"))?;
            }
        }
    }
}

const DRIFTS_END: &str = "SELECT max(id) FROM drifts WHERE id > ?1 AND id <= ?2";
const JOURNAL_END: &str = "SELECT max(id) FROM journal WHERE id > ?1 AND id <= ?2";

/// That a batch ends with its last row: what came later belongs to the next seal.
async fn end_of_batch(
    connection: &mut SqliteConnection,
    table: &str,
    query: &'static str,
    (after, until): (i64, i64),
    sweep: SweepId,
) -> Result<(), Fault> {
    let last: Option<i64> = sqlx::query_scalar(query)
        .bind(after)
        .bind(until)
        .fetch_one(connection)
        .await?;
    let place = batch_place(table, (after, until), sweep);
    same("last row", &place, &last.unwrap_or(after), &until)?;
    Ok(())
}

fn batch_place(table: &str, (after, until): (i64, i64), sweep: SweepId) -> String {
    if after == until {
        format!("no rows of {table}, sealed with sweep {sweep}")
    } else {
        format!(
            "rows {} to {until} of {table}, sealed with sweep {sweep}",
            after + 1
        )
    }
}

/// Names the first member of the header that the row says otherwise.
fn compare(sealed: &Value, found: &Value, sweep: SweepId) -> Result<(), Misfit> {
    let (Some(sealed), Some(row)) = (sealed.as_object(), found.as_object()) else {
        return Ok(());
    };
    for member in sealed.keys().chain(row.keys()) {
        let (expected, found) = (sealed.get(member), row.get(member));
        if expected != found {
            let place = format!("row {sweep} of sweeps, {member}");
            let shown =
                |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
            return Err(Misfit::new(
                "sealed header",
                &place,
                &shown(expected),
                &shown(found),
            ));
        }
    }
    Ok(())
}

/// That JSON is written as we write it: any other form could say one thing to us and another to
/// somebody else.
fn canonical_columns(row: &SqliteRow, place: &str) -> Result<(), Fault> {
    for column in ["scope", "discovery", "verdicts"] {
        canonical_json("sweeps", row, column, place)?;
    }
    Ok(())
}

fn canonical_json(
    table: &'static str,
    row: &SqliteRow,
    column: &'static str,
    place: &str,
) -> Result<(), Fault> {
    let columns = Columns::of(table, row)?;
    let Some(text) = columns.get::<Option<&str>>(column)? else {
        return Ok(());
    };
    let value: Value =
        serde_json::from_str(text).map_err(|source| columns.damaged(column, source))?;
    let place = format!("{place}, {column}");
    same(
        "text",
        &place,
        &model::canonical_json(&value).as_str(),
        &text,
    )?;
    Ok(())
}
