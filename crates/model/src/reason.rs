//! Verdicts, links and the closed list of reasons.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::InvalidValue;

/// The answer for one account and control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// An unbroken chain was seen.
    Pass,
    /// The chain is broken.
    Fail,
    /// What would decide could not be read or is not known to us.
    Unknown,
    /// The question does not arise.
    NotApplicable,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 4] = [Self::Pass, Self::Fail, Self::Unknown, Self::NotApplicable];

    /// The verdict as it is written in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Unknown => "UNKNOWN",
            Self::NotApplicable => "NOT_APPLICABLE",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Verdict {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = text.to_ascii_uppercase().replace('-', "_");
        Self::ALL
            .into_iter()
            .find(|verdict| verdict.as_str() == wanted)
            .ok_or_else(|| {
                InvalidValue::new("verdict", text, "pass, fail, unknown or not_applicable")
            })
    }
}

/// A link of the chain from the trail to the human.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// A multi-region trail that is logging all management events.
    Trail,
    /// The CloudWatch Logs group that the trail delivers to.
    LogGroup,
    /// A metric filter on that group that matches the required events.
    MetricFilter,
    /// An alarm on the filter's metric that one event takes to ALARM.
    Alarm,
    /// An SNS topic among the alarm's actions.
    Topic,
    /// A confirmed subscription to the topic.
    Subscription,
}

impl Link {
    /// Every link, from the trail on.
    pub const ALL: [Self; 6] = [
        Self::Trail,
        Self::LogGroup,
        Self::MetricFilter,
        Self::Alarm,
        Self::Topic,
        Self::Subscription,
    ];

    /// The link as it is written in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trail => "trail",
            Self::LogGroup => "log_group",
            Self::MetricFilter => "metric_filter",
            Self::Alarm => "alarm",
            Self::Topic => "topic",
            Self::Subscription => "subscription",
        }
    }

    /// The link in words.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Trail => "trail",
            Self::LogGroup => "log group",
            Self::MetricFilter => "metric filter",
            Self::Alarm => "alarm",
            Self::Topic => "topic",
            Self::Subscription => "subscription",
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Link {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|link| link.as_str() == text)
            .ok_or_else(|| {
                InvalidValue::new("link", text, "a link of the chain, such as metric_filter")
            })
    }
}

macro_rules! reasons {
    ($($variant:ident, $code:literal, $verdict:ident, $meaning:literal, $next_step:literal;)*) => {
        /// Why a verdict is what it is: a closed list, stable across versions.
        ///
        /// A reason belongs to exactly one [`Verdict`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Reason {
            $(
                #[doc = $meaning]
                #[serde(rename = $code)]
                $variant,
            )*
        }

        impl Reason {
            /// Every reason, in the order of the chain.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The code as it is written in reports.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            /// The verdict that this reason is a reason for.
            pub fn verdict(self) -> Verdict {
                match self { $(Self::$variant => Verdict::$verdict),* }
            }

            /// What it means, in one sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning),* }
            }

            /// What to do about it, in one sentence; empty where there is nothing to do.
            pub fn next_step(self) -> &'static str {
                match self { $(Self::$variant => $next_step),* }
            }
        }
    };
}

reasons! {
    CoveredByOwnTrail, "covered-by-own-trail", Pass, "A trail of the account itself starts a chain that reaches a confirmed subscriber.", "";
    CoveredByOrganizationTrail, "covered-by-organization-trail", Pass, "The organization's trail starts a chain that reaches a confirmed subscriber, wherever its links live.", "";

    TrailAbsent, "trail-absent", Fail, "The account has no trail, and no organization trail shows in it.", "Make a multi-region trail that delivers to CloudWatch Logs, or an organization trail in the management account.";
    TrailSingleRegion, "trail-single-region", Fail, "There is a trail, but it records a single region.", "Make the trail a multi-region trail.";
    TrailNotLogging, "trail-not-logging", Fail, "The trail is stopped.", "Start logging on the trail, and find out who stopped it.";
    TrailNoManagementEvents, "trail-no-management-events", Fail, "The trail's event selectors record no management events.", "Let an event selector of the trail record management events, reads and writes.";
    TrailReadOnly, "trail-read-only", Fail, "The trail records only read events.", "Let the trail's event selectors record write events as well.";
    TrailWriteOnly, "trail-write-only", Fail, "The trail records only write events; the benchmark asks for all.", "Let the trail's event selectors record read events as well.";
    TrailEventSourceExcluded, "trail-event-source-excluded", Fail, "The trail's event selectors leave out the service whose events are required.", "Take the service out of the excluded event sources of the trail's event selectors.";
    TrailDeliveryFailing, "trail-delivery-failing", Fail, "The trail does not reach its log group: nothing was delivered for a day, or ever.", "Mend what CloudTrail names as the error: most often the trail's role may not write to the log group's streams.";
    LogGroupNotConfigured, "log-group-not-configured", Fail, "The trail does not deliver to CloudWatch Logs.", "Let the trail deliver to a log group of CloudWatch Logs.";
    LogGroupMissing, "log-group-missing", Fail, "The log group that the trail names does not exist.", "Make the log group again, or point the trail to one that exists; then make the metric filter.";
    LogGroupClass, "log-group-class", Fail, "The class of the log group does not support metric filters.", "Point the trail to a log group of the class STANDARD: the class of a log group cannot be changed.";
    FilterAbsent, "filter-absent", Fail, "No metric filter on the log group concerns the required events.", "Put a metric filter with the control's pattern on the log group.";
    FilterIncomplete, "filter-incomplete", Fail, "The metric filters on the log group miss at least one required event.", "Add the missing events to the filter's pattern, or put a second filter beside it.";
    FilterNarrowed, "filter-narrowed", Fail, "A metric filter matches a required event only under an extra condition.", "Take the condition out of the filter's pattern, or put a second filter without it beside it.";
    FilterMetricWorthless, "filter-metric-worthless", Fail, "A matching filter publishes a value that no alarm can act on, or does so for a part of the events only.", "Let the filter publish the value 1 for each match.";
    AlarmAbsent, "alarm-absent", Fail, "No alarm watches the metric of the filter.", "Make an alarm on the filter's metric, in the account and region of the log group.";
    AlarmOtherMetric, "alarm-other-metric", Fail, "An alarm watches a metric of the same name, but in another namespace, with other dimensions or in another unit.", "Let the alarm watch the metric that the filter publishes: same namespace, name, dimensions and unit.";
    AlarmActionsDisabled, "alarm-actions-disabled", Fail, "The alarm's actions are switched off.", "Enable the alarm's actions.";
    AlarmNoAction, "alarm-no-action", Fail, "The alarm has no action for the state ALARM.", "Give the alarm an SNS topic as action for the state ALARM.";
    AlarmNeverFires, "alarm-never-fires", Fail, "One matching event does not take the alarm to ALARM.", "Let the alarm fire on one event: a Sum over 300 seconds of at least 1, in 1 of 1 periods, missing data not breaching.";
    AlarmStuck, "alarm-stuck", Fail, "The alarm is always in ALARM, or never leaves it, so a further event changes nothing.", "Let the alarm return to OK without events: missing data not breaching, and a threshold that no quiet period reaches.";
    ActionNotSns, "action-not-sns", Fail, "The alarm has actions, but none is an SNS topic.", "Add an SNS topic to the alarm's actions for the state ALARM.";
    TopicOtherRegion, "topic-other-region", Fail, "The topic lies in another region than the alarm, which cannot publish there.", "Make a topic in the alarm's region and let the alarm publish to it.";
    TopicMissing, "topic-missing", Fail, "The topic that the alarm names does not exist.", "Make the topic again with the same name, or point the alarm to one that exists.";
    TopicPolicyDenies, "topic-policy-denies", Fail, "The topic's policy does not let CloudWatch publish for the alarm.", "Allow sns:Publish on the topic to the service cloudwatch.amazonaws.com, for the alarm's account.";
    TopicKeyBlocks, "topic-key-blocks", Fail, "The topic is encrypted with the key that AWS manages for SNS, which CloudWatch may not use.", "Encrypt the topic with a customer key whose policy admits cloudwatch.amazonaws.com, or do not encrypt it.";
    SubscriptionAbsent, "subscription-absent", Fail, "The topic has no subscription.", "Subscribe somebody to the topic and confirm the subscription.";
    SubscriptionUnconfirmed, "subscription-unconfirmed", Fail, "The topic has subscriptions, but none is confirmed.", "Confirm the subscription from the message that SNS sent to it; after three days subscribe again.";

    AccountNotEntered, "account-not-entered", Unknown, "The role in the account could not be assumed, so nobody looked.", "Deploy the scanner's role in the account and let its trust policy admit the scanner.";
    EvidenceGap, "evidence-gap", Unknown, "Something that would decide could not be read.", "Allow the scanner's role the call that failed, or let the scanner look again.";
    TrailUndecided, "trail-undecided", Unknown, "The trail has a setting that this version does not know.", "Look at the trail's settings by hand, and report the setting so that a later version knows it.";
    LogGroupUndecided, "log-group-undecided", Unknown, "The log group has a class or a name that this version does not know.", "Look at the log group by hand, and report its class so that a later version knows it.";
    FilterUndecided, "filter-undecided", Unknown, "Whether the filter matches every required event, or what it publishes, cannot be decided.", "Use the control's pattern as it is published, with the value 1, on raw events.";
    AlarmUndecided, "alarm-undecided", Unknown, "Whether one event takes the alarm to ALARM cannot be decided.", "Put a plain alarm on the filter's metric beside this one.";
    TopicUndecided, "topic-undecided", Unknown, "Whether the topic's policy lets CloudWatch publish cannot be decided.", "Add a plain statement to the topic's policy that lets cloudwatch.amazonaws.com publish for the alarm's account.";
    SubscriptionUndecided, "subscription-undecided", Unknown, "A subscription is in a state that this version does not know.", "Look at the topic's subscriptions by hand, and report the state so that a later version knows it.";

    AccountSuspended, "account-suspended", NotApplicable, "The account is suspended.", "";
    AccountClosing, "account-closing", NotApplicable, "The account is being closed, or is closed.", "";
    AccountNotActivated, "account-not-activated", NotApplicable, "The account is not active yet.", "";
}

impl Reason {
    /// Of several reasons at the same place of the chain, the one that lies nearer to success
    /// has the higher rank: it is declared later.
    pub fn rank(self) -> usize {
        Self::ALL
            .iter()
            .position(|reason| *reason == self)
            .unwrap_or_default()
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl FromStr for Reason {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|reason| reason.code() == text)
            .ok_or_else(|| {
                InvalidValue::new("reason", text, "a reason code such as filter-incomplete")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_unique_and_read_back() {
        let codes: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        for reason in Reason::ALL {
            assert_eq!(reason.code().parse::<Reason>().unwrap(), *reason);
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.code());
        }
    }

    #[test]
    fn a_verdict_is_read_in_any_case() {
        assert_eq!(
            "not-applicable".parse::<Verdict>().unwrap(),
            Verdict::NotApplicable
        );
        assert_eq!("Fail".parse::<Verdict>().unwrap(), Verdict::Fail);
        assert!("ok".parse::<Verdict>().is_err());
    }
}
