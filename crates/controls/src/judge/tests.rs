//! Verdicts on hand-made evidence.

use std::{collections::BTreeMap, sync::Arc};

use model::{
    Arn, GapSample, LogGroupArn, Verdict,
    evidence::{
        AlarmLookup, Alarms, BasicEventSelector, Delivery, Dimensions, EventRule, EventRules,
        EventSelectors, FoundAlarms, LogGroupEvidence, MetricAlarm, MetricFilter, MetricKey,
        MetricQuery, MetricTransformation, MonitoringAlarms, MuteRules, Place, PolicyStatement,
        Presence, Subscription, SubscriptionState, TopicAttributes, TopicEvidence, TrailEvidence,
        TrailStatus,
    },
};
use proptest::prelude::*;

use super::*;
use crate::Catalog;

mod chain_fixture;
mod structural_cases;

use chain_fixture::{Chain, DECISIVE_READS, READS};

const OWN: &str = "222222222222";
const OWNER: &str = "111111111111";

fn control() -> Control {
    Catalog::embedded().unwrap().find("4.15").unwrap().clone()
}

fn account(state: AccountState) -> Account {
    Account {
        id: OWN.parse().unwrap(),
        name: "member".to_owned(),
        state,
        ou_path: None,
        tags: None,
    }
}

fn pattern(events: &[&str]) -> String {
    let names: Vec<String> = events
        .iter()
        .map(|name| format!("($.eventName = \"{name}\")"))
        .collect();
    format!(
        "{{ ($.eventSource = \"organizations.amazonaws.com\") && ({}) }}",
        names.join(" || ")
    )
}

fn all_events() -> Vec<String> {
    control()
        .required_events()
        .iter()
        .map(|event| event.name.clone())
        .collect()
}

fn evidence(chains: &[Chain]) -> AccountEvidence {
    let mut evidence = AccountEvidence::of_trails(OWN.parse().unwrap(), Vec::new());
    for chain in chains {
        chain.add_to(&mut evidence);
    }
    evidence
}

fn judged(chains: &[Chain]) -> Finding {
    judge(
        &control(),
        &JudgeContext::default(),
        &account(AccountState::Active),
        Some(&evidence(chains)),
    )
}

#[test]
fn a_good_chain_passes_and_says_by_whom() {
    let own = judged(&[Chain::good("own", OWN)]);
    assert_eq!(
        (own.reason, own.verdict()),
        (Reason::CoveredByOwnTrail, Verdict::Pass)
    );
    let organization = judged(&[Chain::good("org", OWNER)]);
    assert_eq!(organization.reason, Reason::CoveredByOrganizationTrail);
    assert_eq!(
        organization
            .covered_by
            .as_ref()
            .unwrap()
            .account
            .to_string(),
        OWNER
    );
    assert!(
        organization
            .chain
            .iter()
            .all(|node| node.state == NodeState::Holds)
    );
}

#[test]
fn an_account_that_is_not_active_is_not_judged() {
    for (state, reason) in [
        (AccountState::Suspended, Reason::AccountSuspended),
        (AccountState::PendingClosure, Reason::AccountClosing),
        (AccountState::Closed, Reason::AccountClosing),
        (AccountState::PendingActivation, Reason::AccountNotActivated),
    ] {
        let finding = judge(&control(), &JudgeContext::default(), &account(state), None);
        assert_eq!(
            (finding.reason, finding.verdict()),
            (reason, Verdict::NotApplicable)
        );
    }
}

#[test]
fn the_broken_link_is_the_one_whose_mending_restores_most() {
    // The organization's trail is complete but stopped; the own trail has no filter at all.
    let stopped = Chain {
        logging: false,
        ..Chain::good("org", OWNER)
    };
    let bare = Chain {
        patterns: Vec::new(),
        ..Chain::good("own", OWN)
    };
    assert_eq!(
        judged(&[bare.clone(), stopped]).reason,
        Reason::TrailNotLogging
    );
    assert_eq!(judged(&[bare]).reason, Reason::FilterAbsent);
    // Of two halves, only one has an alarm.
    let events = all_events();
    let (one, other) = events.split_at(7);
    let half = |events: &[String]| pattern(&events.iter().map(String::as_str).collect::<Vec<_>>());
    let halves = Chain {
        patterns: vec![half(one), half(other)],
        ..Chain::good("own", OWN)
    };
    assert_eq!(
        judged(std::slice::from_ref(&halves)).verdict(),
        Verdict::Pass
    );
    assert_eq!(
        judged(&[Chain {
            alarmed: 1,
            ..halves
        }])
        .reason,
        Reason::AlarmAbsent
    );
}

#[test]
fn halves_on_the_log_groups_of_two_trails_count_together() {
    let events = all_events();
    let (one, other) = events.split_at(5);
    let half = |events: &[String]| {
        vec![pattern(
            &events.iter().map(String::as_str).collect::<Vec<_>>(),
        )]
    };
    let own = Chain {
        patterns: half(one),
        ..Chain::good("own", OWN)
    };
    let organization = Chain {
        patterns: half(other),
        ..Chain::good("org", OWNER)
    };
    assert_eq!(
        judged(&[own.clone(), organization.clone()]).verdict(),
        Verdict::Pass
    );
    assert_eq!(judged(&[own]).reason, Reason::FilterIncomplete);
    let silent = Chain {
        confirmed: false,
        ..organization
    };
    assert_eq!(judged(&[silent]).verdict(), Verdict::Fail);
}

#[test]
fn a_gap_that_would_decide_is_unknown_and_comes_first() {
    for index in 0..DECISIVE_READS {
        let mut chain = Chain::good("own", OWN);
        chain.unread[index] = true;
        let finding = judged(&[chain]);
        assert_eq!(finding.verdict(), Verdict::Unknown, "{index}: {finding:?}");
        assert_eq!(finding.gaps.len(), 1);
    }
    for index in DECISIVE_READS..READS.len() {
        let mut chain = Chain::good("own", OWN);
        chain.unread[index] = true;
        let finding = judged(&[chain]);
        assert_eq!(finding.verdict(), Verdict::Pass, "{index}: {finding:?}");
        assert_eq!(finding.gaps.len(), 1, "what was not read is still said");
    }
}

#[test]
fn a_gap_beside_a_proven_chain_does_not_matter() {
    let mut unread = Chain::good("own", OWN);
    unread.unread = [true; READS.len()];
    let finding = judged(&[unread, Chain::good("org", OWNER)]);
    assert_eq!(finding.verdict(), Verdict::Pass);
    assert!(!finding.gaps.is_empty());
}

#[test]
fn a_gap_behind_a_broken_link_does_not_hide_that_it_is_broken() {
    let mut stopped = Chain {
        logging: false,
        ..Chain::good("own", OWN)
    };
    stopped.unread[4] = true;
    assert_eq!(judged(&[stopped]).reason, Reason::TrailNotLogging);
}

#[test]
fn a_pattern_that_is_not_understood_is_unknown() {
    let strange = Chain {
        patterns: vec!["{ $.eventName ~ \"x\" }".to_owned()],
        ..Chain::good("own", OWN)
    };
    let finding = judged(&[strange]);
    assert_eq!(finding.reason, Reason::FilterUndecided, "{finding:?}");
}

#[test]
fn an_account_that_was_not_entered_hears_of_the_organization_trail() {
    let gap = Gap {
        api: "sts:AssumeRole".to_owned(),
        ..Chain::good("own", OWN).gap("")
    };
    let context = JudgeContext {
        organization_trails: evidence(&[Chain::good("org", OWNER)]).trails.unwrap(),
    };
    let unread = AccountEvidence::unread(OWN.parse().unwrap(), gap);
    let finding = judge(
        &control(),
        &context,
        &account(AccountState::Active),
        Some(&unread),
    );
    assert_eq!(
        (finding.reason, finding.verdict()),
        (Reason::AccountNotEntered, Verdict::Unknown)
    );
    assert_eq!(
        finding.advice[0].code,
        AdviceCode::OrganizationTrailShouldCover
    );
}

/// Judges a good chain after a change to its evidence.
fn judged_after(change: impl FnOnce(&mut Vec<MetricFilter>, &mut MetricAlarm)) -> Finding {
    let chain = Chain::good("own", OWN);
    let mut evidence = evidence(std::slice::from_ref(&chain));
    let (group, filters) = evidence.log_groups.pop_first().unwrap();
    let (metric, alarms) = evidence.alarms.pop_first().unwrap();
    let mut filters = Arc::unwrap_or_clone(filters);
    let mut alarms = Arc::unwrap_or_clone(alarms);
    let Ok(Presence::Present(listed)) = &mut filters.metric_filters else {
        panic!()
    };
    change(listed, &mut alarms.found.as_mut().unwrap().metric_alarms[0]);
    evidence.log_groups.insert(group, Arc::new(filters));
    evidence.alarms.insert(metric, Arc::new(alarms));
    judge(
        &control(),
        &JudgeContext::default(),
        &account(AccountState::Active),
        Some(&evidence),
    )
}

/// A second filter on other events that publishes to the same metric.
fn sharing(
    filters: &[MetricFilter],
    change: impl FnOnce(&mut MetricTransformation),
) -> MetricFilter {
    let mut other = filters[0].clone();
    other.name = "another".to_owned();
    other.pattern = "{ $.eventName = ConsoleLogin }".to_owned();
    change(&mut other.transformations[0]);
    other
}

#[test]
fn what_another_filter_publishes_to_the_metric_is_seen_by_the_alarm() {
    let with = |change: fn(&mut MetricTransformation), statistic: &'static str| {
        judged_after(|filters, alarm| {
            filters.push(sharing(filters, change));
            alarm.statistic = Some(statistic.to_owned());
        })
    };
    let plain = with(|_| {}, "Sum");
    assert_eq!(plain.verdict(), Verdict::Pass);
    assert!(
        plain
            .advice
            .iter()
            .any(|advice| advice.code == AdviceCode::Noise),
        "{plain:?}"
    );
    assert_eq!(
        with(|one| one.default_value = Some(0.0), "Sum").verdict(),
        Verdict::Pass
    );
    assert_eq!(
        with(|one| one.default_value = Some(0.0), "SampleCount").reason,
        Reason::AlarmStuck
    );
    assert_eq!(
        with(|one| one.default_value = Some(0.0), "Average").reason,
        Reason::AlarmNeverFires
    );
    assert_eq!(
        with(|one| one.default_value = Some(1.0), "Sum").reason,
        Reason::AlarmStuck
    );
    assert_eq!(
        with(|one| one.value = "-1".to_owned(), "Sum").verdict(),
        Verdict::Unknown
    );
    assert_eq!(
        with(|one| one.metric_name = "elsewhere".to_owned(), "Sum").advice,
        []
    );
}

#[test]
fn a_published_zero_is_worthless_unless_matches_are_counted() {
    let with = |statistic: &'static str| {
        judged_after(|filters, alarm| {
            filters[0].transformations[0].value = "0".to_owned();
            alarm.statistic = Some(statistic.to_owned());
        })
    };
    assert_eq!(with("Sum").reason, Reason::FilterMetricWorthless);
    assert_eq!(with("SampleCount").verdict(), Verdict::Pass);
}

#[test]
fn an_extracted_value_does_not_hide_that_nobody_is_told() {
    let with = |enabled: bool| {
        judged_after(|filters, alarm| {
            filters[0].transformations[0].value = "$.size".to_owned();
            alarm.actions_enabled = enabled;
        })
    };
    assert_eq!(with(true).reason, Reason::FilterUndecided);
    assert_eq!(with(false).reason, Reason::AlarmActionsDisabled);
}

#[test]
fn what_takes_several_trails_is_not_laid_to_the_organizations_alone() {
    let events = all_events();
    let (one, other) = events.split_at(5);
    let half = |events: &[String]| {
        vec![pattern(
            &events.iter().map(String::as_str).collect::<Vec<_>>(),
        )]
    };
    let own = Chain {
        patterns: half(one),
        ..Chain::good("own", OWN)
    };
    let organization = Chain {
        patterns: half(other),
        ..Chain::good("org", OWNER)
    };
    let finding = judged(&[organization, own]);
    assert_eq!(finding.reason, Reason::CoveredByOwnTrail);
    assert!(!finding.covered_by.as_ref().unwrap().is_organization_trail);
    assert!(
        finding.message.contains("together with") && finding.message.contains("trail/org"),
        "{}",
        finding.message
    );
    // A trail that does it alone is named alone.
    let bare = Chain {
        patterns: half(one),
        ..Chain::good("own", OWN)
    };
    let finding = judged(&[bare, Chain::good("org", OWNER)]);
    assert_eq!(finding.reason, Reason::CoveredByOrganizationTrail);
    assert!(!finding.message.contains("own-0"), "{}", finding.message);
}

fn any_chain(name: &'static str, owner: &'static str) -> impl Strategy<Value = Chain> {
    let patterns = prop::collection::vec(
        prop_oneof![
            Just(Chain::good("x", OWN).patterns[0].clone()),
            Just(pattern(&["MoveAccount", "LeaveOrganization"])),
            Just(
                "{ $.eventSource = \"organizations.amazonaws.com\" && $.errorCode NOT EXISTS }"
                    .to_owned()
            ),
            Just("{ $.eventName = \"ConsoleLogin\" }".to_owned()),
            Just("not { a pattern".to_owned()),
        ],
        0..3,
    );
    (
        patterns,
        prop::bool::weighted(0.7),
        0..3_usize,
        prop::bool::weighted(0.7),
        prop::bool::weighted(0.8),
        prop_oneof![4 => Just("STANDARD"), 1 => Just("INFREQUENT_ACCESS"), 1 => Just("NEW")],
        prop::bool::weighted(0.2),
        prop::array::uniform9(prop::bool::weighted(0.1)),
    )
        .prop_map(
            move |(patterns, logging, alarmed, confirmed, admitted, class, monitored, unread)| {
                Chain {
                    logging,
                    patterns,
                    alarmed,
                    confirmed,
                    admitted,
                    class,
                    in_monitoring_account: monitored,
                    unread,
                    ..Chain::good(name, owner)
                }
            },
        )
}

#[test]
fn the_class_of_the_log_group_must_support_filters() {
    let of = |class| {
        judged(&[Chain {
            class,
            ..Chain::good("own", OWN)
        }])
    };
    assert_eq!(of("STANDARD").verdict(), Verdict::Pass);
    assert_eq!(of("INFREQUENT_ACCESS").reason, Reason::LogGroupClass);
    assert_eq!(of("DELIVERY").reason, Reason::LogGroupClass);
    assert_eq!(of("FROM_THE_FUTURE").reason, Reason::LogGroupUndecided);
}

#[test]
fn an_alarm_in_a_monitoring_account_is_as_good_as_one_beside_the_metric() {
    let mut chain = Chain {
        in_monitoring_account: true,
        ..Chain::good("own", OWN)
    };
    let finding = judged(std::slice::from_ref(&chain));
    assert_eq!(finding.verdict(), Verdict::Pass, "{finding:?}");
    chain.unread[8] = true;
    assert_eq!(judged(&[chain]).reason, Reason::EvidenceGap);
}

#[test]
fn a_topic_that_does_not_admit_cloudwatch_is_broken() {
    let finding = judged(&[Chain {
        admitted: false,
        ..Chain::good("own", OWN)
    }]);
    assert_eq!(
        (finding.link, finding.reason),
        (Some(Link::Topic), Reason::TopicPolicyDenies)
    );
    assert!(
        finding
            .next_step()
            .unwrap()
            .contains("cloudwatch.amazonaws.com")
    );
}

#[test]
fn near_misses_are_told_the_nearest_first() {
    let events = all_events();
    let all: Vec<&str> = events.iter().map(String::as_str).collect();
    let (_, but_one) = all.split_first().unwrap();
    let finding = judged(&[Chain {
        patterns: vec![pattern(&["MoveAccount"]), pattern(but_one)],
        ..Chain::good("own", OWN)
    }]);
    assert_eq!(finding.reason, Reason::FilterIncomplete);
    let names: Vec<&str> = finding
        .near_misses
        .iter()
        .map(|miss| miss.filter.as_str())
        .collect();
    assert_eq!(names, ["own-1", "own-0"]);
    assert_eq!(finding.near_misses[0].lacks, ["it misses AcceptHandshake"]);
    let finding = judged(&[Chain {
        alarmed: 0,
        confirmed: false,
        ..Chain::good("own", OWN)
    }]);
    assert_eq!(finding.near_misses.len(), 1);
    assert!(
        finding.near_misses[0].lacks[0].contains("no alarm"),
        "{finding:?}"
    );
    assert_eq!(judged(&[Chain::good("own", OWN)]).near_misses, []);
}

#[test]
fn an_event_bridge_rule_is_advice_and_no_pass() {
    let mut evidence = evidence(&[Chain {
        patterns: Vec::new(),
        ..Chain::good("own", OWN)
    }]);
    let place = Chain::good("own", OWN).place();
    let rules = EventRules {
        place: place.clone(),
        rules: Ok(vec![EventRule {
            name: "organization-changes".to_owned(),
            pattern: r#"{"source":["aws.organizations"]}"#.to_owned(),
            targets: vec!["sns".to_owned()],
        }]),
    };
    evidence.event_rules.insert(place, Arc::new(rules));
    let account = account(AccountState::Active);
    let finding = judge(
        &control(),
        &JudgeContext::default(),
        &account,
        Some(&evidence),
    );
    assert_eq!(finding.reason, Reason::FilterAbsent);
    assert_eq!(finding.advice[0].code, AdviceCode::EventBridgeRule);
    assert!(
        finding.advice[0].message.contains("18 of the 18"),
        "{finding:?}"
    );
}

proptest! {
    // Each case judges several accounts by every control.
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// What is judged once for all gives what each account alone would get.
    #[test]
    fn sharing_changes_no_finding(a in any_chain("a", OWN), b in any_chain("b", OWNER), c in any_chain("c", OWNER)) {
        let catalog = Catalog::embedded().unwrap();
        let controls: Vec<Control> = catalog.controls().cloned().collect();
        let judge_all = Judge::new(controls.clone());
        let shared = evidence(&[b, c]);
        let mixed = evidence(&[a]);
        for (id, evidence) in [("444444444444", &shared), ("555555555555", &shared), (OWN, &mixed), (OWN, &shared), (OWNER, &shared)] {
            let account = Account { id: id.parse().unwrap(), ..account(AccountState::Active) };
            let evidence = AccountEvidence { account: account.id, ..evidence.clone() };
            let alone: Vec<Finding> = controls
                .iter()
                .map(|control| judge(control, &JudgeContext::default(), &account, Some(&evidence)))
                .collect();
            prop_assert_eq!(judge_all.findings(&JudgeContext::default(), &account, Some(&evidence)), alone);
        }
    }
}

#[test]
fn the_basis_is_the_controls_and_the_context() {
    let catalog = Catalog::embedded().unwrap();
    let controls: Vec<Control> = catalog.controls().cloned().collect();
    let context = JudgeContext::default();
    let basis = Judge::new(controls.clone()).basis(&context);
    assert_eq!(Judge::new(controls.clone()).basis(&context), basis);
    assert_ne!(Judge::new(&controls[1..]).basis(&context), basis);
    let knows_a_trail = JudgeContext {
        organization_trails: evidence(&[Chain::good("good", OWNER)]).trails.unwrap(),
    };
    assert_ne!(Judge::new(controls).basis(&knows_a_trail), basis);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn adding_a_good_chain_makes_it_pass(a in any_chain("a", OWN), b in any_chain("b", OWNER)) {
        let good = Chain::good("good", OWN);
        prop_assert_eq!(judged(&[a, b, good]).verdict(), Verdict::Pass);
    }

    #[test]
    fn a_read_that_becomes_a_gap_leaves_the_verdict_or_makes_it_unknown(
        a in any_chain("a", OWN),
        b in any_chain("b", OWNER),
        index in 0..READS.len(),
    ) {
        let before = judged(&[a.clone(), b.clone()]).verdict();
        let mut blind = a;
        blind.unread[index] = true;
        let after = judged(&[blind, b]).verdict();
        prop_assert!(after == before || after == Verdict::Unknown, "{:?} became {:?}", before, after);
    }

    #[test]
    fn equal_evidence_gives_an_equal_finding(a in any_chain("a", OWN), b in any_chain("b", OWNER)) {
        prop_assert_eq!(judged(&[a.clone(), b.clone()]), judged(&[a, b]));
    }

    #[test]
    fn a_fail_always_names_its_link_and_a_pass_its_trail(a in any_chain("a", OWN), b in any_chain("b", OWNER)) {
        let finding = judged(&[a, b]);
        match finding.verdict() {
            Verdict::Pass => prop_assert!(finding.covered_by.is_some() && finding.link.is_none()),
            _ => prop_assert!(finding.link.is_some() && !finding.message.is_empty()),
        }
        prop_assert!(finding.node.is_none_or(|node| node < finding.chain.len()));
    }
}

#[test]
fn each_of_the_prescribed_filters_is_told_of_by_its_own_control_alone() {
    let catalog = Catalog::embedded().unwrap();
    let controls: Vec<&Control> = catalog.controls().collect();
    for missing in [None].into_iter().chain((0..controls.len()).map(Some)) {
        let there = |index: usize| missing != Some(index);
        let mut chain = Chain::good("own", OWN);
        let prescribed = controls.iter().enumerate();
        chain.patterns = prescribed
            .filter(|(index, _)| there(*index))
            .map(|(_, control)| control.prescription.filter_pattern.clone())
            .collect();
        let evidence = evidence(&[chain]);
        for (index, control) in controls.iter().enumerate() {
            let context = JudgeContext::default();
            let account = account(AccountState::Active);
            let finding = judge(control, &context, &account, Some(&evidence));
            if there(index) {
                assert_eq!(finding.reason, Reason::CoveredByOwnTrail, "{}", control.id);
                let at = index - usize::from(missing.is_some_and(|missing| missing < index));
                let through = format!("through the metric filter `own-{at}`");
                assert!(finding.message.ends_with(&through), "{}", finding.message);
                assert_eq!(finding.advice, [], "{}", control.id);
            } else {
                assert_eq!(finding.reason, Reason::FilterAbsent, "{}", control.id);
            }
        }
    }
}
