//! What asking several regions of each account adds to asking one.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use aws::Api;
use model::{AccountId, Region, evidence::AccountEvidence};

/// What was asked beyond one region of each account, and what came of it.
pub(crate) struct RegionsAsked {
    /// The region that alone would have been asked.
    probe: Region,
    accounts: Mutex<BTreeMap<AccountId, OfAccount>>,
}

/// Of an account that was looked at twice, the last look counts.
#[derive(Debug, Clone, Copy)]
struct OfAccount {
    regions: usize,
    /// Trails of one region alone that is not the probe: no other region shows them.
    hidden_trails: usize,
    unanswered: usize,
    /// Calls that asking one region would not have taken.
    more_calls: usize,
}

impl RegionsAsked {
    pub(crate) fn beyond(probe: Region) -> Self {
        Self {
            probe,
            accounts: Mutex::default(),
        }
    }

    /// Notes what an account showed in these regions; `is_listed`, if it was asked which they are.
    pub(crate) fn note(&self, regions: &[Region], is_listed: bool, evidence: &AccountEvidence) {
        // One that could not be entered, or answered nowhere, was not asked further.
        let Ok(trails) = &evidence.trails else {
            return;
        };
        let is_hidden = |home: &Region| *home != self.probe;
        let hidden_trails =
            (trails.iter()).filter(|trail| !trail.is_multi_region && is_hidden(&trail.home_region));
        let describe_trails = Api::DescribeTrails.iam_action();
        let unanswered = (evidence.other_gaps.iter()).filter(|gap| gap.api == describe_trails);
        let of_account = OfAccount {
            regions: regions.len(),
            hidden_trails: hidden_trails.count(),
            unanswered: unanswered.count(),
            more_calls: regions.len().saturating_sub(1) + usize::from(is_listed),
        };
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.insert(evidence.account, of_account);
    }

    /// All of it in a sentence, if more than one region was asked anywhere.
    pub(crate) fn notice(&self) -> Option<String> {
        let accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let regions = || accounts.values().map(|account| account.regions);
        let (fewest, most) = (regions().min()?, regions().max()?);
        if most < 2 {
            return None;
        }
        let sum = |of: fn(&OfAccount) -> usize| accounts.values().map(of).sum::<usize>();
        let with = |of: fn(&OfAccount) -> usize| accounts.values().filter(|it| of(it) > 0).count();
        let asked = if fewest == most {
            most.to_string()
        } else {
            format!("{fewest} to {most}")
        };
        let trails = match sum(|it| it.hidden_trails) {
            0 => "no trail that one region does not show".to_owned(),
            count => format!(
                "{} that one region does not show, in {}; a trail of a single region is enough for no control",
                counted(count, "trail"),
                counted(with(|it| it.hidden_trails), "account"),
            ),
        };
        let unanswered = match sum(|it| it.unanswered) {
            0 => String::new(),
            count => format!(
                "; {} in {} gave no answer",
                counted(count, "region"),
                counted(with(|it| it.unanswered), "account"),
            ),
        };
        Some(format!(
            "{asked} regions were asked in {}, {} more than one region takes: they showed {trails}{unanswered}",
            counted(accounts.len(), "account"),
            counted(sum(|it| it.more_calls), "call"),
        ))
    }
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::evidence::Trail;

    fn regions(names: &[&str]) -> Vec<Region> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn trail(home: &str, is_multi_region: bool) -> Trail {
        Trail {
            arn: format!("arn:aws:cloudtrail:{home}:111111111111:trail/{home}")
                .parse()
                .unwrap(),
            home_region: home.parse().unwrap(),
            is_multi_region,
            is_organization_trail: false,
            log_group: None,
        }
    }

    fn evidence(account: &str, trails: Vec<Trail>) -> AccountEvidence {
        AccountEvidence::of_trails(account.parse().unwrap(), trails)
    }

    #[test]
    fn what_one_region_shows_as_well_is_not_said_to_be_gained() {
        let asked = RegionsAsked::beyond("us-east-1".parse().unwrap());
        let all = regions(&["eu-west-1", "us-east-1", "us-west-2"]);
        let shown = vec![trail("us-east-1", false), trail("eu-west-1", true)];
        asked.note(&all, true, &evidence("111111111111", shown));
        assert_eq!(
            asked.notice().unwrap(),
            "3 regions were asked in 1 account, 3 calls more than one region takes: they showed no trail \
             that one region does not show"
        );
        let hidden = vec![trail("us-west-2", false), trail("eu-west-1", false)];
        asked.note(&all[..2], true, &evidence("222222222222", hidden));
        assert_eq!(
            asked.notice().unwrap(),
            "2 to 3 regions were asked in 2 accounts, 5 calls more than one region takes: they showed 2 \
             trails that one region does not show, in 1 account; a trail of a single region is enough \
             for no control"
        );
    }

    #[test]
    fn one_region_adds_nothing_and_says_nothing() {
        let asked = RegionsAsked::beyond("us-east-1".parse().unwrap());
        assert_eq!(asked.notice(), None);
        asked.note(
            &regions(&["eu-west-1"]),
            false,
            &evidence("111111111111", Vec::new()),
        );
        assert_eq!(asked.notice(), None);
    }
}
