//! What accounts show: a chain in which each control has its prescribed filter and an alarm that fires.

use std::{collections::BTreeMap, sync::Arc};

use controls::Control;
use model::{
    AccountId, Arn, Gap, GapClass, GapSample, LogGroupArn,
    evidence::{
        AccountEvidence, AlarmLookup, Alarms, BasicEventSelector, Delivery, Dimensions,
        EventSelectors, FoundAlarms, LogGroupEvidence, MetricAlarm, MetricFilter,
        MetricTransformation, Place, PolicyStatement, Presence, Subscription, SubscriptionState,
        TopicAttributes, TopicEvidence, Trail, TrailEvidence, TrailStatus,
    },
};

use crate::Outcome;

/// What is wrong with a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Defect {
    /// The alarm of this control is gone.
    AlarmGone(usize),
    /// It tells nobody.
    ActionsDisabled(usize),
    /// Nobody is subscribed to the topic: every control fails.
    NoSubscriber,
}

/// A chain from a trail of this owner to a subscriber.
pub(crate) fn chain(
    owner: AccountId,
    is_organization_trail: bool,
    controls: &[Control],
    defect: Option<Defect>,
) -> Outcome<AccountEvidence> {
    let place = Place {
        account: owner,
        region: "us-east-1".parse()?,
    };
    let trail: Arn = format!("arn:aws:cloudtrail:us-east-1:{owner}:trail/main").parse()?;
    let topic: Arn = format!("arn:aws:sns:us-east-1:{owner}:alerts").parse()?;
    let group: LogGroupArn = format!("arn:aws:logs:us-east-1:{owner}:log-group:main:*").parse()?;
    let shown = Trail {
        arn: trail.clone(),
        home_region: place.region.clone(),
        is_multi_region: true,
        is_organization_trail,
        log_group: Some(format!("{group}:*")),
    };
    let mut evidence = AccountEvidence::of_trails(owner, vec![shown]);
    (evidence.trail_details).insert(trail.clone(), Arc::new(trail_evidence(trail)));
    let mut filters: Vec<MetricFilter> = Vec::new();
    for (at, control) in controls.iter().enumerate() {
        let transformation = MetricTransformation {
            metric_name: control.prescription.metric_name.clone(),
            namespace: control.prescription.metric_namespace.clone(),
            value: "1".to_owned(),
            default_value: None,
            dimensions: BTreeMap::new(),
            unit: None,
        };
        let metric = transformation.metric(place.clone());
        let mut metric_alarms = Vec::new();
        if defect != Some(Defect::AlarmGone(at)) {
            let tells = defect != Some(Defect::ActionsDisabled(at));
            metric_alarms.push(alarm(owner, &transformation, &topic, tells)?);
        }
        let alarms = Alarms {
            metric: metric.clone(),
            lookup: AlarmLookup::ByMetric,
            found: Ok(FoundAlarms {
                metric_alarms,
                composite_alarms: Vec::new(),
            }),
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
    let subscribed = defect != Some(Defect::NoSubscriber);
    let told = topic_evidence(topic.clone(), subscribed)?;
    evidence.topics.insert(topic, Arc::new(told));
    Ok(evidence)
}

/// An account that could not be entered.
pub(crate) fn not_entered(account: AccountId) -> AccountEvidence {
    AccountEvidence {
        trails: Err(Gap {
            class: GapClass::AccessDenied,
            api: "sts:AssumeRole".to_owned(),
            resource: Some(format!("arn:aws:iam::{account}:role/audit")),
            account: Some(account),
            region: None,
            sample: GapSample {
                message: "not authorized to perform: sts:AssumeRole".to_owned(),
                request_id: Some(format!("00000000-0000-4000-8000-{account}")),
            },
        }),
        ..AccountEvidence::of_trails(account, Vec::new())
    }
}

fn trail_evidence(arn: Arn) -> TrailEvidence {
    let selector = BasicEventSelector {
        include_management_events: true,
        read_write_type: "All".to_owned(),
        exclude_management_event_sources: Vec::new(),
    };
    TrailEvidence {
        arn,
        status: Ok(TrailStatus {
            is_logging: true,
            delivery: Delivery::Fresh,
        }),
        selectors: Ok(EventSelectors {
            basic: vec![selector],
            advanced: Vec::new(),
        }),
    }
}

fn alarm(
    owner: AccountId,
    metric: &MetricTransformation,
    topic: &Arn,
    actions_enabled: bool,
) -> Outcome<MetricAlarm> {
    let name = &metric.metric_name;
    Ok(MetricAlarm {
        arn: format!("arn:aws:cloudwatch:us-east-1:{owner}:alarm:{name}").parse()?,
        name: name.clone(),
        actions_enabled,
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
    })
}

fn topic_evidence(topic: Arn, is_subscribed: bool) -> Outcome<TopicEvidence> {
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
    let mut subscriptions = Vec::new();
    if is_subscribed {
        subscriptions.push(Subscription {
            state: SubscriptionState::Confirmed(format!("{topic}:0b6a1f7e-1").parse()?),
            protocol: "https".to_owned(),
            endpoint: "pager.example.com".to_owned(),
        });
    }
    Ok(TopicEvidence {
        arn: topic,
        attributes: Ok(Presence::Present(TopicAttributes {
            policy: Some(vec![statement]),
            ..TopicAttributes::default()
        })),
        subscriptions: Ok(Presence::Present(subscriptions)),
    })
}
