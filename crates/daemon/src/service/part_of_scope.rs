//! The part of the configured scope that a request names.

use discovery::{Selection, Selector, Source};

use crate::{Refusal, SweepPlan, SweepRequest};

impl SweepRequest {
    /// Whether everything is asked for.
    pub fn is_whole(&self) -> bool {
        self.accounts.is_empty() && self.ous.is_empty()
    }

    /// The same request, however it was written.
    pub(crate) fn in_order(mut self) -> Self {
        self.accounts.sort();
        self.accounts.dedup();
        self.ous.sort();
        self.ous.dedup();
        self
    }
}

/// The plan for what a request names; refused where it can be told that it is outside of the scope.
///
/// Where names, OUs and tags decide, that is known when the account list is read.
pub(crate) fn part_of(plan: &SweepPlan, request: &SweepRequest) -> Result<SweepPlan, Refusal> {
    if request.is_whole() {
        return Ok(plan.clone());
    }
    let mut only = Vec::new();
    for account in &request.accounts {
        let is_it =
            |selector: &Selector| matches!(selector, Selector::Account(id) if id == account);
        let Selection {
            include, exclude, ..
        } = &plan.selection;
        let names_accounts = (include.iter()).any(|it| matches!(it, Selector::Account(_)));
        if (names_accounts && !include.iter().any(is_it)) || exclude.iter().any(is_it) {
            return Err(Refusal::OutOfScope(format!(
                "account {account} is not in the configured scope"
            )));
        }
        only.push(Selector::Account(*account));
    }
    for ou in &request.ous {
        let selector = Selector::ou(ou).map_err(|error| Refusal::OutOfScope(error.to_string()))?;
        if plan.source == Source::NamedAccounts {
            return Err(Refusal::OutOfScope(format!(
                "{ou} cannot be looked at: AWS Organizations is not asked, so nobody knows what hangs in it"
            )));
        }
        only.push(selector);
    }
    Ok(SweepPlan {
        selection: plan.selection.narrowed_to(only),
        // It is short; what was stopped is asked for again.
        resume_within: None,
        ..plan.clone()
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Regions;

    fn plan(include: &[&str], exclude: &[&str], source: Source) -> SweepPlan {
        let read = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        SweepPlan {
            source,
            selection: Selection {
                include: read(include),
                exclude: read(exclude),
                only: Vec::new(),
            },
            regions: Regions::Probe,
            monitoring_accounts: Vec::new(),
            read_tags: discovery::ReadTags::WhereTheyDecide,
            controls: Vec::new(),
            exceptions: None,
            accounts_at_once: 1,
            account_deadline: Duration::from_secs(1),
            resume_within: Some(jiff::SignedDuration::from_hours(6)),
            scanner_version: "1".to_owned(),
        }
    }

    /// What a request in this scope looks at, or why it is refused.
    #[track_caller]
    fn check(plan: &SweepPlan, accounts: &[&str], ous: &[&str], expected: Result<&[&str], &str>) {
        let request = SweepRequest {
            accounts: accounts.iter().map(|id| id.parse().unwrap()).collect(),
            ous: ous.iter().map(ToString::to_string).collect(),
        };
        match (part_of(plan, &request), expected) {
            (Ok(part), Ok(scope)) => {
                assert_eq!(part.scope().accounts, scope);
                assert_eq!(part.resume_within.is_none(), !request.is_whole());
            }
            (Err(refusal), Err(expected)) => {
                assert!(refusal.to_string().contains(expected), "{refusal}");
            }
            (found, expected) => panic!("{found:?} is not {expected:?}"),
        }
    }

    #[test]
    fn a_request_is_for_a_part_of_what_is_configured() {
        let (a, b) = ("111111111111", "222222222222");
        let all = plan(&[], &[], Source::Organization);
        check(&all, &[], &[], Ok(&[]));
        check(&all, &[a], &[], Ok(&["&111111111111"]));
        check(
            &all,
            &[a],
            &["ou-ab12-34cdefgh"],
            Ok(&["&111111111111", "&ou-ab12-34cdefgh"]),
        );
        check(&all, &[], &["production"], Err("not the id of an OU"));
        let named = plan(&[a], &[], Source::Organization);
        check(&named, &[a], &[], Ok(&["111111111111", "&111111111111"]));
        check(
            &named,
            &[b],
            &[],
            Err("222222222222 is not in the configured scope"),
        );
        let but = plan(&["prod-*"], &[b], Source::Organization);
        check(
            &but,
            &[a],
            &[],
            Ok(&["prod-*", "!222222222222", "&111111111111"]),
        );
        check(&but, &[b], &[], Err("not in the configured scope"));
        let by_hand = plan(&[a], &[], Source::NamedAccounts);
        check(
            &by_hand,
            &[],
            &["r-ab12"],
            Err("AWS Organizations is not asked"),
        );
    }
}
