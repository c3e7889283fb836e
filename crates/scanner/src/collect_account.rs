//! The evidence of one account, along the chain.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use aws::Aws;
use futures::{StreamExt as _, stream};
use model::{
    AccountId, Arn, Clock, LogGroupArn, Region,
    evidence::{
        AccountEvidence, AlarmLookup, Alarms, EventRules, FoundAlarms, MetricFilter, MetricKey,
        MuteRules, Place, Read, TopicEvidence, Trail, TrailEvidence,
    },
};

use crate::{
    collect_log_groups::CollectedLogGroup,
    collect_metric_filters::ShortFilterList,
    related_alarms::{Teller, tellers},
    shared_lookup::SharedLookup,
};

/// How many links or regions of one account are read at the same time. Pacing, not this, holds the rate.
pub(crate) const LINKS_AT_ONCE: usize = 8;

/// Up to how many metrics of one account and region are asked for one by one at once. Beyond that, a page
/// of the list of alarms is one call, and most accounts have no second page.
const FEW_METRICS: usize = 3;

/// Tells which metric filters may matter, so that only their alarms are looked for.
pub type IsCandidate = Arc<dyn Fn(&MetricFilter) -> bool + Send + Sync>;

/// Which regions are asked for trails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegionScope {
    /// The probe regions, in order, until one answers: any enabled region shows every multi-region
    /// and organization trail.
    Probe(Vec<Region>),
    /// Each of these, to see single-region trails and refusals as well.
    Each(Vec<Region>),
}

/// Reads evidence, once for all who share it. Made anew for each sweep.
pub struct Collector {
    pub(crate) aws: Aws,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) is_candidate: IsCandidate,
    /// Sorted.
    pub(crate) monitoring_accounts: Vec<AccountId>,
    trails: SharedLookup<Arn, TrailEvidence>,
    log_groups: SharedLookup<LogGroupArn, CollectedLogGroup>,
    alarms: SharedLookup<MetricKey, Alarms>,
    all_alarms: SharedLookup<MetricKey, Alarms>,
    pub(crate) short_filter_lists: SharedLookup<Place, Read<ShortFilterList>>,
    /// The whole list of alarms where it fits on one page.
    pub(crate) short_lists: SharedLookup<Place, Read<Option<FoundAlarms>>>,
    pub(crate) alarm_lists: SharedLookup<Place, Read<FoundAlarms>>,
    mute_rules: SharedLookup<Arn, MuteRules>,
    /// Whether there is any mute rule.
    pub(crate) mute_rule_in: SharedLookup<Place, Read<bool>>,
    topics: SharedLookup<Arn, TopicEvidence>,
    event_rules: SharedLookup<Place, EventRules>,
}

/// What is found when the metrics of an account are followed.
struct Followed {
    alarms: BTreeMap<MetricKey, Arc<Alarms>>,
    mute_rules: BTreeMap<Arn, Arc<MuteRules>>,
    topics: BTreeMap<Arn, Arc<TopicEvidence>>,
}

impl Collector {
    /// A collector that has read nothing yet. Monitoring accounts may hold alarms on the metrics of
    /// other accounts.
    pub fn new(
        aws: Aws,
        clock: Arc<dyn Clock>,
        is_candidate: IsCandidate,
        monitoring_accounts: &[AccountId],
    ) -> Self {
        let monitoring_accounts: BTreeSet<AccountId> =
            monitoring_accounts.iter().copied().collect();
        Self {
            aws,
            clock,
            is_candidate,
            monitoring_accounts: monitoring_accounts.into_iter().collect(),
            trails: SharedLookup::new(),
            log_groups: SharedLookup::new(),
            alarms: SharedLookup::new(),
            all_alarms: SharedLookup::new(),
            short_filter_lists: SharedLookup::new(),
            short_lists: SharedLookup::new(),
            alarm_lists: SharedLookup::new(),
            mute_rules: SharedLookup::new(),
            mute_rule_in: SharedLookup::new(),
            topics: SharedLookup::new(),
            event_rules: SharedLookup::new(),
        }
    }

    /// Follows the chain of one account as far as it goes. Alarms are looked for by metric, one call a
    /// metric however many alarms there are, or on the one page that lists them all.
    pub async fn collect(&self, account: AccountId, regions: &RegionScope) -> AccountEvidence {
        let (trails, other_gaps) = match self.collect_trails(account, regions).await {
            Ok(found) => found,
            Err(gap) => return AccountEvidence::unread(account, gap),
        };
        let multi_region: Vec<&Trail> = trails
            .iter()
            .filter(|trail| trail.is_multi_region)
            .collect();
        let trail_details = self.read_each(multi_region.iter().copied(), |trail| async move {
            let detail = self
                .trails
                .get(&trail.arn, || self.collect_trail_detail(trail))
                .await;
            (trail.arn.clone(), detail)
        });
        let groups = multi_region
            .iter()
            .filter_map(|trail| trail.log_group_arn());
        let log_groups = self.read_each(groups, |arn| async move {
            let group = self
                .log_groups
                .get(&arn, || self.collect_log_group(&arn))
                .await;
            (arn, group)
        });
        let (trail_details, log_groups) = tokio::join!(trail_details, log_groups);

        let metrics: BTreeSet<&MetricKey> = log_groups
            .values()
            .flat_map(|group| &group.candidate_metrics)
            .collect();
        let followed = self.follow(metrics, AlarmLookup::ByMetric).await;
        AccountEvidence {
            other_gaps,
            trail_details,
            log_groups: log_groups
                .iter()
                .map(|(arn, group)| (arn.clone(), Arc::clone(&group.evidence)))
                .collect(),
            alarms: followed.alarms,
            mute_rules: followed.mute_rules,
            topics: followed.topics,
            ..AccountEvidence::of_trails(account, trails)
        }
    }

    /// Looks at everything that could still hold up the chain: metric math, composite alarms, near
    /// misses and the alarms of monitoring accounts, and EventBridge rules as another way to tell.
    /// Due before a FAIL; what was read of trails and log groups stays as it is.
    pub async fn look_closer(&self, evidence: AccountEvidence) -> AccountEvidence {
        // Where the partition's global services are recorded, whose changes most controls are about.
        let place = Place {
            account: evidence.account,
            region: self.aws.partition().default_region(),
        };
        let event_rules = self
            .event_rules
            .get(&place, || self.collect_event_rules(&place));
        let followed = self.follow(evidence.alarms.keys(), AlarmLookup::FullList);
        let (event_rules, followed) = tokio::join!(event_rules, followed);
        AccountEvidence {
            alarms: followed.alarms,
            mute_rules: followed.mute_rules,
            topics: followed.topics,
            event_rules: BTreeMap::from([(place, event_rules)]),
            ..evidence
        }
    }

    /// From metrics over the alarms on them to the topics that those name.
    async fn follow<'a>(
        &self,
        metrics: impl IntoIterator<Item = &'a MetricKey>,
        lookup: AlarmLookup,
    ) -> Followed {
        let metrics: Vec<&MetricKey> = metrics.into_iter().collect();
        let in_one_place = |place: &Place| metrics.iter().filter(|one| one.place == *place).count();
        let alarms = self
            .read_each(metrics.iter().copied(), |metric| async move {
                let found = match lookup {
                    AlarmLookup::ByMetric if in_one_place(&metric.place) > FEW_METRICS => {
                        self.alarms
                            .get(metric, || self.collect_alarms_of_several(metric))
                            .await
                    }
                    AlarmLookup::ByMetric => {
                        self.alarms
                            .get(metric, || self.collect_alarms_of(metric))
                            .await
                    }
                    AlarmLookup::FullList => {
                        self.all_alarms
                            .get(metric, || self.collect_all_alarms_of(metric))
                            .await
                    }
                };
                (metric.clone(), found)
            })
            .await;
        let tellers: BTreeMap<&Arn, Teller<'_>> = alarms
            .values()
            .flat_map(|alarms| tellers(alarms))
            .map(|teller| (teller.arn, teller))
            .collect();
        let topics: BTreeSet<Arn> = tellers.values().flat_map(Teller::topics).collect();
        let topics = self.read_each(topics, |arn| async move {
            let topic = self.topics.get(&arn, || self.collect_topic(&arn)).await;
            (arn, topic)
        });
        let publishing = tellers.into_values().filter(Teller::publishes);
        let mute_rules = self.read_each(publishing, |alarm| async move {
            let rules = self
                .mute_rules
                .get(alarm.arn, || self.collect_mute_rules(alarm))
                .await;
            (alarm.arn.clone(), rules)
        });
        let (topics, mut mute_rules) = tokio::join!(topics, mute_rules);
        mute_rules.retain(|_, muted| muted.rules.as_ref().map_or(true, |rules| !rules.is_empty()));
        Followed {
            alarms,
            mute_rules,
            topics,
        }
    }

    /// Forgets shared answers that failed for a passing reason, so that they are asked for again
    /// before those who depend on them are judged.
    pub fn forget_passing_failures(&self) {
        fn lasting<T>(read: &Read<T>) -> bool {
            !read.as_ref().is_err_and(|gap| gap.class.is_passing())
        }
        fn all_lasting(alarms: &Alarms) -> bool {
            lasting(&alarms.found) && alarms.monitoring.iter().all(|one| lasting(&one.found))
        }
        self.trails
            .retain(|trail| lasting(&trail.status) && lasting(&trail.selectors));
        self.log_groups.retain(|group| {
            lasting(&group.evidence.class) && lasting(&group.evidence.metric_filters)
        });
        self.alarms.retain(all_lasting);
        self.all_alarms.retain(all_lasting);
        self.short_filter_lists.retain(lasting);
        self.short_lists.retain(lasting);
        self.alarm_lists.retain(lasting);
        self.mute_rules.retain(|muted| lasting(&muted.rules));
        self.mute_rule_in.retain(lasting);
        self.topics
            .retain(|topic| lasting(&topic.attributes) && lasting(&topic.subscriptions));
        self.event_rules.retain(|rules| lasting(&rules.rules));
    }

    /// Looks several things up at once, in a bounded number.
    async fn read_each<I, K, V, F, Fut>(&self, items: I, look: F) -> BTreeMap<K, Arc<V>>
    where
        I: IntoIterator,
        K: Ord,
        F: Fn(I::Item) -> Fut,
        Fut: Future<Output = (K, Arc<V>)>,
    {
        stream::iter(items)
            .map(look)
            .buffer_unordered(LINKS_AT_ONCE)
            .collect()
            .await
    }
}
