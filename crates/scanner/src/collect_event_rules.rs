//! EventBridge rules that may tell of CloudTrail events.

use std::collections::BTreeSet;

use aws::{Api, Target};
use aws_sdk_eventbridge::types::{Rule, RuleState};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use model::{
    Arn, GapClass,
    evidence::{EventRule, EventRules, Place, Read},
};
use serde_json::Value;

use crate::{Collector, collect_account::LINKS_AT_ONCE};

/// The kinds of events that CloudTrail puts on the default bus (EventBridge Events Reference).
const CLOUDTRAIL_EVENTS: [&str; 3] = [
    "AWS API Call via CloudTrail",
    "AWS Console Sign In via CloudTrail",
    "AWS Service Event via CloudTrail",
];

impl Collector {
    /// The enabled rules on the default bus that may match CloudTrail events, and where they lead.
    pub(crate) async fn collect_event_rules(&self, place: &Place) -> EventRules {
        EventRules {
            place: place.clone(),
            rules: self.event_rules_with_targets(place).await,
        }
    }

    async fn event_rules_with_targets(&self, place: &Place) -> Read<Vec<EventRule>> {
        let rules = self.event_rules(place).await?;
        let rules = stream::iter(rules).map(|(name, pattern)| async move {
            match self.target_services(place, &name).await {
                // Deleted since it was listed.
                Err(gap) if gap.class == GapClass::NotFound => Ok(None),
                read => read.map(|targets| {
                    Some(EventRule {
                        name,
                        pattern,
                        targets,
                    })
                }),
            }
        });
        let rules: Vec<Option<EventRule>> = rules.buffered(LINKS_AT_ONCE).try_collect().await?;
        let mut rules: Vec<EventRule> = rules.into_iter().flatten().collect();
        rules.sort();
        Ok(rules)
    }

    /// Names and patterns.
    async fn event_rules(&self, place: &Place) -> Read<Vec<(String, String)>> {
        let client = &self.aws.clients().events;
        let session = self.aws.session(place.account);
        let mut rules = Vec::new();
        let send = |target: Target, token| {
            let request = client.list_rules().limit(100).set_next_token(token);
            request.customize().config_override(target.events()).send()
        };
        session
            .pages(Api::ListRules, &place.region, None, send, |page| {
                let listed = page.rules.unwrap_or_default();
                rules.extend(listed.into_iter().filter_map(rule_of_interest));
                Ok(page.next_token)
            })
            .await?;
        Ok(rules)
    }

    /// The services of a rule's targets. A target may carry input, headers and a role: nothing of
    /// that is kept.
    async fn target_services(&self, place: &Place, rule: &str) -> Read<Vec<String>> {
        let client = &self.aws.clients().events;
        let session = self.aws.session(place.account);
        let mut services = BTreeSet::new();
        let send = |target: Target, token| {
            let request = client.list_targets_by_rule().rule(rule);
            let request = request.limit(100).set_next_token(token);
            request.customize().config_override(target.events()).send()
        };
        session
            .pages(
                Api::ListTargetsByRule,
                &place.region,
                Some(rule),
                send,
                |page| {
                    let listed = page.targets.unwrap_or_default();
                    services.extend(listed.iter().map(|target| service(&target.arn)));
                    Ok(page.next_token)
                },
            )
            .await?;
        Ok(services.into_iter().collect())
    }
}

/// The name and the pattern of a rule that somebody made, is in force and may match CloudTrail
/// events. What a service made for itself tells nobody of them.
fn rule_of_interest(rule: Rule) -> Option<(String, String)> {
    let is_enabled = matches!(
        rule.state,
        Some(RuleState::Enabled | RuleState::EnabledWithAllCloudtrailManagementEvents)
    );
    let is_of_a_service = rule.managed_by.is_some_and(|service| !service.is_empty());
    let pattern = rule.event_pattern?;
    (is_enabled && !is_of_a_service && may_match_cloudtrail_events(&pattern))
        .then_some(())
        .and(rule.name.map(|name| (name, pattern)))
}

/// Only plain values exclude anything here: whatever else a pattern may say is left to the judge.
fn may_match_cloudtrail_events(pattern: &str) -> bool {
    let Ok(Value::Object(pattern)) = serde_json::from_str(pattern) else {
        return false;
    };
    let excludes = |field: &str, may_be: &dyn Fn(&str) -> bool| match pattern.get(field) {
        Some(Value::Array(values)) => values
            .iter()
            .all(|value| value.as_str().is_some_and(|text| !may_be(text))),
        _ => false,
    };
    !excludes("detail-type", &|kind| CLOUDTRAIL_EVENTS.contains(&kind))
        && !excludes("source", &|source| source.starts_with("aws."))
}

fn service(target: &str) -> String {
    target.parse::<Arn>().map_or_else(
        |_| "unrecognized".to_owned(),
        |arn| arn.service().to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(state: &str, managed_by: Option<&str>, pattern: Option<&str>) -> Rule {
        Rule::builder()
            .name("rule")
            .state(RuleState::from(state))
            .set_managed_by(managed_by.map(str::to_owned))
            .set_event_pattern(pattern.map(str::to_owned))
            .build()
    }

    #[test]
    fn rules_that_may_match_cloudtrail_events_are_kept() {
        let rows = [
            (r#"{"detail-type":["AWS API Call via CloudTrail"]}"#, true),
            (
                r#"{"detail-type":["AWS Console Sign In via CloudTrail"]}"#,
                true,
            ),
            (
                r#"{"detail-type":["x","AWS Service Event via CloudTrail"],"source":["aws.organizations"]}"#,
                true,
            ),
            (r#"{"source":["aws.organizations"]}"#, true),
            (r#"{"detail":{"eventName":["LeaveOrganization"]}}"#, true),
            (r#"{"detail-type":[{"prefix":"AWS API Call"}]}"#, true),
            (r#"{"detail-type":["x",{"wildcard":"*CloudTrail"}]}"#, true),
            (
                r#"{"$or":[{"detail-type":["AWS API Call via CloudTrail"]}]}"#,
                true,
            ),
            (r#"{"source":[{"anything-but":"aws.ec2"}]}"#, true),
            (
                r#"{"detail-type":["AWS API Call via CloudTra\u0069l"]}"#,
                true,
            ),
            (
                r#"{"detail-type":["EC2 Instance State-change Notification"]}"#,
                false,
            ),
            (r#"{"source":["com.example.shop"],"detail":{}}"#, false),
            (r#"["AWS API Call via CloudTrail"]"#, false),
            ("not JSON", false),
            ("", false),
        ];
        for (pattern, kept) in rows {
            assert_eq!(may_match_cloudtrail_events(pattern), kept, "{pattern}");
        }
    }

    #[test]
    fn only_rules_of_somebody_that_are_in_force_count() {
        let pattern = Some(r#"{"source":["aws.organizations"]}"#);
        let kept = |state, managed_by, pattern| {
            rule_of_interest(rule(state, managed_by, pattern)).is_some()
        };
        assert!(kept("ENABLED", None, pattern));
        assert!(kept("ENABLED", Some(""), pattern));
        assert!(kept(
            "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
            None,
            pattern
        ));
        assert!(!kept("DISABLED", None, pattern));
        assert!(!kept("SOMETHING_NEW", None, pattern));
        assert!(!kept("ENABLED", Some("securityhub.amazonaws.com"), pattern));
        // A rule on a schedule has no pattern.
        assert!(!kept("ENABLED", None, None));
    }

    #[test]
    fn a_target_is_reduced_to_its_service() {
        assert_eq!(service("arn:aws:sns:us-east-1:111111111111:alerts"), "sns");
        assert_eq!(
            service("arn:aws:events:us-east-1:111111111111:event-bus/central"),
            "events"
        );
        assert_eq!(service("SECRET"), "unrecognized");
    }
}
