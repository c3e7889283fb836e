//! That the leaf of each account is what its rows make, from the base on, wherever any of them changes.

use std::collections::{BTreeMap, HashMap};

use model::{Account, AccountId, ContentHash, ControlId, Link, SweepId};
use proof::{FindingLeaf, LeafHash, Misfit};
use sqlx::{SqliteConnection, sqlite::SqliteRow};

use super::{Fault, VerifiedStore, same};
use crate::{accounts, column::Columns, findings, leaves};

/// How many accounts are held at a time.
const ACCOUNTS: i64 = 100;

/// Rows that are so at the base or later.
const STATES: &str = "SELECT id, account, name, state, ou_path, tags, valid_from, valid_until
    FROM account_states
    WHERE account IN (SELECT value FROM json_each(?1)) AND (valid_until IS NULL OR valid_until > ?2)
    ORDER BY account, valid_from, id";

const FINDINGS: &str = "SELECT findings.id, account, control, verdict, reason, link, gap_samples,
        documents.hash, valid_from, valid_until
    FROM findings LEFT JOIN documents ON documents.id = findings.detail
    WHERE account IN (SELECT value FROM json_each(?1)) AND (valid_until IS NULL OR valid_until > ?2)
    ORDER BY account, valid_from, findings.id";

const LEAVES: &str =
    "SELECT account_leaves.id, account, leaf, evidence, documents.hash, valid_from,
        valid_until
    FROM account_leaves LEFT JOIN documents ON documents.id = account_leaves.evidence
    WHERE account IN (SELECT value FROM json_each(?1)) AND (valid_until IS NULL OR valid_until > ?2)
    ORDER BY account, valid_from, account_leaves.id";

/// A row of one of the three tables, for as long as it is so.
struct Interval {
    table: &'static str,
    row: i64,
    from: i64,
    until: Option<i64>,
    of: Content,
}

enum Content {
    State(Account),
    Finding(ControlId, FindingLeaf),
    Leaf {
        leaf: Option<LeafHash>,
        evidence: Option<ContentHash>,
    },
}

impl Interval {
    fn of(table: &'static str, row: &SqliteRow, of: Content) -> Result<Self, Fault> {
        let columns = Columns::of(table, row)?;
        let from: i64 = columns.get("valid_from")?;
        // What began before the base is compared with nothing; but there is no sweep 0.
        if from < 1 {
            return Err(columns
                .damaged("valid_from", "there is no such sweep")
                .into());
        }
        Ok(Self {
            table,
            row: columns.id(),
            from,
            until: columns.get("valid_until")?,
            of,
        })
    }

    fn place(&self) -> String {
        format!("row {} of {}", self.row, self.table)
    }
}

pub(super) async fn verify(
    connection: &mut SqliteConnection,
    base: SweepId,
    verified: &mut VerifiedStore,
) -> Result<(), Fault> {
    strangers(connection).await?;
    let mut last = String::new();
    loop {
        let rows = sqlx::query(
            "SELECT rowid AS id, id AS account, first_sweep FROM accounts
             WHERE accounts.id > ?1 ORDER BY accounts.id LIMIT ?2",
        )
        .bind(&last)
        .bind(ACCOUNTS)
        .fetch_all(&mut *connection)
        .await?;
        let mut first_sweeps: BTreeMap<AccountId, i64> = BTreeMap::new();
        for row in &rows {
            let columns = Columns::of("accounts", row)?;
            columns.get::<&str>("account")?.clone_into(&mut last);
            first_sweeps.insert(columns.parsed("account")?, columns.get("first_sweep")?);
        }
        if first_sweeps.is_empty() {
            return Ok(());
        }
        let ids: Vec<AccountId> = first_sweeps.keys().copied().collect();
        let named = model::canonical_json(&ids);
        begun(connection, &named, &first_sweeps, verified.content_from).await?;
        let mut intervals = intervals(connection, &named, base.0).await?;
        for id in ids {
            let intervals = intervals.remove(&id).unwrap_or_default();
            verify_account(id, &intervals, base.0, verified)?;
        }
    }
}

/// That no row is of an account that is not in the list of accounts.
async fn strangers(connection: &mut SqliteConnection) -> Result<(), Fault> {
    let row = sqlx::query(
        "SELECT min(rows.id) AS id, rows.source, rows.account FROM (
             SELECT id, account, 'account_states' AS source FROM account_states
             UNION ALL SELECT id, account, 'findings' FROM findings
             UNION ALL SELECT id, account, 'account_leaves' FROM account_leaves
         ) AS rows
         WHERE account NOT IN (SELECT id FROM accounts) GROUP BY source, account LIMIT 1",
    )
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(()) };
    let columns = Columns::of("accounts", &row)?;
    let place = format!("row {} of {}", columns.id(), columns.get::<&str>("source")?);
    let account: &str = columns.get("account")?;
    Err(Misfit::new("account", &place, &"one that is in accounts", &account).into())
}

/// That each account was first seen when its first state began.
async fn begun(
    connection: &mut SqliteConnection,
    named: &str,
    first_sweeps: &BTreeMap<AccountId, i64>,
    content_from: Option<SweepId>,
) -> Result<(), Fault> {
    let rows = sqlx::query(
        "SELECT min(valid_from) AS id, account FROM account_states
         WHERE account IN (SELECT value FROM json_each(?1)) GROUP BY account",
    )
    .bind(named)
    .fetch_all(connection)
    .await?;
    let mut states: HashMap<AccountId, i64> = HashMap::new();
    for row in &rows {
        let columns = Columns::of("account_states", row)?;
        states.insert(columns.parsed("account")?, columns.id());
    }
    for (account, first) in first_sweeps {
        let place = format!("account {account} in accounts");
        let is_dropped = content_from.is_some_and(|from| *first <= from.0);
        match states.get(account) {
            Some(state) if is_dropped && state >= first => {}
            Some(state) => same("first_sweep", &place, state, first)?,
            None if is_dropped => {}
            None => {
                let found = "no row in account_states";
                return Err(Misfit::new("state", &place, &"one", &found).into());
            }
        }
    }
    Ok(())
}

async fn intervals(
    connection: &mut SqliteConnection,
    named: &str,
    base: i64,
) -> Result<HashMap<AccountId, Vec<Interval>>, Fault> {
    let mut intervals: HashMap<AccountId, Vec<Interval>> = HashMap::new();
    for table in ["account_states", "findings", "account_leaves"] {
        let query = match table {
            "account_states" => STATES,
            "findings" => FINDINGS,
            _ => LEAVES,
        };
        let rows = sqlx::query(query)
            .bind(named)
            .bind(base)
            .fetch_all(&mut *connection)
            .await?;
        for row in &rows {
            let (account, content) = match table {
                "account_states" => state(row)?,
                "findings" => finding(row)?,
                _ => leaf(row)?,
            };
            let interval = Interval::of(table, row, content)?;
            intervals.entry(account).or_default().push(interval);
        }
    }
    Ok(intervals)
}

fn state(row: &SqliteRow) -> Result<(AccountId, Content), Fault> {
    let account = accounts::account(row)?;
    let columns = Columns::of("account_states", row)?;
    let place = format!("row {} of account_states", columns.id());
    if let Some(text) = columns.get::<Option<&str>>("ou_path")? {
        let canonical = model::canonical_json(&account.ou_path);
        same("ou_path", &place, &canonical.as_str(), &text)?;
    }
    if let Some(text) = columns.get::<Option<&str>>("tags")? {
        let canonical = model::canonical_json(&account.tags);
        same("tags", &place, &canonical.as_str(), &text)?;
    }
    Ok((account.id, Content::State(account)))
}

fn finding(row: &SqliteRow) -> Result<(AccountId, Content), Fault> {
    let (account, control, finding) = findings::open_finding(row)?;
    let place = format!("row {} of findings", finding.row);
    let leaf = finding.leaf;
    same("verdict", &place, &leaf.reason.verdict(), &leaf.verdict)?;
    // Words are read in other spellings, too.
    let columns = Columns::of("findings", row)?;
    same(
        "reason",
        &place,
        &leaf.reason.code(),
        &columns.get("reason")?,
    )?;
    let link = columns.get::<Option<&str>>("link")?.unwrap_or("none");
    same(
        "link",
        &place,
        &leaf.link.map_or("none", Link::as_str),
        &link,
    )?;
    same(
        "control",
        &place,
        &control.as_str(),
        &columns.get("control")?,
    )?;
    Ok((account, Content::Finding(control, leaf)))
}

fn leaf(row: &SqliteRow) -> Result<(AccountId, Content), Fault> {
    let columns = Columns::of("account_leaves", row)?;
    let leaf = match columns.get::<Option<&[u8]>>("leaf")? {
        None => None,
        Some(bytes) => Some(columns.required("leaf", LeafHash::from_bytes(bytes))?),
    };
    let evidence = match columns.get::<Option<i64>>("evidence")? {
        None => None,
        Some(_) => Some(columns.required("evidence", columns.hash("hash")?)?),
    };
    Ok((columns.parsed("account")?, Content::Leaf { leaf, evidence }))
}

/// What is so of an account at a time.
#[derive(Default)]
struct Now<'r> {
    state: Option<(&'r Interval, &'r Account)>,
    leaf: Option<(&'r Interval, Option<LeafHash>, Option<ContentHash>)>,
    findings: BTreeMap<ControlId, FindingLeaf>,
    rows: BTreeMap<ControlId, &'r Interval>,
}

/// Goes from change to change and makes the leaf again at each.
fn verify_account(
    id: AccountId,
    intervals: &[Interval],
    base: i64,
    verified: &mut VerifiedStore,
) -> Result<(), Fault> {
    // Of each sweep: what ends with it, and what begins.
    let mut changes: BTreeMap<i64, (Vec<&Interval>, Vec<&Interval>)> = BTreeMap::new();
    for interval in intervals {
        let begins = changes.entry(interval.from.max(base)).or_default();
        begins.1.push(interval);
        if let Some(until) = interval.until {
            changes.entry(until).or_default().0.push(interval);
        }
        if matches!(interval.of, Content::Finding(..)) {
            verified.findings += 1;
        }
    }
    let mut now = Now::default();
    for (sweep, (ended, begun)) in changes {
        for interval in &ended {
            now.end(interval);
        }
        for interval in &begun {
            now.begin(interval)?;
        }
        // Only what changed beside its leaf needs a name: the leaf itself is compared below.
        let cause = (ended.iter().chain(&begun))
            .find(|interval| !matches!(interval.of, Content::Leaf { .. }));
        now.verify(id, sweep, base, cause.copied())?;
        verified.leaves += u64::from(now.leaf.is_some());
    }
    verified.accounts += 1;
    Ok(())
}

impl<'r> Now<'r> {
    fn end(&mut self, interval: &'r Interval) {
        match &interval.of {
            Content::State(_) => self.state = None,
            Content::Leaf { .. } => self.leaf = None,
            Content::Finding(control, _) => {
                self.findings.remove(control);
                self.rows.remove(control);
            }
        }
    }

    fn begin(&mut self, interval: &'r Interval) -> Result<(), Misfit> {
        let before = match &interval.of {
            Content::State(account) => {
                (self.state.replace((interval, account))).map(|(before, _)| before)
            }
            Content::Leaf { leaf, evidence } => {
                (self.leaf.replace((interval, *leaf, *evidence))).map(|(before, ..)| before)
            }
            Content::Finding(control, leaf) => {
                self.findings.insert(control.clone(), *leaf);
                self.rows.insert(control.clone(), interval)
            }
        };
        before.map_or(Ok(()), |before| {
            let expected = format!(
                "{} to have ended by sweep {}",
                before.place(),
                interval.from
            );
            Err(Misfit::new(
                "interval",
                &interval.place(),
                &expected,
                &"both",
            ))
        })
    }

    fn verify(
        &self,
        id: AccountId,
        sweep: i64,
        base: i64,
        cause: Option<&Interval>,
    ) -> Result<(), Misfit> {
        let (interval, leaf, evidence) = match (&self.state, &self.leaf) {
            (None, None) => {
                return match self.rows.values().next() {
                    None => Ok(()),
                    Some(row) => {
                        let expected = format!("the state of account {id} at sweep {sweep}");
                        Err(Misfit::new("interval", &row.place(), &expected, &"none"))
                    }
                };
            }
            // What an earlier version knew of an account that no sweep of ours has seen.
            (Some(_), None) if sweep == base && self.rows.is_empty() => return Ok(()),
            (Some((state, _)), None) => {
                let place = cause.unwrap_or(state).place();
                let expected = format!("a leaf of account {id} at sweep {sweep}");
                return Err(Misfit::new("interval", &place, &expected, &"none"));
            }
            (None, Some((leaf, ..))) => {
                let expected = format!("the state of account {id} at sweep {sweep}");
                return Err(Misfit::new("interval", &leaf.place(), &expected, &"none"));
            }
            (Some(_), Some(leaf)) => *leaf,
        };
        if sweep > base && interval.from != sweep {
            let place = cause.unwrap_or(interval).place();
            let expected = format!("a leaf of account {id} that begins with sweep {sweep}");
            let found = format!(
                "{} that begins with sweep {}",
                interval.place(),
                interval.from
            );
            return Err(Misfit::new("interval", &place, &expected, &found));
        }
        let Some((_, account)) = self.state else {
            return Ok(());
        };
        let made = leaves::leaf(account, evidence, &self.findings);
        let place = format!(
            "account {id} from sweep {}, {}: its leaf over account_states and findings",
            interval.from,
            interval.place()
        );
        let kept = leaf.map_or("none".to_owned(), String::from);
        same("leaf", &place, &kept, &String::from(made))
    }
}
