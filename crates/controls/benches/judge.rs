//! What judging costs: `cargo bench -p controls`; the figures are in `docs/performance.md`.

#![expect(clippy::expect_used, reason = "a benchmark fails by panicking")]

use std::{collections::BTreeMap, sync::Arc};

use controls::{Catalog, Control, Judge, JudgeContext, judge};
use divan::{Bencher, black_box};
use model::{
    Account, AccountId, AccountState, Arn, LogGroupArn,
    evidence::{
        AccountEvidence, AlarmLookup, Alarms, BasicEventSelector, Delivery, Dimensions,
        EventSelectors, FoundAlarms, LogGroupEvidence, MetricAlarm, MetricFilter,
        MetricTransformation, Place, PolicyStatement, Presence, Subscription, SubscriptionState,
        TopicAttributes, TopicEvidence, Trail, TrailEvidence, TrailStatus,
    },
};

const OWNER: &str = "999999999999";

fn main() {
    divan::main();
}

fn all_controls() -> Vec<Control> {
    let catalog = Catalog::embedded().expect("well formed");
    catalog.controls().cloned().collect()
}

fn arn(text: &str) -> Arn {
    text.parse().expect("well formed")
}

fn account(number: usize) -> Account {
    Account {
        id: format!("{:012}", 100_000_000_000 + number)
            .parse()
            .expect("well formed"),
        name: format!("account-{number}"),
        state: AccountState::Active,
        ou_path: None,
        tags: None,
    }
}

/// A chain in which each control has its prescribed filter and an alarm that fires.
fn chain(owner: &str, is_organization_trail: bool, controls: &[Control]) -> AccountEvidence {
    let id: AccountId = owner.parse().expect("well formed");
    let region = "us-east-1".parse().expect("well formed");
    let place = Place {
        account: id,
        region,
    };
    let trail = arn(&format!("arn:aws:cloudtrail:us-east-1:{owner}:trail/main"));
    let topic = arn(&format!("arn:aws:sns:us-east-1:{owner}:alerts"));
    let group: LogGroupArn = format!("arn:aws:logs:us-east-1:{owner}:log-group:main:*")
        .parse()
        .expect("well formed");
    let mut evidence = AccountEvidence::of_trails(
        id,
        vec![Trail {
            arn: trail.clone(),
            home_region: place.region.clone(),
            is_multi_region: true,
            is_organization_trail,
            log_group: Some(format!("{group}:*")),
        }],
    );
    let selector = BasicEventSelector {
        include_management_events: true,
        read_write_type: "All".to_owned(),
        exclude_management_event_sources: Vec::new(),
    };
    let detail = TrailEvidence {
        arn: trail.clone(),
        status: Ok(TrailStatus {
            is_logging: true,
            delivery: Delivery::Fresh,
        }),
        selectors: Ok(EventSelectors {
            basic: vec![selector],
            advanced: Vec::new(),
        }),
    };
    evidence.trail_details.insert(trail, Arc::new(detail));
    let mut filters: Vec<MetricFilter> = Vec::new();
    for control in controls {
        let transformation = MetricTransformation {
            metric_name: control.prescription.metric_name.clone(),
            namespace: control.prescription.metric_namespace.clone(),
            value: "1".to_owned(),
            default_value: None,
            dimensions: BTreeMap::new(),
            unit: None,
        };
        let metric = transformation.metric(place.clone());
        let alarm = alarm(owner, &transformation, &topic);
        let found = FoundAlarms {
            metric_alarms: vec![alarm],
            composite_alarms: Vec::new(),
        };
        let alarms = Alarms {
            metric: metric.clone(),
            lookup: AlarmLookup::ByMetric,
            found: Ok(found),
            monitoring: Vec::new(),
        };
        evidence.alarms.insert(metric, Arc::new(alarms));
        filters.push(MetricFilter {
            name: control.id.to_string(),
            pattern: control.prescription.filter_pattern.clone(),
            transformations: vec![transformation],
            apply_on_transformed_logs: false,
            field_selection_criteria: None,
            emit_system_field_dimensions: Vec::new(),
        });
    }
    filters.sort_by(|a, b| a.name.cmp(&b.name));
    let log_group = LogGroupEvidence {
        other_publishers: Some(Vec::new()),
        arn: group.clone(),
        class: Ok(Presence::Present(LogGroupEvidence::STANDARD.to_owned())),
        metric_filters: Ok(Presence::Present(filters)),
    };
    evidence.log_groups.insert(group, Arc::new(log_group));
    evidence
        .topics
        .insert(topic.clone(), Arc::new(topic_evidence(topic)));
    evidence
}

fn alarm(owner: &str, metric: &MetricTransformation, topic: &Arn) -> MetricAlarm {
    let name = &metric.metric_name;
    MetricAlarm {
        arn: arn(&format!(
            "arn:aws:cloudwatch:us-east-1:{owner}:alarm:{name}"
        )),
        name: name.clone(),
        actions_enabled: true,
        alarm_actions: vec![topic.to_string()],
        metric: Some((
            metric.namespace.clone(),
            name.clone(),
            Dimensions::default(),
        )),
        statistic: Some("Sum".to_owned()),
        extended_statistic: None,
        evaluate_low_sample_count_percentile: None,
        period_seconds: Some(300),
        unit: None,
        evaluation_periods: Some(1),
        datapoints_to_alarm: None,
        threshold: Some(1.0),
        comparison_operator: Some("GreaterThanOrEqualToThreshold".to_owned()),
        treat_missing_data: Some("notBreaching".to_owned()),
        metrics: Vec::new(),
        unknown_settings: Vec::new(),
    }
}

fn topic_evidence(topic: Arn) -> TopicEvidence {
    let statement = PolicyStatement {
        effect: "Allow".to_owned(),
        principals: [(
            "Service".to_owned(),
            vec!["cloudwatch.amazonaws.com".to_owned()],
        )]
        .into(),
        actions: vec!["sns:Publish".to_owned()],
        resources: vec![topic.to_string()],
        ..PolicyStatement::default()
    };
    let confirmed = arn(&format!("{topic}:0b6a1f7e-1"));
    TopicEvidence {
        arn: topic,
        attributes: Ok(Presence::Present(TopicAttributes {
            policy: Some(vec![statement]),
            ..TopicAttributes::default()
        })),
        subscriptions: Ok(Presence::Present(vec![Subscription {
            state: SubscriptionState::Confirmed(confirmed),
            protocol: "https".to_owned(),
            endpoint: "pager.example.com".to_owned(),
        }])),
    }
}

/// Accounts and what each of them shows.
fn members(
    accounts: usize,
    evidence_of: impl Fn(&Account) -> AccountEvidence,
) -> Vec<(Account, AccountEvidence)> {
    let accounts = (0..accounts).map(account);
    accounts
        .map(|account| {
            let evidence = AccountEvidence {
                account: account.id,
                ..evidence_of(&account)
            };
            (account, evidence)
        })
        .collect()
}

fn judge_each(judge: &Judge, members: &[(Account, AccountEvidence)]) {
    let context = JudgeContext::default();
    for (account, evidence) in members {
        black_box(judge.findings(&context, account, Some(evidence)));
    }
}

/// All members of an organization, by every control, under one organization trail. From nothing: the
/// first account is judged in full.
#[divan::bench(args = [1_000, 10_000], sample_count = 10, sample_size = 1)]
fn members_under_one_organization_trail(bencher: Bencher<'_, '_>, accounts: usize) {
    let controls = all_controls();
    let shared = chain(OWNER, true, &controls);
    let members = members(accounts, |_| shared.clone());
    bencher
        .with_inputs(|| Judge::new(controls.clone()))
        .bench_local_refs(|judge| judge_each(judge, &members));
}

/// Accounts with a chain of their own, made from one template.
#[divan::bench(args = [1_000], sample_count = 10, sample_size = 1)]
fn accounts_with_their_own_chain(bencher: Bencher<'_, '_>, accounts: usize) {
    let controls = all_controls();
    let members = members(accounts, |account| {
        chain(&account.id.to_string(), false, &controls)
    });
    bencher
        .with_inputs(|| Judge::new(controls.clone()))
        .bench_local_refs(|judge| judge_each(judge, &members));
}

/// One account by every control, with nothing known before.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn one_account_by_itself(bencher: Bencher<'_, '_>) {
    let controls = all_controls();
    let evidence = chain(OWNER, true, &controls);
    let account = account(1);
    bencher.bench_local(|| {
        for control in &controls {
            let context = JudgeContext::default();
            black_box(judge(control, &context, &account, Some(&evidence)));
        }
    });
}
