//! Accounts as they were remembered before a sweep looked at them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::{
    AccountId, ContentHash, ControlId, Finding, RememberedAccount, RememberedFinding, SeenFinding,
    SweepId, Verdict,
};
use sqlx::{SqliteConnection, sqlite::SqliteRow};

use crate::{
    Error, JudgedAccount, Sweeper, accounts, changed::Changed, column::Columns, coverage::LastSeen,
    database, error::Cause, finding_query::Judgements,
};

/// A finding as an interval.
struct Interval {
    control: ControlId,
    verdict: Verdict,
    since: SweepId,
    until: Option<SweepId>,
    finding: Finding,
}

impl Sweeper {
    /// Those of the accounts that are not as they were, and what was known of each before this
    /// sweep; `None` for one of which nothing was known.
    ///
    /// What this very sweep committed of them before counts as not yet seen.
    #[tracing::instrument(name = "db.account.remembered", skip_all, fields(sweep.id = sweep.0))]
    pub async fn changed(
        &self,
        sweep: SweepId,
        judged: &[JudgedAccount],
    ) -> Result<BTreeMap<AccountId, Option<RememberedAccount>>, Error> {
        // Nearly always nothing is otherwise, and the database need not be asked.
        if self.memory.lock().has_leaves() && self.not_as_they_were(judged).is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut writer = database::locked(&self.writer, &self.store.canonical).await;
        let read = async {
            self.remember_leaves(&mut writer).await?;
            let changed = self.not_as_they_were(judged);
            let mut known = remembered(&mut writer, sweep, &changed).await?;
            Ok((changed.into_iter())
                .map(|id| (id, known.remove(&id)))
                .collect())
        };
        (read.await)
            .map_err(|cause: Cause| cause.during("read what is remembered", &self.store.path))
    }

    fn not_as_they_were(&self, judged: &[JudgedAccount]) -> Vec<AccountId> {
        let mut known = self.memory.lock();
        known.end_group();
        Changed::of(judged.iter(), &mut known).ids()
    }

    /// What was known of these accounts before this sweep.
    #[tracing::instrument(name = "db.account.remembered", skip_all, fields(sweep.id = sweep.0))]
    pub async fn remembered(
        &self,
        sweep: SweepId,
        accounts: &[AccountId],
    ) -> Result<HashMap<AccountId, RememberedAccount>, Error> {
        let mut writer = database::locked(&self.writer, &self.store.canonical).await;
        (remembered(&mut writer, sweep, accounts).await)
            .map_err(|cause: Cause| cause.during("read what is remembered", &self.store.path))
    }
}

/// What was known of these accounts before this sweep.
pub(crate) async fn remembered(
    connection: &mut SqliteConnection,
    sweep: SweepId,
    ids: &[AccountId],
) -> Result<HashMap<AccountId, RememberedAccount>, Cause> {
    let before = SweepId(sweep.0 - 1);
    let named: BTreeSet<String> = ids.iter().map(ToString::to_string).collect();
    let named: BTreeSet<&str> = named.iter().map(String::as_str).collect();
    let states = accounts::at(connection, Some(before), &named).await?;
    let intervals = intervals(connection, sweep, &named).await?;
    let mut last_seen = LastSeen::before(sweep);
    let mut known: HashMap<AccountId, RememberedAccount> = (states.into_iter())
        .map(|(id, at)| {
            let account = RememberedAccount {
                account: (*at.account).clone(),
                findings: BTreeMap::new(),
            };
            (id, account)
        })
        .collect();
    let evidence = evidence_intervals(connection, &named).await?;
    for (id, intervals) in intervals {
        let Some(account) = known.get_mut(&id) else {
            continue;
        };
        for interval in intervals {
            // An interval ends with the first sweep that saw it otherwise.
            let until = interval.until.map_or(sweep, |until| until.min(sweep));
            let span = (interval.since, until);
            let confirmed = (last_seen.of(connection, id, &interval.control, span)).await?;
            let seen = SeenFinding {
                finding: interval.finding,
                evidence: at(&evidence, id, confirmed),
                since: interval.since,
                confirmed,
            };
            // The latest comes first; behind an UNKNOWN stands what was known before it.
            match account.findings.get_mut(&interval.control) {
                None => {
                    let finding = RememberedFinding {
                        latest: seen,
                        before_unknown: None,
                    };
                    account.findings.insert(interval.control, finding);
                }
                Some(finding) if interval.verdict != Verdict::Unknown => {
                    finding.before_unknown.get_or_insert(seen);
                }
                Some(_) => {}
            }
        }
    }
    Ok(known)
}

/// For each control the interval that was open before this sweep, the latest first; where that is an
/// UNKNOWN, also the last one before it that was not.
async fn intervals(
    connection: &mut SqliteConnection,
    sweep: SweepId,
    named: &BTreeSet<&str>,
) -> Result<HashMap<AccountId, Vec<Interval>>, Cause> {
    let rows = sqlx::query(
        "WITH was AS (
             SELECT * FROM findings
             WHERE account IN (SELECT value FROM json_each(?1)) AND valid_from < ?2
                 AND (valid_until IS NULL OR valid_until >= ?2)
         )
         SELECT * FROM was
         UNION ALL
         SELECT known.* FROM was JOIN findings AS known ON known.id = (
             SELECT id FROM findings
             WHERE account = was.account AND control = was.control
                 AND valid_from < was.valid_from AND verdict <> 'UNKNOWN'
             ORDER BY valid_from DESC LIMIT 1
         )
         WHERE was.verdict = 'UNKNOWN'
         ORDER BY account, control, valid_from DESC",
    )
    .bind(model::canonical_json(named))
    .bind(sweep.0)
    .fetch_all(&mut *connection)
    .await?;
    let details: BTreeSet<i64> = (rows.iter())
        .map(|row| Columns::of("findings", row)?.get("detail"))
        .collect::<Result<_, Cause>>()?;
    let mut judgements = Judgements::default();
    judgements.fetch(connection, &details).await?;
    let mut intervals: HashMap<AccountId, Vec<Interval>> = HashMap::new();
    for row in &rows {
        let (account, interval) = interval(row, &mut judgements)?;
        intervals.entry(account).or_default().push(interval);
    }
    Ok(intervals)
}

fn interval(row: &SqliteRow, judgements: &mut Judgements) -> Result<(AccountId, Interval), Cause> {
    let columns = Columns::of("findings", row)?;
    let account = columns.parsed("account")?;
    let control: ControlId = columns.parsed("control")?;
    let finding = Finding {
        account,
        control: control.clone(),
        judgement: judgements.of_row(&columns, true)?,
    };
    let interval = Interval {
        control,
        verdict: finding.verdict(),
        since: SweepId(columns.get("valid_from")?),
        until: columns.get::<Option<i64>>("valid_until")?.map(SweepId),
        finding,
    };
    Ok((account, interval))
}

/// The evidence of an account from a sweep on, the latest first.
type Evidence = HashMap<AccountId, Vec<(SweepId, Option<ContentHash>)>>;

async fn evidence_intervals(
    connection: &mut SqliteConnection,
    named: &BTreeSet<&str>,
) -> Result<Evidence, Cause> {
    let rows = sqlx::query(
        "SELECT account_leaves.id, account, valid_from, hash
         FROM account_leaves LEFT JOIN documents ON documents.id = evidence
         WHERE account IN (SELECT value FROM json_each(?1))
         ORDER BY account, valid_from DESC",
    )
    .bind(model::canonical_json(named))
    .fetch_all(connection)
    .await?;
    let mut evidence = Evidence::new();
    for row in &rows {
        let columns = Columns::of("account_leaves", row)?;
        let since = SweepId(columns.get("valid_from")?);
        (evidence.entry(columns.parsed("account")?).or_default())
            .push((since, columns.hash("hash")?));
    }
    Ok(evidence)
}

fn at(evidence: &Evidence, account: AccountId, sweep: SweepId) -> Option<ContentHash> {
    let intervals = evidence.get(&account)?;
    let (_, root) = intervals.iter().find(|(since, _)| *since <= sweep)?;
    *root
}
