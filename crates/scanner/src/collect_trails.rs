//! Trails as an account shows them, and what their owners say of them.

use aws::{Api, CallError};
use aws_sdk_cloudtrail::{
    operation::{
        get_event_selectors::GetEventSelectorsOutput, get_trail_status::GetTrailStatusOutput,
    },
    types::{AdvancedFieldSelector, ReadWriteType, Trail as SdkTrail},
};
use futures::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use model::{
    AccountId, Gap, Region,
    evidence::{
        AdvancedEventSelector, BasicEventSelector, Delivery, EventSelectors, FieldSelector, Read,
        Trail, TrailEvidence, TrailStatus,
    },
};

use crate::{Collector, RegionScope, collect_account::LINKS_AT_ONCE, unasked::unasked};

/// Events reach CloudWatch Logs about five minutes after the call (CloudTrail User Guide); a day
/// without any is a class of its own.
const FRESH_FOR: SignedDuration = SignedDuration::from_hours(24);

impl Collector {
    /// The trails that show in an account, and regions that gave no answer although another did.
    pub(crate) async fn collect_trails(
        &self,
        account: AccountId,
        regions: &RegionScope,
    ) -> Result<(Vec<Trail>, Vec<Gap>), Gap> {
        match regions {
            RegionScope::Probe(regions) => self.trails_of_first(account, regions).await,
            RegionScope::Each(regions) => self.trails_of_each(account, regions).await,
        }
    }

    /// Asks region after region until one answers: any enabled region shows every multi-region
    /// and organization trail.
    async fn trails_of_first(
        &self,
        account: AccountId,
        regions: &[Region],
    ) -> Result<(Vec<Trail>, Vec<Gap>), Gap> {
        let mut first_gap = None;
        for region in regions {
            match self.describe_trails(account, region).await {
                Ok(mut trails) => {
                    trails.sort();
                    return Ok((trails, Vec::new()));
                }
                Err(error) => {
                    let no_session = !was_asked(&error);
                    first_gap.get_or_insert(error);
                    if no_session {
                        break;
                    }
                }
            }
        }
        // The first region is the one most likely to be right; the others were a second try.
        Err(first_gap.map_or_else(|| no_region(account), Gap::from))
    }

    /// Asks all regions, several at once; one answer is enough to know the multi-region trails.
    async fn trails_of_each(
        &self,
        account: AccountId,
        regions: &[Region],
    ) -> Result<(Vec<Trail>, Vec<Gap>), Gap> {
        let Some((first, others)) = regions.split_first() else {
            return Err(no_region(account));
        };
        // Whether the account can be entered at all is asked once.
        let mut answers = vec![self.describe_trails(account, first).await];
        let entered = answers[0].as_ref().map_or_else(was_asked, |_| true);
        if entered {
            let others = stream::iter(others).map(|region| self.describe_trails(account, region));
            answers.extend(others.buffered(LINKS_AT_ONCE).collect::<Vec<_>>().await);
        }
        let mut trails = Vec::new();
        let mut gaps: Vec<Gap> = Vec::new();
        for answer in answers {
            match answer {
                Ok(found) => trails.push(found),
                Err(error) => gaps.push(error.into()),
            }
        }
        if trails.is_empty() {
            return Err(gaps
                .into_iter()
                .next()
                .unwrap_or_else(|| no_region(account)));
        }
        let mut trails = trails.concat();
        trails.sort();
        trails.dedup();
        gaps.sort();
        Ok((trails, gaps))
    }

    /// The organization's trails, as they show in an account.
    pub async fn organization_trails(
        &self,
        account: AccountId,
        region: &Region,
    ) -> Read<Vec<Trail>> {
        let mut trails = self.describe_trails(account, region).await?;
        trails.retain(|trail| trail.is_organization_trail);
        trails.sort();
        Ok(trails)
    }

    async fn describe_trails(
        &self,
        account: AccountId,
        region: &Region,
    ) -> Result<Vec<Trail>, CallError> {
        let client = &self.aws.clients().cloudtrail;
        let session = self.aws.session(account);
        let answer = session
            .call(Api::DescribeTrails, region, None, |target| {
                let request = client.describe_trails().include_shadow_trails(true);
                request
                    .customize()
                    .config_override(target.cloudtrail())
                    .send()
            })
            .await?;
        let described = answer.trail_list.unwrap_or_default();
        described
            .iter()
            .map(trail)
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| session.malformed_answer(Api::DescribeTrails, region, None))
    }

    /// Asks the trail's owner in its home region: elsewhere AWS answers that the trail is not
    /// found, or that the account in the ARN is wrong.
    pub(crate) async fn collect_trail_detail(&self, trail: &Trail) -> TrailEvidence {
        let (status, selectors) = match trail.arn.account() {
            Some(owner) => tokio::join!(
                self.trail_status(owner, trail),
                self.event_selectors(owner, trail)
            ),
            None => (Err(ownerless(trail)), Err(ownerless(trail))),
        };
        TrailEvidence {
            arn: trail.arn.clone(),
            status,
            selectors,
        }
    }

    async fn trail_status(&self, owner: AccountId, trail: &Trail) -> Read<TrailStatus> {
        let client = &self.aws.clients().cloudtrail;
        let arn = trail.arn.as_str();
        let answer = self
            .aws
            .session(owner)
            .call(
                Api::GetTrailStatus,
                &trail.home_region,
                Some(arn),
                |target| {
                    client
                        .get_trail_status()
                        .name(arn)
                        .customize()
                        .config_override(target.cloudtrail())
                        .send()
                },
            )
            .await?;
        Ok(TrailStatus {
            is_logging: answer.is_logging.unwrap_or(false),
            delivery: delivery(&answer, self.clock.now()),
        })
    }

    async fn event_selectors(&self, owner: AccountId, trail: &Trail) -> Read<EventSelectors> {
        let client = &self.aws.clients().cloudtrail;
        let arn = trail.arn.as_str();
        let answer = self
            .aws
            .session(owner)
            .call(
                Api::GetEventSelectors,
                &trail.home_region,
                Some(arn),
                |target| {
                    let request = client.get_event_selectors().trail_name(arn);
                    request
                        .customize()
                        .config_override(target.cloudtrail())
                        .send()
                },
            )
            .await?;
        Ok(selectors(answer))
    }
}

/// Whether the question itself was refused, and not the session that it was to be asked in.
fn was_asked(error: &CallError) -> bool {
    error.gap.api == Api::DescribeTrails.iam_action()
}

fn trail(described: &SdkTrail) -> Option<Trail> {
    Some(Trail {
        arn: described.trail_arn.as_deref()?.parse().ok()?,
        home_region: described.home_region.as_deref()?.parse().ok()?,
        is_multi_region: described.is_multi_region_trail.unwrap_or(false),
        is_organization_trail: described.is_organization_trail.unwrap_or(false),
        log_group: described
            .cloud_watch_logs_log_group_arn
            .clone()
            .filter(|arn| !arn.is_empty()),
    })
}

fn delivery(status: &GetTrailStatusOutput, now: Timestamp) -> Delivery {
    let error = status
        .latest_cloud_watch_logs_delivery_error
        .as_deref()
        .filter(|error| !error.is_empty());
    // The error is a code with text behind it; only the code is kept.
    let error = error.map(|error| {
        let code = error
            .split(|c: char| !c.is_ascii_alphanumeric())
            .next()
            .unwrap_or_default();
        if code.is_empty() {
            "unnamed".to_owned()
        } else {
            code.chars().take(64).collect()
        }
    });
    let delivered = status
        .latest_cloud_watch_logs_delivery_time
        .as_ref()
        .and_then(|time| Timestamp::from_second(time.secs()).ok());
    match (delivered, error) {
        (None, error) => Delivery::Never(error),
        (Some(at), error) => match (now.duration_since(at) < FRESH_FOR, error) {
            (true, None) => Delivery::Fresh,
            (true, Some(error)) => Delivery::FreshWithError(error),
            (false, None) => Delivery::Stale,
            (false, Some(error)) => Delivery::Failing(error),
        },
    }
}

fn selectors(answer: GetEventSelectorsOutput) -> EventSelectors {
    let basic = answer
        .event_selectors
        .unwrap_or_default()
        .into_iter()
        .map(|selector| {
            let mut excluded = selector
                .exclude_management_event_sources
                .unwrap_or_default();
            excluded.sort();
            BasicEventSelector {
                include_management_events: selector.include_management_events.unwrap_or(false),
                read_write_type: (selector.read_write_type.as_ref())
                    .map_or_else(String::new, |kind: &ReadWriteType| kind.as_str().to_owned()),
                exclude_management_event_sources: excluded,
            }
        });
    let advanced = answer
        .advanced_event_selectors
        .unwrap_or_default()
        .into_iter()
        .map(|selector| {
            let mut fields: Vec<_> = selector
                .field_selectors
                .into_iter()
                .map(field_selector)
                .collect();
            fields.sort();
            AdvancedEventSelector { fields }
        });
    let mut selectors = EventSelectors {
        basic: basic.collect(),
        advanced: advanced.collect(),
    };
    selectors.basic.sort();
    selectors.advanced.sort();
    selectors
}

fn field_selector(selector: AdvancedFieldSelector) -> FieldSelector {
    let sorted = |list: Option<Vec<String>>| {
        let mut list = list.unwrap_or_default();
        list.sort();
        list
    };
    FieldSelector {
        field: selector.field,
        equals: sorted(selector.equals),
        not_equals: sorted(selector.not_equals),
        starts_with: sorted(selector.starts_with),
        not_starts_with: sorted(selector.not_starts_with),
        ends_with: sorted(selector.ends_with),
        not_ends_with: sorted(selector.not_ends_with),
    }
}

fn no_region(account: AccountId) -> Gap {
    unasked(
        Api::DescribeTrails,
        None,
        Some(account),
        "there was no region to ask",
    )
}

fn ownerless(trail: &Trail) -> Gap {
    let message = "the ARN of the trail names no account, so its owner cannot be asked";
    unasked(
        Api::GetTrailStatus,
        Some(trail.arn.to_string()),
        None,
        message,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_cloudtrail::primitives::DateTime;

    fn status(hours_ago: Option<i64>, error: Option<&str>) -> GetTrailStatusOutput {
        GetTrailStatusOutput::builder()
            .set_latest_cloud_watch_logs_delivery_time(
                hours_ago.map(|h| DateTime::from_secs(1_000_000 - h * 3600)),
            )
            .set_latest_cloud_watch_logs_delivery_error(error.map(str::to_owned))
            .build()
    }

    #[test]
    fn delivery_is_reduced_to_a_class_that_does_not_tick() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let denied = "AccessDenied".to_owned();
        let rows = [
            (Some(1), None, Delivery::Fresh),
            (Some(23), None, Delivery::Fresh),
            (Some(25), None, Delivery::Stale),
            (Some(1), Some(""), Delivery::Fresh),
            (
                Some(1),
                Some("AccessDenied: role x"),
                Delivery::FreshWithError(denied.clone()),
            ),
            (
                Some(48),
                Some("AccessDenied"),
                Delivery::Failing(denied.clone()),
            ),
            (None, None, Delivery::Never(None)),
            (None, Some("AccessDenied"), Delivery::Never(Some(denied))),
            (Some(-1), None, Delivery::Fresh),
        ];
        for (hours_ago, error, class) in rows {
            assert_eq!(
                delivery(&status(hours_ago, error), now),
                class,
                "{hours_ago:?} {error:?}"
            );
        }
    }
}
