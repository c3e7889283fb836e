//! Mute rules: while one is active, an alarm changes its state and tells nobody.

use aws::{Api, Malformed, Target};
use aws_sdk_cloudwatch::types::AlarmMuteRuleStatus;
use model::evidence::{MuteRules, Place, Read};

use crate::{Collector, related_alarms::Teller, unasked::homeless};

impl Collector {
    /// The rules on an alarm that have not expired.
    ///
    /// Few accounts have any rule, so first it is asked whether there is one at all, once for all
    /// alarms of an account and region.
    pub(crate) async fn collect_mute_rules(&self, alarm: Teller<'_>) -> MuteRules {
        MuteRules {
            alarm: alarm.arn.clone(),
            rules: self.mute_rules_on(alarm).await,
        }
    }

    async fn mute_rules_on(&self, alarm: Teller<'_>) -> Read<Vec<String>> {
        let Some((account, region)) = alarm.arn.home() else {
            return Err(homeless(Api::ListAlarmMuteRules, alarm.arn));
        };
        let place = Place { account, region };
        let is_any = self
            .mute_rule_in
            .get(&place, || self.is_any_mute_rule_in(&place))
            .await;
        if !is_any.as_ref().clone()? {
            return Ok(Vec::new());
        }
        let mut rules = Vec::new();
        self.list_mute_rules(&place, Some(alarm), |rule| {
            rules.push(rule);
            true
        })
        .await?;
        rules.sort();
        Ok(rules)
    }

    async fn is_any_mute_rule_in(&self, place: &Place) -> Read<bool> {
        let mut is_any = false;
        self.list_mute_rules(place, None, |_| {
            is_any = true;
            false
        })
        .await?;
        Ok(is_any)
    }

    /// Gives the ARNs of rules, on one alarm or on any, to `take`, until that has enough.
    async fn list_mute_rules(
        &self,
        place: &Place,
        alarm: Option<Teller<'_>>,
        mut take: impl FnMut(String) -> bool,
    ) -> Read<()> {
        let client = &self.aws.clients().cloudwatch;
        let session = self.aws.session(place.account);
        let resource = alarm.map(|alarm| alarm.arn.as_str());
        let send = |target: Target, token| {
            let request = client
                .list_alarm_mute_rules()
                .set_alarm_name(alarm.map(|alarm| alarm.name.to_owned()))
                .set_next_token(token);
            let request = request.statuses(AlarmMuteRuleStatus::Scheduled);
            let request = request.statuses(AlarmMuteRuleStatus::Active);
            request
                .customize()
                .config_override(target.cloudwatch())
                .send()
        };
        session
            .pages(
                Api::ListAlarmMuteRules,
                &place.region,
                resource,
                send,
                |page| {
                    // Whether a rule is active right now ticks; that there is one does not.
                    for rule in page.alarm_mute_rule_summaries.unwrap_or_default() {
                        if !take(rule.alarm_mute_rule_arn.ok_or(Malformed)?) {
                            return Ok(None);
                        }
                    }
                    Ok(page.next_token)
                },
            )
            .await?;
        Ok(())
    }
}
