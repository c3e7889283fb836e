//! Findings: the answer for each account and control, as intervals.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use model::{
    AccountId, Advice, ChainNode, ContentHash, ControlId, CoveredBy, Finding, Gap, GapSample,
    Judgement, Link, NearMiss, Reason, SweepId,
};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, sqlite::SqliteRow};

use proof::FindingLeaf;

use crate::{column::Columns, error::Cause, evidence::ROWS_A_STATEMENT, sweeps};

#[cfg(test)]
mod tests;

/// The part of a finding that accounts have in common, as a document.
#[derive(Debug, Serialize)]
struct Detail<'a> {
    node: Option<usize>,
    message: &'a str,
    covered_by: Option<&'a CoveredBy>,
    advice: &'a [Advice],
    gaps: &'a [Gap],
    near_misses: &'a [NearMiss],
    chain: &'a [ChainNode],
}

/// The same, read back.
#[derive(Debug, Deserialize)]
struct StoredDetail<C> {
    node: Option<usize>,
    message: String,
    covered_by: Option<CoveredBy>,
    advice: Vec<Advice>,
    gaps: Vec<Gap>,
    // Absent in what an earlier version stored.
    #[serde(default)]
    near_misses: Vec<NearMiss>,
    chain: C,
}

/// A judgement as it is stored.
pub(crate) fn detail_text(judgement: &Judgement) -> String {
    model::canonical_json(&detail(judgement))
}

fn detail(judgement: &Judgement) -> Detail<'_> {
    Detail {
        node: judgement.node,
        message: &judgement.message,
        covered_by: judgement.covered_by.as_ref(),
        advice: &judgement.advice,
        gaps: &judgement.gaps,
        near_misses: &judgement.near_misses,
        chain: &judgement.chain,
    }
}

/// A judgement as it was stored, with its chain or without. Its reason and link stand in the row.
pub(crate) fn read_detail(
    text: &str,
    reason: Reason,
    link: Option<Link>,
    with_chain: bool,
) -> serde_json::Result<Judgement> {
    if with_chain {
        let stored: StoredDetail<Arc<[ChainNode]>> = serde_json::from_str(text)?;
        Ok(stored.judgement(reason, link, |chain| chain))
    } else {
        let stored: StoredDetail<IgnoredAny> = serde_json::from_str(text)?;
        Ok(stored.judgement(reason, link, |_| [].into()))
    }
}

impl<C> StoredDetail<C> {
    fn judgement(
        self,
        reason: Reason,
        link: Option<Link>,
        chain: impl FnOnce(C) -> Arc<[ChainNode]>,
    ) -> Judgement {
        Judgement {
            reason,
            link,
            node: self.node,
            message: self.message,
            covered_by: self.covered_by,
            advice: self.advice,
            gaps: self.gaps,
            near_misses: self.near_misses,
            chain: chain(self.chain),
        }
    }
}

/// The open row of an account and control.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenFinding {
    pub(crate) row: i64,
    pub(crate) leaf: FindingLeaf,
}

/// The open findings of accounts, by control.
pub(crate) type OpenFindings = HashMap<AccountId, BTreeMap<ControlId, OpenFinding>>;

/// The open rows of these accounts, of every control.
pub(crate) async fn open(
    connection: &mut SqliteConnection,
    accounts: &[AccountId],
) -> Result<OpenFindings, Cause> {
    let rows = sqlx::query(
        "SELECT findings.id, account, control, verdict, reason, link, gap_samples, documents.hash
         FROM findings INDEXED BY findings_open
         JOIN documents ON documents.id = findings.detail
         WHERE valid_until IS NULL AND account IN (SELECT value FROM json_each(?1))",
    )
    .bind(model::canonical_json(accounts))
    .fetch_all(connection)
    .await?;
    let mut open = OpenFindings::new();
    for row in &rows {
        let (account, control, finding) = open_finding(row)?;
        open.entry(account).or_default().insert(control, finding);
    }
    Ok(open)
}

/// Reads a row with the hash of its detail.
pub(crate) fn open_finding(row: &SqliteRow) -> Result<(AccountId, ControlId, OpenFinding), Cause> {
    let columns = Columns::of("findings", row)?;
    let finding = OpenFinding {
        row: columns.id(),
        leaf: FindingLeaf {
            verdict: columns.parsed("verdict")?,
            reason: columns.parsed("reason")?,
            link: columns.parsed_option("link")?,
            detail: columns.required("hash", columns.hash("hash")?)?,
            gap_samples: (columns.get::<Option<&str>>("gap_samples")?).map(ContentHash::of_text),
        },
    };
    Ok((
        columns.parsed("account")?,
        columns.parsed("control")?,
        finding,
    ))
}

/// A finding that is not as it was.
pub(crate) struct NewFinding<'a> {
    pub(crate) finding: &'a Finding,
    pub(crate) detail: ContentHash,
    pub(crate) replaces: Option<OpenFinding>,
}

/// What AWS said this time, in the order of the gaps; nothing where there are none.
fn gap_samples(finding: &Finding) -> Option<String> {
    let samples: Vec<&GapSample> = finding.gaps.iter().map(|gap| &gap.sample).collect();
    (!samples.is_empty()).then(|| model::canonical_json(&samples))
}

/// A finding as it stands in the leaf of its account.
pub(crate) fn leaf(finding: &Finding, detail: ContentHash) -> FindingLeaf {
    FindingLeaf {
        verdict: finding.verdict(),
        reason: finding.reason,
        link: finding.link,
        detail,
        gap_samples: gap_samples(finding).map(|samples| ContentHash::of_text(&samples)),
    }
}

/// Whether two findings say the same.
///
/// What AWS said this time is left out: the same call that is denied in the same way leaves the
/// finding as it is, with what AWS said the first time.
pub(crate) fn is_same(one: &FindingLeaf, other: &FindingLeaf) -> bool {
    (one.reason, one.link, one.detail) == (other.reason, other.link, other.detail)
}

/// Records findings that are not as they were: closes the rows that are no longer so and opens new
/// ones.
pub(crate) async fn record(
    connection: &mut SqliteConnection,
    sweep: SweepId,
    findings: &[NewFinding<'_>],
    documents: &HashMap<ContentHash, i64>,
) -> Result<(), Cause> {
    let outdated: Vec<i64> = (findings.iter())
        .filter_map(|new| new.replaces.map(|open| open.row))
        .collect();
    sweeps::close_rows(connection, sweep, CLOSE, DROP, &outdated).await?;
    let (alike, alone) = alike(findings);
    for (said, accounts) in alike {
        let said: Vec<_> = (said.iter())
            .map(|(control, reason, link, detail)| {
                let document = documents.get(detail);
                (control, reason.verdict().as_str(), reason, link, document)
            })
            .collect();
        sqlx::query(ALIKE)
            .bind(model::canonical_json(&accounts))
            .bind(model::canonical_json(&said))
            .bind(sweep.0)
            .execute(&mut *connection)
            .await?;
    }
    for some in alone.chunks(ROWS_A_STATEMENT) {
        QueryBuilder::<Sqlite>::new(
            "INSERT INTO findings (account, control, verdict, reason, link, detail, gap_samples,
                 valid_from) ",
        )
        .push_values(some, |mut row, new| {
            let finding = new.finding;
            row.push_bind(finding.account.to_string())
                .push_bind(finding.control.as_str())
                .push_bind(finding.verdict().as_str())
                .push_bind(finding.reason.code())
                .push_bind(finding.link.map(Link::as_str))
                .push_bind(documents.get(&new.detail).copied())
                .push_bind(gap_samples(finding))
                .push_bind(sweep.0);
        })
        .build()
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// What was found in an account: by which control, what, and the document.
type Said<'a> = Vec<(&'a ControlId, Reason, Option<Link>, ContentHash)>;

/// Accounts of which the same is said, and the findings of all others.
///
/// Most of an organization is alike: to name what is said once, and the accounts once, takes a fraction
/// of the time of naming both in each row.
fn alike<'n, 'a>(
    findings: &'n [NewFinding<'a>],
) -> (Vec<(Said<'a>, Vec<AccountId>)>, Vec<&'n NewFinding<'a>>) {
    let mut by_said: HashMap<Said<'a>, Vec<&'n [NewFinding<'a>]>> = HashMap::new();
    let mut alone = Vec::new();
    for of_account in findings.chunk_by(|one, next| one.finding.account == next.finding.account) {
        if of_account.iter().any(|new| !new.finding.gaps.is_empty()) {
            alone.extend(of_account);
            continue;
        }
        let said = (of_account.iter())
            .map(|new| {
                let finding = new.finding;
                (&finding.control, finding.reason, finding.link, new.detail)
            })
            .collect();
        by_said.entry(said).or_default().push(of_account);
    }
    let mut alike: Vec<(Said<'a>, Vec<AccountId>)> = Vec::new();
    for (said, of_accounts) in by_said {
        if let [of_account] = of_accounts[..] {
            alone.extend(of_account);
        } else {
            let accounts = of_accounts.iter().filter_map(|new| new.first());
            alike.push((said, accounts.map(|new| new.finding.account).collect()));
        }
    }
    // In which order rows are written is no matter of chance.
    alike.sort_unstable_by(|(_, one), (_, other)| one.cmp(other));
    alone.sort_by_key(|new| (new.finding.account, &new.finding.control));
    (alike, alone)
}

const ALIKE: &str =
    "INSERT INTO findings (account, control, verdict, reason, link, detail, valid_from)
    WITH said AS MATERIALIZED (
        SELECT value ->> 0 AS control, value ->> 1 AS verdict, value ->> 2 AS reason,
            value ->> 3 AS link, value ->> 4 AS detail
        FROM json_each(?2)
    )
    SELECT accounts.value, control, verdict, reason, link, detail, ?3
    FROM json_each(?1) AS accounts CROSS JOIN said";

const CLOSE: &str = "UPDATE findings SET valid_until = ?1
    WHERE valid_from < ?1 AND id IN (SELECT value FROM json_each(?2))";

const DROP: &str = "DELETE FROM findings
    WHERE valid_from = ?1 AND id IN (SELECT value FROM json_each(?2))";
