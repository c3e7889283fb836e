//! What was read from AWS, reduced to what a verdict reads.
//!
//! Only an allow-list of fields is kept, lists are sorted, and volatile values are reduced to
//! classes when they are collected: two sweeps of an unchanged world give identical evidence.
//! No free text that could hold a secret is part of it; an SNS endpoint is kept masked.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{AccountId, Arn, ContentHash, Gap, LogGroupArn, Region};

mod alarm;
mod event_rule;
mod metric_filter;
mod storable;
mod topic;
mod trail;

pub use alarm::{
    AlarmLookup, Alarms, CompositeAlarm, Dimensions, FoundAlarms, MetricAlarm, MetricKey,
    MetricQuery, MonitoringAlarms, MuteRules,
};
pub use event_rule::{EventRule, EventRules};
pub use metric_filter::{LogGroupEvidence, MetricFilter, MetricTransformation, OtherPublisher};
pub use storable::StorableEvidence;
pub use topic::{PolicyStatement, Subscription, SubscriptionState, TopicAttributes, TopicEvidence};
pub use trail::{
    AdvancedEventSelector, BasicEventSelector, Delivery, EventSelectors, FieldSelector, Trail,
    TrailEvidence, TrailStatus,
};

/// Something that was asked for: what was read, or why it was not.
pub type Read<T> = Result<T, Gap>;

/// The answer to a question about a thing that may be gone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence<T> {
    /// It is there.
    Present(T),
    /// Its owner says that it does not exist.
    Missing,
}

/// Everything that was read on behalf of one account.
///
/// What other accounts point at as well is shared, not copied.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountEvidence {
    /// The account.
    pub account: AccountId,
    /// The trails that show in it, sorted by ARN.
    pub trails: Read<Vec<Trail>>,
    /// Questions that went unanswered but that no verdict rests on, such as one region of several.
    pub other_gaps: Vec<Gap>,
    /// Status and event selectors of the multi-region trails, read at their owners.
    pub trail_details: BTreeMap<Arn, Arc<TrailEvidence>>,
    /// The log groups that those trails deliver to.
    pub log_groups: BTreeMap<LogGroupArn, Arc<LogGroupEvidence>>,
    /// The alarms on the metrics of candidate filters.
    pub alarms: BTreeMap<MetricKey, Arc<Alarms>>,
    /// The mute rules on those alarms, where there are any or they could not be read.
    pub mute_rules: BTreeMap<Arn, Arc<MuteRules>>,
    /// The topics that those alarms name.
    pub topics: BTreeMap<Arn, Arc<TopicEvidence>>,
    /// EventBridge rules, looked for where the chain is broken.
    pub event_rules: BTreeMap<Place, Arc<EventRules>>,
}

impl AccountEvidence {
    /// Evidence of an account in which nothing could be read.
    pub fn unread(account: AccountId, gap: Gap) -> Self {
        Self {
            trails: Err(gap),
            ..Self::of_trails(account, Vec::new())
        }
    }

    /// Evidence that holds a list of trails and nothing else yet.
    pub fn of_trails(account: AccountId, trails: Vec<Trail>) -> Self {
        Self {
            account,
            trails: Ok(trails),
            other_gaps: Vec::new(),
            trail_details: BTreeMap::new(),
            log_groups: BTreeMap::new(),
            alarms: BTreeMap::new(),
            mute_rules: BTreeMap::new(),
            topics: BTreeMap::new(),
            event_rules: BTreeMap::new(),
        }
    }

    /// Every gap, decisive or not.
    pub fn gaps(&self) -> Vec<&Gap> {
        let rules = self.event_rules.values();
        let mut gaps = self.shared_gaps();
        gaps.extend(&self.other_gaps);
        gaps.extend(rules.filter_map(|found| found.rules.as_ref().err()));
        gaps.sort();
        gaps.dedup();
        gaps
    }

    /// The gaps along the chain, without those that were met in the account itself and decide nothing.
    pub fn shared_gaps(&self) -> Vec<&Gap> {
        fn gap<T>(read: &Read<T>) -> Option<&Gap> {
            read.as_ref().err()
        }
        let mut gaps: Vec<&Gap> = gap(&self.trails).into_iter().collect();
        for trail in self.trail_details.values() {
            gaps.extend(gap(&trail.status));
            gaps.extend(gap(&trail.selectors));
        }
        for group in self.log_groups.values() {
            gaps.extend(gap(&group.class));
            gaps.extend(gap(&group.metric_filters));
        }
        for alarms in self.alarms.values() {
            gaps.extend(gap(&alarms.found));
            gaps.extend(alarms.monitoring.iter().filter_map(|one| gap(&one.found)));
        }
        for muted in self.mute_rules.values() {
            gaps.extend(gap(&muted.rules));
        }
        for topic in self.topics.values() {
            gaps.extend(gap(&topic.attributes));
            gaps.extend(gap(&topic.subscriptions));
        }
        gaps.sort();
        gaps.dedup();
        gaps
    }

    /// Splits the evidence into documents that are stored once, whoever shares them, and the
    /// account's own document, which refers to them by hash.
    ///
    /// Whose evidence it is does not stand in it: accounts that show the same share all of it.
    pub fn documents(&self) -> EvidenceDocuments {
        fn shared<K: ToString, V: Serialize>(
            of: &BTreeMap<K, Arc<V>>,
            parts: &mut BTreeMap<ContentHash, String>,
        ) -> BTreeMap<String, ContentHash> {
            of.iter()
                .map(|(key, value)| {
                    let text = crate::canonical_json(value);
                    let hash = ContentHash::of_text(&text);
                    parts.insert(hash, text);
                    (key.to_string(), hash)
                })
                .collect()
        }
        let mut parts = BTreeMap::new();
        let root = crate::canonical_json(&AccountDocument {
            trails: &self.trails,
            other_gaps: &self.other_gaps,
            trail_details: shared(&self.trail_details, &mut parts),
            log_groups: shared(&self.log_groups, &mut parts),
            alarms: shared(&self.alarms, &mut parts),
            mute_rules: shared(&self.mute_rules, &mut parts),
            topics: shared(&self.topics, &mut parts),
            event_rules: shared(&self.event_rules, &mut parts),
        });
        let hash = ContentHash::of_text(&root);
        parts.insert(hash, root);
        EvidenceDocuments { root: hash, parts }
    }
}

/// The evidence of one account as documents that are named by their content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EvidenceDocuments {
    /// The account's own document: the hash of everything that was read for it.
    pub root: ContentHash,
    /// All documents, the root included, as canonical JSON.
    pub parts: BTreeMap<ContentHash, String>,
}

/// The account's own document: shared parts stand in it by hash.
#[derive(Serialize)]
struct AccountDocument<'a> {
    trails: &'a Read<Vec<Trail>>,
    other_gaps: &'a [Gap],
    trail_details: BTreeMap<String, ContentHash>,
    log_groups: BTreeMap<String, ContentHash>,
    alarms: BTreeMap<String, ContentHash>,
    mute_rules: BTreeMap<String, ContentHash>,
    topics: BTreeMap<String, ContentHash>,
    event_rules: BTreeMap<String, ContentHash>,
}

/// Where a regional thing lives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The account.
    pub account: AccountId,
    /// The region.
    pub region: Region,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_that_show_the_same_share_all_documents() {
        let arn: Arn = "arn:aws:cloudtrail:us-east-1:111111111111:trail/org"
            .parse()
            .unwrap();
        let trail = Arc::new(TrailEvidence {
            arn: arn.clone(),
            status: Ok(TrailStatus {
                is_logging: true,
                delivery: Delivery::Fresh,
            }),
            selectors: Ok(EventSelectors::default()),
        });
        let documents = |id: &str| {
            let mut evidence = AccountEvidence::of_trails(id.parse().unwrap(), Vec::new());
            evidence
                .trail_details
                .insert(arn.clone(), Arc::clone(&trail));
            evidence.documents()
        };
        let one = documents("111111111111");
        assert_eq!(one.parts.len(), 2);
        assert_eq!(one, documents("222222222222"));
    }
}
