//! What became of the findings that an alert is about.

use std::collections::{BTreeMap, BTreeSet};

use model::{AccountId, ControlId, LastsWhile, Reason, SweepId, Verdict};

use crate::{Error, Store, column::Columns, error::Cause};

/// The findings of an alert as they are now. A drift that only names another reason, or other evidence, is
/// no finding of it: it was as broken before.
const FINDINGS: &str = "SELECT findings.id, findings.account, findings.control, findings.verdict,
        findings.reason
    FROM (SELECT DISTINCT account, control FROM drifts
        WHERE alert = ?1 AND account IS NOT NULL
            AND kind IN ('verdict-changed', 'became-unknown', 'exception-expired')) AS about
    JOIN findings ON findings.account = about.account AND findings.valid_until IS NULL
        AND (about.control IS NULL OR findings.control = about.control)";

/// What became of the findings of an alert.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// How many have which verdict now.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// The accounts in which the alert still lasts.
    pub accounts: BTreeSet<AccountId>,
}

/// A finding for which an alert still lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StillBroken {
    /// The account.
    pub account: AccountId,
    /// The control.
    pub control: ControlId,
    /// Why.
    pub reason: Reason,
}

impl Store {
    /// Whether an alert still lasts: the first finding that is not well again decides.
    #[tracing::instrument(name = "db.alert.lasts", skip(self))]
    pub async fn alert_lasts(&self, alert: i64, while_: LastsWhile) -> Result<bool, Error> {
        let read = async {
            let lasts = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
                "SELECT EXISTS ({FINDINGS} WHERE verdict IN (SELECT value FROM json_each(?2)))"
            )))
            .bind(alert)
            .bind(model::canonical_json(not_well(while_)))
            .fetch_one(&self.readers)
            .await?;
            Ok(lasts)
        };
        (read.await).map_err(|cause: Cause| cause.during("look at an alert", &self.path))
    }

    /// What became of the findings of an alert.
    #[tracing::instrument(name = "db.alert.standing", skip(self))]
    pub async fn alert_standing(&self, alert: i64, while_: LastsWhile) -> Result<Standing, Error> {
        let mut standing = Standing::default();
        for (finding, verdict) in self.alert_findings(alert).await? {
            *standing.verdicts.entry(verdict).or_default() += 1;
            if not_well(while_).contains(&verdict) {
                standing.accounts.insert(finding.account);
            }
        }
        Ok(standing)
    }

    /// The findings for which an alert still lasts.
    pub async fn still_broken(
        &self,
        alert: i64,
        while_: LastsWhile,
    ) -> Result<Vec<StillBroken>, Error> {
        let findings = self.alert_findings(alert).await?.into_iter();
        Ok(findings
            .filter(|(_, verdict)| not_well(while_).contains(verdict))
            .map(|(finding, _)| finding)
            .collect())
    }

    async fn alert_findings(&self, alert: i64) -> Result<Vec<(StillBroken, Verdict)>, Error> {
        let read = async {
            let rows = sqlx::query(FINDINGS)
                .bind(alert)
                .fetch_all(&self.readers)
                .await?;
            (rows.iter())
                .map(|row| {
                    let columns = Columns::of("findings", row)?;
                    let finding = StillBroken {
                        account: columns.parsed("account")?,
                        control: columns.parsed("control")?,
                        reason: columns.parsed("reason")?,
                    };
                    Ok((finding, columns.parsed("verdict")?))
                })
                .collect::<Result<_, Cause>>()
        };
        (read.await).map_err(|cause| cause.during("look at an alert", &self.path))
    }

    /// How many findings have which verdict as of a sweep, of this account or of all, by this control or by all.
    #[tracing::instrument(name = "db.finding.count", skip(self))]
    pub async fn verdicts_as_of(
        &self,
        sweep: SweepId,
        account: Option<AccountId>,
        control: Option<&ControlId>,
    ) -> Result<BTreeMap<Verdict, u64>, Error> {
        let read = async {
            let rows = sqlx::query(
                "SELECT min(id) AS id, verdict, count(*) AS number FROM findings
                 WHERE valid_from <= ?3 AND (valid_until IS NULL OR valid_until > ?3)
                     AND (?1 IS NULL OR account = ?1) AND (?2 IS NULL OR control = ?2)
                 GROUP BY verdict",
            )
            .bind(account.map(|account| account.to_string()))
            .bind(control.map(ToString::to_string))
            .bind(sweep.0)
            .fetch_all(&self.readers)
            .await?;
            (rows.iter())
                .map(|row| {
                    let columns = Columns::of("findings", row)?;
                    Ok((columns.parsed("verdict")?, columns.count("number")?))
                })
                .collect::<Result<_, Cause>>()
        };
        (read.await).map_err(|cause| cause.during("count the findings", &self.path))
    }
}

/// What is not well again. What cannot be seen since it failed may still fail.
fn not_well(while_: LastsWhile) -> &'static [Verdict] {
    match while_ {
        LastsWhile::Broken => &[Verdict::Fail, Verdict::Unknown],
        LastsWhile::Unseen => &[Verdict::Unknown],
    }
}
