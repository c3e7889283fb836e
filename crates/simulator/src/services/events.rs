//! EventBridge: rules and their targets, another way to hear of a change.

use super::Call;
use crate::api_error::ApiError;
use crate::service::Service;
use crate::value::{Fields, Value};
use crate::world::{EventRule, EventTarget};

const PAGE: usize = 100;
const LARGEST_PAGE: i64 = 100;
/// The bus that AWS services send to. Every account has it, and none can delete it.
const DEFAULT_BUS: &str = "default";

pub(super) fn answer(operation: &str, call: &Call<'_>) -> Result<Fields, ApiError> {
    match operation {
        "ListRules" => list_rules(call),
        "ListTargetsByRule" => list_targets(call),
        other => Err(Service::Events.unknown_operation(other)),
    }
}

fn list_rules(call: &Call<'_>) -> Result<Fields, ApiError> {
    let bus = asked_bus(call)?;
    call.authorize("events:ListRules", Some(&call.arn("events", "rule/*")))?;
    if !bus_exists(call, bus) {
        return Err(not_found(&format!("Event bus {bus} does not exist.")));
    }
    let prefix = call.params.text("NamePrefix")?.unwrap_or_default();
    let rules: Vec<&EventRule> = rules_on(call, bus)
        .filter(|rule| rule.name.starts_with(prefix))
        .collect();
    let asked = call.asked_size("Limit", LARGEST_PAGE)?;
    let page = call.page(rules.len(), PAGE, asked, "NextToken")?;
    let items: Vec<Value> = page
        .positions
        .into_iter()
        .map(|position| rule_fields(call, rules[position]).into())
        .collect();
    Ok(Fields::new()
        .with("Rules", items)
        .maybe("NextToken", page.next_token))
}

fn list_targets(call: &Call<'_>) -> Result<Fields, ApiError> {
    let bus = asked_bus(call)?;
    let name = call.params.required("Rule")?;
    let resource = rule_arn(call, bus, name);
    call.authorize("events:ListTargetsByRule", Some(&resource))?;
    let rule = rules_on(call, bus)
        .find(|rule| rule.name == name)
        .ok_or_else(|| not_found(&format!("Rule {name} does not exist on EventBus {bus}.")))?;
    let asked = call.asked_size("Limit", LARGEST_PAGE)?;
    let page = call.page(rule.targets.len(), PAGE, asked, "NextToken")?;
    let items: Vec<Value> = page
        .positions
        .into_iter()
        .map(|position| target_fields(&rule.targets[position]).into())
        .collect();
    Ok(Fields::new()
        .with("Targets", items)
        .maybe("NextToken", page.next_token))
}

fn asked_bus<'a>(call: &'a Call<'_>) -> Result<&'a str, ApiError> {
    Ok(call.params.text("EventBusName")?.unwrap_or(DEFAULT_BUS))
}

fn bus_exists(call: &Call<'_>, bus: &str) -> bool {
    bus == DEFAULT_BUS || rules_on(call, bus).next().is_some()
}

fn rules_on<'a>(call: &'a Call<'_>, bus: &'a str) -> impl Iterator<Item = &'a EventRule> {
    call.account
        .event_rules
        .iter()
        .filter(move |rule| rule.region == call.region && rule.bus == bus)
}

fn rule_fields(call: &Call<'_>, rule: &EventRule) -> Fields {
    Fields::new()
        .with("Name", &rule.name)
        .with("Arn", rule_arn(call, &rule.bus, &rule.name))
        .maybe("EventPattern", rule.pattern.as_ref())
        .maybe("ScheduleExpression", rule.schedule.as_ref())
        .with("State", &rule.state)
        .only_if(
            !rule.description.is_empty(),
            "Description",
            &rule.description,
        )
        .maybe("ManagedBy", rule.managed_by.as_ref())
        .with("EventBusName", &rule.bus)
}

fn target_fields(target: &EventTarget) -> Fields {
    Fields::new()
        .with("Id", &target.id)
        .with("Arn", &target.arn)
        .maybe("Input", target.input.as_ref())
}

/// A rule of another bus than the default one has the bus in its ARN.
fn rule_arn(call: &Call<'_>, bus: &str, name: &str) -> String {
    if bus == DEFAULT_BUS {
        call.arn("events", &format!("rule/{name}"))
    } else {
        call.arn("events", &format!("rule/{bus}/{name}"))
    }
}

fn not_found(message: &str) -> ApiError {
    ApiError::new(400, "ResourceNotFoundException", message.to_owned())
}
