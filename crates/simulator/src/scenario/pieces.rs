//! The pieces of a chain: what a scenario writes about them, made whole.

use super::ScenarioError;
use super::format::{
    AccountTable, AlarmTable, CompositeAlarmTable, DeliveryKind, EventRuleTable, FilterTable,
    LogGroupTable, MuteRuleTable, SelectorPreset, TopicTable, TrailTable,
};
use super::resolve::{Place, problem};
use crate::world::{
    Account, AdvancedSelector, Alarm, CompositeAlarm, Delivery, EventRule, EventSelector,
    EventTarget, FieldSelector, LogGroup, MetricFilter, MetricQuery, MuteRule, Naming, PolicyKind,
    Selectors, Subscription, Topic, TopicPolicy, Trail, log_group_arn, narrowed,
};

pub(super) fn trail(
    account: &AccountTable,
    table: &TrailTable,
    id: &str,
    place: &Place<'_>,
) -> Result<Trail, ScenarioError> {
    let home_region = place.region(table.region.as_ref());
    let group_account = match &table.log_group_account {
        Some(name) => place.names.id("a trail's log_group_account", name)?,
        None => id.to_owned(),
    };
    let group_region = table.log_group_region.as_ref().unwrap_or(&home_region);
    let log_group_arn = (!table.without_log_group).then(|| {
        log_group_arn(
            place.partition,
            group_region,
            &group_account,
            &table.log_group,
        )
    });
    let selectors = match (
        &table.selectors,
        &table.event_selectors,
        &table.advanced_selectors,
    ) {
        (None, None, None) => Selectors::all_management_events(),
        (Some(preset), None, None) => preset_selectors(*preset),
        (None, Some(basic), None) => Selectors::Basic(basic.clone()),
        (None, None, Some(advanced)) => Selectors::Advanced(advanced.clone()),
        _ => {
            let message = format!(
                "trail `{}` has more than one of selectors, event_selectors and \
                 advanced_selectors",
                table.name
            );
            return Err(problem(account, message));
        }
    };
    Ok(Trail {
        name: table.name.clone(),
        home_region,
        is_multi_region: table.multi_region,
        is_organization: table.organization,
        is_logging: table.logging,
        log_group_arn,
        selectors,
        delivery: delivery(table),
        s3_bucket: format!("trail-logs-{id}"),
        kms_key: table.kms_key.clone(),
    })
}

fn preset_selectors(preset: SelectorPreset) -> Selectors {
    match preset {
        SelectorPreset::All => Selectors::all_management_events(),
        SelectorPreset::ReadOnly => Selectors::only("ReadOnly"),
        SelectorPreset::WriteOnly => Selectors::only("WriteOnly"),
        SelectorPreset::NoManagement => Selectors::Basic(vec![EventSelector {
            include_management_events: false,
            ..EventSelector::default()
        }]),
        SelectorPreset::Empty => Selectors::Basic(Vec::new()),
        SelectorPreset::AdvancedAll => Selectors::advanced(&[None]),
        SelectorPreset::AdvancedReadOnly => Selectors::advanced(&[Some("true")]),
        SelectorPreset::AdvancedWriteOnly => Selectors::advanced(&[Some("false")]),
        SelectorPreset::AdvancedSplit => Selectors::advanced(&[Some("true"), Some("false")]),
        SelectorPreset::AdvancedData => Selectors::Advanced(vec![AdvancedSelector {
            name: Some("Data events".to_owned()),
            fields: vec![
                FieldSelector {
                    field: "eventCategory".to_owned(),
                    equals: vec!["Data".to_owned()],
                    ..FieldSelector::default()
                },
                FieldSelector {
                    field: "resources.type".to_owned(),
                    equals: vec!["AWS::S3::Object".to_owned()],
                    ..FieldSelector::default()
                },
            ],
        }]),
    }
}

fn delivery(table: &TrailTable) -> Delivery {
    let (code, hours) = (table.delivery_error.clone(), table.delivery_hours);
    match table.delivery {
        DeliveryKind::Fresh => Delivery::Fresh,
        DeliveryKind::Stale => Delivery::Stale { hours },
        DeliveryKind::Failing => Delivery::Failing {
            code,
            last_success_hours: Some(hours),
        },
        DeliveryKind::NeverWorked => Delivery::Failing {
            code,
            last_success_hours: None,
        },
        DeliveryKind::Never => Delivery::Never,
    }
}

pub(super) fn log_group(table: &LogGroupTable, place: &Place<'_>) -> LogGroup {
    LogGroup {
        class: (!table.without_class).then(|| table.class.clone()),
        retention_days: table.retention_days,
        ..LogGroup::new(&table.name, place.region(table.region.as_ref()))
    }
}

/// Puts the filter on its log group, which is made if the scenario does not list it.
pub(super) fn add_filter(
    account: &mut Account,
    account_table: &AccountTable,
    table: &FilterTable,
    place: &Place<'_>,
) -> Result<(), ScenarioError> {
    let region = place.region(table.region.as_ref());
    let filter = metric_filter(account_table, table)?;
    let groups = &mut account.log_groups;
    let found = groups
        .iter_mut()
        .find(|group| group.region == region && group.name == table.log_group);
    match found {
        Some(group) => group.metric_filters.push(filter),
        None => groups.push(LogGroup {
            metric_filters: vec![filter],
            ..LogGroup::new(&table.log_group, region)
        }),
    }
    Ok(())
}

pub(super) fn metric_filter(
    account: &AccountTable,
    table: &FilterTable,
) -> Result<MetricFilter, ScenarioError> {
    let names = Naming::Slugs.of(table.control);
    Ok(MetricFilter {
        name: table.name.clone().unwrap_or(names.filter),
        pattern: pattern(account, table)?,
        namespace: table.namespace.clone(),
        metric: table.metric.clone().unwrap_or(names.metric),
        value: table.value.clone(),
        default_value: table.default,
        dimensions: table.dimensions.clone(),
        unit: table.unit.clone(),
        apply_on_transformed_logs: table.on_transformed_logs,
        field_selection_criteria: table.field_selection.clone(),
        emit_system_field_dimensions: table.emit_dimensions.clone(),
    })
}

fn pattern(account: &AccountTable, table: &FilterTable) -> Result<String, ScenarioError> {
    let control = table.control;
    let wrong = |message: String| {
        let name = table.name.as_deref().unwrap_or(control.slug());
        Err(problem(account, format!("filter `{name}`: {message}")))
    };
    if let Some(pattern) = &table.pattern {
        if table.events.is_some() || !table.except.is_empty() || table.and.is_some() {
            return wrong("a whole pattern leaves no room for events, except and and".to_owned());
        }
        return Ok(pattern.clone());
    }
    let events = control.events();
    if let Some(name) = table
        .except
        .iter()
        .find(|name| !events.contains(&name.as_str()))
    {
        return wrong(format!("`{name}` is none of the {} events", events.len()));
    }
    if events.is_empty() && table.events.is_some() {
        return wrong(format!("`{}` has no list of events", control.slug()));
    }
    let core = match &table.events {
        Some(_) if !table.except.is_empty() => {
            return wrong("events and except exclude each other".to_owned());
        }
        Some(events) => control.pattern_for(events.iter().map(String::as_str)),
        None => {
            let is_left = |event: &&str| !table.except.iter().any(|excepted| excepted == event);
            control.pattern_for(events.iter().copied().filter(is_left))
        }
    };
    Ok(match &table.and {
        None => core,
        Some(condition) => narrowed(&core, condition),
    })
}

pub(super) fn alarm(
    table: &AlarmTable,
    id: &str,
    place: &Place<'_>,
) -> Result<Alarm, ScenarioError> {
    let region = place.region(table.region.as_ref());
    let by_queries = !table.queries.is_empty();
    let statistic =
        (!by_queries && table.extended_statistic.is_none()).then(|| table.statistic.clone());
    let names = Naming::Slugs.of(table.control);
    let description = table.description.as_deref();
    let queries = table
        .queries
        .iter()
        .map(|query| metric_query(query, place))
        .collect::<Result<_, _>>()?;
    Ok(Alarm {
        name: table.name.clone().unwrap_or(names.alarm),
        description: description.unwrap_or(table.control.message()).to_owned(),
        metric: table.metric.clone().unwrap_or(names.metric),
        namespace: table.namespace.clone(),
        dimensions: table.dimensions.clone(),
        statistic,
        extended_statistic: table.extended_statistic.clone(),
        period: table.period,
        unit: table.unit.clone(),
        evaluation_periods: table.evaluation_periods,
        datapoints_to_alarm: table.datapoints,
        threshold: table
            .threshold_metric_id
            .is_none()
            .then_some(table.threshold),
        comparison: table.comparison.clone(),
        treat_missing_data: table.missing.clone(),
        actions_enabled: table.actions_enabled,
        alarm_actions: place.actions(id, &region, &table.actions)?,
        ok_actions: place.actions(id, &region, &table.ok_actions)?,
        insufficient_data_actions: place.actions(id, &region, &table.insufficient_data_actions)?,
        queries,
        threshold_metric_id: table.threshold_metric_id.clone(),
        evaluation_state: table.evaluation_state.clone(),
        low_sample_percentile: table.low_sample_percentile.clone(),
        evaluation_window: table.evaluation_window,
        warm_up_minutes: table.warm_up_minutes,
        evaluation_interval: table.evaluation_interval,
        state_note: String::new(),
        region,
    })
}

/// Metric math reads metrics of other accounts as well.
fn metric_query(query: &MetricQuery, place: &Place<'_>) -> Result<MetricQuery, ScenarioError> {
    let account = query
        .account
        .as_ref()
        .map(|name| place.names.id("an alarm's queries", name))
        .transpose()?;
    Ok(MetricQuery {
        account,
        ..query.clone()
    })
}

pub(super) fn composite_alarm(
    table: &CompositeAlarmTable,
    id: &str,
    place: &Place<'_>,
) -> Result<CompositeAlarm, ScenarioError> {
    let region = place.region(table.region.as_ref());
    Ok(CompositeAlarm {
        name: table.name.clone(),
        description: table.description.clone(),
        rule: table.rule.clone(),
        actions_enabled: table.actions_enabled,
        alarm_actions: place.actions(id, &region, &table.actions)?,
        ok_actions: place.actions(id, &region, &table.ok_actions)?,
        insufficient_data_actions: place.actions(id, &region, &table.insufficient_data_actions)?,
        suppressor: table.suppressor.clone(),
        state_note: String::new(),
        region,
    })
}

pub(super) fn mute_rule(table: &MuteRuleTable, place: &Place<'_>) -> MuteRule {
    MuteRule {
        name: table.name.clone(),
        region: place.region(table.region.as_ref()),
        alarms: table.alarms.clone(),
        status: table.status,
        kind: table.kind,
    }
}

pub(super) fn event_rule(
    table: &EventRuleTable,
    id: &str,
    place: &Place<'_>,
) -> Result<EventRule, ScenarioError> {
    let region = place.region(table.region.as_ref());
    let targets = place
        .actions(id, &region, &table.targets)?
        .into_iter()
        .enumerate()
        .map(|(number, arn)| EventTarget {
            id: format!("target-{number}"),
            arn,
            input: None,
        })
        .collect();
    let pattern = match (&table.pattern, &table.schedule) {
        (None, None) => Some(ORGANIZATIONS_CALLS.to_owned()),
        (pattern, _) => pattern.clone(),
    };
    Ok(EventRule {
        name: table.name.clone(),
        bus: table.bus.clone(),
        description: String::new(),
        pattern,
        schedule: table.schedule.clone(),
        state: table.state.clone(),
        managed_by: table.managed_by.clone(),
        targets,
        region,
    })
}

/// As the console writes it for the calls of a service.
const ORGANIZATIONS_CALLS: &str = "{\"source\":[\"aws.organizations\"],\
     \"detail-type\":[\"AWS API Call via CloudTrail\"],\
     \"detail\":{\"eventSource\":[\"organizations.amazonaws.com\"]}}";

pub(super) fn topic(
    account: &AccountTable,
    table: &TopicTable,
    id: &str,
    place: &Place<'_>,
) -> Result<Topic, ScenarioError> {
    let readable_by = table
        .readable_by
        .iter()
        .map(|reader| match reader.as_str() {
            "*" => Ok("*".to_owned()),
            name => place.names.id("a topic's readable_by", name),
        })
        .collect::<Result<_, _>>()?;
    let subscriptions = table
        .subscriptions
        .iter()
        .map(|subscription| Subscription {
            protocol: subscription.protocol.clone(),
            endpoint: subscription.endpoint.clone(),
            state: subscription.state,
            owner: None,
        })
        .collect();
    let topic = Topic::new(&table.name, place.region(table.region.as_ref()));
    Ok(Topic {
        display_name: table.display_name.clone(),
        subscriptions,
        readable_by,
        policy: topic_policy(account, table, &topic, id, place)?,
        kms_key: table.kms_key.clone(),
        ..topic
    })
}

fn topic_policy(
    account: &AccountTable,
    table: &TopicTable,
    topic: &Topic,
    id: &str,
    place: &Place<'_>,
) -> Result<TopicPolicy, ScenarioError> {
    if table.policy.trim_start().starts_with('{') {
        return Ok(TopicPolicy::Document(table.policy.clone()));
    }
    let Some(kind) = PolicyKind::named(&table.policy) else {
        let known: Vec<&str> = PolicyKind::names().collect();
        let message = format!(
            "topic `{}`: `{}` is no kind of policy, nor JSON; kinds are {}",
            table.name,
            table.policy,
            known.join(", ")
        );
        return Err(problem(account, message));
    };
    let mut accounts = table
        .policy_accounts
        .iter()
        .map(|name| place.names.id("a topic's policy_accounts", name))
        .collect::<Result<Vec<_>, _>>()?;
    if accounts.is_empty() {
        accounts.push(id.to_owned());
    }
    let arn = format!(
        "arn:{}:sns:{}:{id}:{}",
        place.partition.name(),
        topic.region,
        topic.name
    );
    Ok(kind.policy(&arn, &accounts, place.organization))
}
