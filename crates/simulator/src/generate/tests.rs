//! Generated worlds: their mix, at any size and seed.

use super::*;
use crate::world::{ChainNames, TopicPolicy};

fn counts(world: &World) -> (usize, usize, usize) {
    let accounts = world.accounts();
    let uncovered = accounts
        .iter()
        .filter(|account| !account.sees_organization_trail)
        .count();
    let retired = accounts
        .iter()
        .filter(|account| account.state != AccountState::Active)
        .count();
    (accounts.len(), uncovered, retired)
}

#[test]
fn equal_options_give_equal_worlds_and_other_seeds_do_not() {
    let options = GenerateOptions {
        accounts: 200,
        ..GenerateOptions::default()
    };
    let print = |options: &GenerateOptions| format!("{:?}", World::generate(options).accounts());
    assert_eq!(print(&options), print(&options));
    assert_ne!(
        print(&options),
        print(&GenerateOptions { seed: 2, ..options })
    );
}

#[test]
fn every_size_gives_that_many_accounts_of_different_ids_and_names() {
    for accounts in [1, 2, 3, 4, 5, 10, 30, 50, 200, 1_000] {
        for seed in 0..8 {
            let options = GenerateOptions {
                accounts,
                seed,
                ..GenerateOptions::default()
            };
            let world = World::generate(&options);
            let ids: HashSet<_> = world.accounts().iter().map(|it| it.id.as_str()).collect();
            let names: HashSet<_> = world.accounts().iter().map(|it| it.name.as_str()).collect();
            assert_eq!((ids.len(), names.len()), (accounts, accounts));
            assert!(ids.iter().all(|id| id.len() == 12));
        }
    }
}

#[test]
fn the_mix_is_what_the_options_say() {
    for accounts in [30, 50, 200, 1_000] {
        let options = GenerateOptions {
            accounts,
            ..GenerateOptions::default()
        };
        let mix = options.mix();
        let (all, uncovered, retired) = counts(&World::generate(&options));
        assert_eq!(all, accounts);
        assert_eq!(retired, mix.not_applicable);
        let with_own_chain = mix.failing + mix.own_chain + mix.one_control;
        assert!(uncovered >= with_own_chain);
        assert!(uncovered <= with_own_chain + mix.unknown);
        assert!(mix.failing * 100 >= 6 * accounts && mix.failing * 100 <= 10 * accounts);
        assert!(mix.unknown >= 1 && mix.not_applicable >= 1 && mix.own_chain >= 1);
    }
}

#[test]
fn a_healthy_world_has_good_chains_alone_and_as_many_as_asked_for() {
    for (own_trails, wanted) in [
        (None, 20),
        (Some(0.05), 50),
        (Some(0.0), 0),
        (Some(1.0), 997),
    ] {
        let options = GenerateOptions {
            accounts: 1_000,
            seed: 3,
            healthy: true,
            own_trails,
            ..GenerateOptions::default()
        };
        assert!(options.organization_chain_works());
        let world = World::generate(&options);
        assert_eq!(counts(&world), (1_000, wanted, 0));
        let with_trail = world.accounts().iter().filter(|it| !it.trails.is_empty());
        assert_eq!(with_trail.count(), wanted + 1);
        let is_closed = |it: &&Account| {
            !it.deny.is_empty() || !it.scp_deny.is_empty() || !it.region_deny.is_empty()
        };
        assert_eq!(world.accounts().iter().filter(is_closed).count(), 0);
    }
}

#[test]
fn another_share_of_own_trails_leaves_the_rest_of_the_mix() {
    let options = GenerateOptions {
        accounts: 1_000,
        ..GenerateOptions::default()
    };
    let more = GenerateOptions {
        own_trails: Some(0.3),
        ..options.clone()
    };
    let expected = Mix {
        own_chain: 300,
        ..options.mix()
    };
    assert_eq!(more.mix(), expected);
    assert_eq!(counts(&World::generate(&more)).0, 1_000);
}

#[test]
fn every_fourth_seed_breaks_the_organizations_own_chain() {
    let works = |seed| GenerateOptions {
        seed,
        ..GenerateOptions::default()
    };
    let broken: Vec<u64> = (0..12)
        .filter(|seed| !works(*seed).organization_chain_works())
        .collect();
    assert_eq!(broken, [3, 7, 11]);
}

#[test]
fn a_canary_is_in_every_free_text_and_in_no_name() {
    let options = GenerateOptions {
        accounts: 100,
        canary: Some("c4n4ry".to_owned()),
        ..GenerateOptions::default()
    };
    for account in World::generate(&options).accounts() {
        assert!(account.email.contains("c4n4ry"));
        assert!(account.tags.values().all(|value| value.contains("c4n4ry")));
        assert!(!account.name.contains("c4n4ry"));
        assert!(
            account
                .alarms
                .iter()
                .all(|it| it.description.contains("c4n4ry"))
        );
        let endpoints = account.topics.iter().flat_map(|topic| &topic.subscriptions);
        assert!(
            endpoints
                .into_iter()
                .all(|it| it.endpoint.contains("c4n4ry"))
        );
    }
}

#[test]
fn hostile_names_come_only_when_asked_for() {
    let mild = GenerateOptions {
        accounts: 300,
        ..GenerateOptions::default()
    };
    let hostile = GenerateOptions {
        hostile_names: true,
        ..mild.clone()
    };
    let has = |options: &GenerateOptions, text: char| {
        World::generate(options)
            .accounts()
            .iter()
            .any(|account| account.name.contains(text))
    };
    assert!(!has(&mild, '\u{1b}') && !has(&mild, '<'));
    assert!(has(&hostile, '\u{1b}') && has(&hostile, '<'));
}

#[test]
fn every_way_of_breaking_changes_the_chain() {
    for way in 0..broken::WAYS {
        let mut account = Account::new("123456789012", "x");
        account.add_complete_chain(Partition::Aws, "us-east-1", &ChainNames::default());
        let before = format!("{account:?}");
        broken::break_chain(&mut account, Partition::Aws, way);
        assert_ne!(format!("{account:?}"), before, "way {way}");
    }
}

#[test]
fn a_working_organization_chain_has_a_filter_and_an_alarm_for_every_control() {
    for seed in 1..3 {
        let options = GenerateOptions {
            seed,
            ..GenerateOptions::default()
        };
        let world = World::generate(&options);
        let trail = &world.management().unwrap().trails[0];
        let group_arn = trail.log_group_arn.as_deref().unwrap();
        let owner = world.account(group_arn.split(':').nth(4).unwrap()).unwrap();
        let patterns: Vec<String> = BenchmarkControl::ALL.map(BenchmarkControl::pattern).into();
        let filters = &owner.log_groups[0].metric_filters;
        let found: Vec<&String> = filters.iter().map(|filter| &filter.pattern).collect();
        assert_eq!(found, patterns.iter().collect::<Vec<_>>());
        for (filter, alarm) in filters.iter().zip(&owner.alarms) {
            assert_eq!(filter.metric, alarm.metric);
            assert!(alarm.alarm_actions[0].contains(":sns:"));
        }
        let topic = owner.alarms[0].alarm_actions[0].split(':').nth(4).unwrap();
        assert_ne!(topic, owner.id, "the topic is in another account");
        let TopicPolicy::Document(policy) = &world.account(topic).unwrap().topics[0].policy else {
            panic!("the default policy does not admit alarms of other accounts");
        };
        assert!(policy.contains(&owner.id), "{policy}");
    }
}

#[test]
fn every_way_of_breaking_one_control_leaves_the_others_alone() {
    for control in BenchmarkControl::ALL {
        for way in 0..broken::WAYS_OF_A_CONTROL {
            let mut account = Account::new("123456789012", "x");
            account.add_complete_chain(Partition::Aws, "us-east-1", &ChainNames::default());
            let whole = account.clone();
            broken::break_control(&mut account, control, way);
            let filters = account.log_groups[0].metric_filters.iter();
            let same_filters = filters
                .filter(|it| whole.log_groups[0].metric_filters.contains(it))
                .count();
            let alarms = account.alarms.iter();
            let same_alarms = alarms.filter(|it| whole.alarms.contains(it)).count();
            assert_eq!(same_filters + same_alarms, 29, "{control:?} {way}");
        }
    }
}

#[test]
fn some_accounts_break_one_control_and_others_all() {
    let options = GenerateOptions {
        accounts: 1_000,
        ..GenerateOptions::default()
    };
    let world = World::generate(&options);
    let filters_of = |account: &Account| -> usize {
        account
            .log_groups
            .iter()
            .map(|it| it.metric_filters.len())
            .sum()
    };
    let disabled_of = |account: &Account| {
        let disabled = account.alarms.iter().filter(|it| !it.actions_enabled);
        disabled.count()
    };
    let accounts = world.accounts();
    for filters in [0, 14, 15] {
        assert!(accounts.iter().any(|it| filters_of(it) == filters));
    }
    for disabled in [0, 1, 15] {
        assert!(accounts.iter().any(|it| disabled_of(it) == disabled));
    }
}

#[test]
fn other_partitions_have_their_own_arns_and_regions() {
    for partition in [Partition::GovCloud, Partition::China] {
        let options = GenerateOptions {
            partition,
            ..GenerateOptions::default()
        };
        let world = World::generate(&options);
        let print = format!("{:?}", world.accounts());
        assert!(!print.contains("arn:aws:"), "{partition:?}");
        assert!(print.contains(&format!("arn:{}:", partition.name())));
        assert!(!print.contains("us-east-1"));
    }
}
