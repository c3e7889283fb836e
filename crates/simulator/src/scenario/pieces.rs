//! The pieces of a chain: what a scenario writes about them, made whole.

use super::ScenarioError;
use super::format::{
    AccountTable, AlarmTable, CompositeAlarmTable, DeliveryKind, FilterTable, SelectorPreset,
    TopicTable, TrailTable,
};
use super::resolve::{Place, problem};
use crate::world::{
    Account, AdvancedSelector, Alarm, CompositeAlarm, Delivery, EventSelector, FieldSelector,
    LogGroup, MetricFilter, ORGANIZATIONS_EVENTS, Selectors, Subscription, Topic, Trail,
    log_group_arn, pattern_for,
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

/// Puts the filter on its log group, which is made if the scenario does not list it.
pub(super) fn add_filter(
    account: &mut Account,
    account_table: &AccountTable,
    table: &FilterTable,
    place: &Place<'_>,
) -> Result<(), ScenarioError> {
    let region = place.region(table.region.as_ref());
    let filter = MetricFilter {
        name: table.name.clone(),
        pattern: pattern(account_table, table)?,
        namespace: table.namespace.clone(),
        metric: table.metric.clone(),
        value: table.value.clone(),
        default_value: table.default,
        dimensions: table.dimensions.clone(),
        unit: table.unit.clone(),
        apply_on_transformed_logs: table.on_transformed_logs,
        field_selection_criteria: table.field_selection.clone(),
        emit_system_field_dimensions: table.emit_dimensions.clone(),
    };
    let groups = &mut account.log_groups;
    let found = groups
        .iter_mut()
        .find(|group| group.region == region && group.name == table.log_group);
    match found {
        Some(group) => group.metric_filters.push(filter),
        None => groups.push(LogGroup {
            name: table.log_group.clone(),
            region,
            class: "STANDARD".to_owned(),
            metric_filters: vec![filter],
        }),
    }
    Ok(())
}

fn pattern(account: &AccountTable, table: &FilterTable) -> Result<String, ScenarioError> {
    let wrong = |message: String| {
        Err(problem(
            account,
            format!("filter `{}`: {message}", table.name),
        ))
    };
    if let Some(pattern) = &table.pattern {
        if table.events.is_some() || !table.except.is_empty() || table.and.is_some() {
            return wrong("a whole pattern leaves no room for events, except and and".to_owned());
        }
        return Ok(pattern.clone());
    }
    if let Some(name) = table
        .except
        .iter()
        .find(|name| !ORGANIZATIONS_EVENTS.contains(&name.as_str()))
    {
        return wrong(format!("`{name}` is none of the 18 events"));
    }
    let core = match &table.events {
        Some(_) if !table.except.is_empty() => {
            return wrong("events and except exclude each other".to_owned());
        }
        Some(events) => pattern_for(events.iter().map(String::as_str)),
        None => pattern_for(
            ORGANIZATIONS_EVENTS
                .into_iter()
                .filter(|event| !table.except.iter().any(|excepted| excepted == event)),
        ),
    };
    Ok(match &table.and {
        None => core,
        Some(condition) => {
            let inner = core.trim_start_matches('{').trim_end_matches('}').trim();
            format!("{{ {inner} && ({condition}) }}")
        }
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
    Ok(Alarm {
        name: table.name.clone(),
        description: table.description.clone(),
        metric: table.metric.clone(),
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
        queries: table.queries.clone(),
        threshold_metric_id: table.threshold_metric_id.clone(),
        evaluation_state: table.evaluation_state.clone(),
        state_note: String::new(),
        region,
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

pub(super) fn topic(table: &TopicTable, place: &Place<'_>) -> Result<Topic, ScenarioError> {
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
    Ok(Topic {
        name: table.name.clone(),
        region: place.region(table.region.as_ref()),
        display_name: table.display_name.clone(),
        subscriptions,
        readable_by,
        policy: table.policy.clone(),
        kms_key: table.kms_key.clone(),
    })
}
