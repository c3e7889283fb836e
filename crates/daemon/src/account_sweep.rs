//! One account: read, judged, and given up on when it takes too long.

use std::time::Duration;

use aws::Aws;
use controls::{Judge, JudgeContext};
use discovery::enabled_regions;
use model::{
    Account, AccountId, AccountState, Finding, Fingerprint, Gap, GapClass, GapSample, Reason,
    Verdict, evidence::AccountEvidence,
};
use scanner::{Collector, RegionScope};
use store::JudgedAccount;

use crate::regions_asked::RegionsAsked;

/// What a gap names instead of a call when an account as a whole took too long.
const WHOLE_ACCOUNT: &str = "reading the account";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// What failed for a passing reason is looked at again.
    First,
    /// What failed is judged as it is.
    Last,
}

/// What looking at one account takes.
pub(crate) struct AccountSweep<'a> {
    pub(crate) aws: &'a Aws,
    pub(crate) collector: &'a Collector,
    pub(crate) regions: RegionScope,
    pub(crate) all_regions: bool,
    pub(crate) regions_asked: &'a RegionsAsked,
    pub(crate) judge: &'a Judge,
    pub(crate) context: JudgeContext,
    /// What the findings of that judge in that context follow from, besides what was read.
    pub(crate) basis: Fingerprint,
    /// How long one look may take.
    pub(crate) deadline: Duration,
}

impl AccountSweep<'_> {
    /// Reads and judges one account; `None` if it is to be looked at again.
    ///
    /// An account that is too slow says nothing with the half that was read by then: at its last
    /// attempt it is one gap.
    pub(crate) async fn look(&self, account: &Account, attempt: Attempt) -> Option<JudgedAccount> {
        let look = self.look_in_time(account, attempt);
        match (tokio::time::timeout(self.deadline, look).await, attempt) {
            (Ok(result), _) => result,
            (Err(_), Attempt::First) => {
                tracing::warn!(deadline = ?self.deadline, "the account is too slow, and is looked at again later");
                None
            }
            (Err(_), Attempt::Last) => {
                let evidence = AccountEvidence::unread(account.id, self.timed_out(account.id));
                Some(self.judged(account, Some(&evidence)))
            }
        }
    }

    /// The result as it counts for the account as the list shows it now: one that was closed since
    /// it was looked at has nothing to be judged.
    pub(crate) fn settle(&self, account: Account, result: JudgedAccount) -> JudgedAccount {
        if is_open(account.state) {
            JudgedAccount { account, ..result }
        } else {
            self.judged(&account, None)
        }
    }

    async fn look_in_time(&self, account: &Account, attempt: Attempt) -> Option<JudgedAccount> {
        if !is_open(account.state) {
            return Some(self.judged(account, None));
        }
        let (regions, region_gap) = self.regions_of(account).await;
        let mut evidence = self.collector.collect(account.id, &regions).await;
        if let RegionScope::Each(regions) = &regions {
            self.regions_asked
                .note(regions, self.all_regions, &evidence);
        }
        evidence.other_gaps.extend(region_gap);
        let mut findings = self.judge.findings(&self.context, account, Some(&evidence));
        // What is looked up by metric misses metric math, composite alarms, near misses and other
        // accounts: before a FAIL is said, everything is looked at.
        let is_to_look_closer = |finding: &Finding| {
            finding.verdict() == Verdict::Fail || finding.reason == Reason::AlarmUndecided
        };
        let looks_closer = findings.iter().any(is_to_look_closer);
        if looks_closer {
            // Boxed: few accounts need it, and all would carry the room that it takes.
            evidence = Box::pin(self.collector.look_closer(evidence)).await;
            let closer = self.judge.findings(&self.context, account, Some(&evidence));
            // The others stay as they are: what is looked at for one control must not change the
            // chain of another, which would look like a change of the account.
            for (finding, closer) in findings.iter_mut().zip(closer) {
                if is_to_look_closer(finding) {
                    *finding = closer;
                }
            }
        }
        let passing = evidence.gaps().iter().any(|gap| gap.class.is_passing());
        (attempt == Attempt::Last || !passing).then(|| JudgedAccount {
            account: account.clone(),
            evidence: Some(self.judge.storable(evidence)),
            findings,
            // Some are by what was read before it was looked closer, which is not kept.
            basis: (!looks_closer).then_some(self.basis),
        })
    }

    fn judged(&self, account: &Account, evidence: Option<&AccountEvidence>) -> JudgedAccount {
        JudgedAccount {
            account: account.clone(),
            findings: self.judge.findings(&self.context, account, evidence),
            evidence: evidence.map(|evidence| self.judge.storable(evidence.clone())),
            basis: Some(self.basis),
        }
    }

    /// The regions to ask; where the list of enabled ones cannot be had, the probe regions do.
    async fn regions_of(&self, account: &Account) -> (RegionScope, Option<Gap>) {
        if !self.all_regions {
            return (self.regions.clone(), None);
        }
        match enabled_regions(self.aws, account.id).await {
            Ok(regions) => (RegionScope::Each(regions), None),
            Err(error) => (self.regions.clone(), Some(error.into())),
        }
    }

    fn timed_out(&self, account: AccountId) -> Gap {
        Gap {
            class: GapClass::TimedOut,
            api: WHOLE_ACCOUNT.to_owned(),
            resource: None,
            account: Some(account),
            region: None,
            sample: GapSample {
                message: format!(
                    "the account could not be read within its deadline of {} s, twice",
                    self.deadline.as_secs()
                ),
                request_id: None,
            },
        }
    }
}

/// Whether roles can be assumed in an account of this state; one that is new to us may be such.
pub(crate) fn is_open(state: AccountState) -> bool {
    matches!(state, AccountState::Active | AccountState::Unknown)
}
