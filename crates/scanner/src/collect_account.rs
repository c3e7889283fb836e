//! The evidence of one account, along the chain.

use std::{collections::BTreeMap, sync::Arc};

use aws::Aws;
use futures::{StreamExt as _, stream};
use model::{
    AccountId, Arn, Clock, Gap, LogGroupArn, Region,
    evidence::{
        AccountEvidence, AlarmLookup, Alarms, LogGroupEvidence, MetricFilter, MetricKey, Place,
        Presence, TopicEvidence, Trail, TrailEvidence,
    },
};

use crate::{
    collect_alarms::{AlarmList, watches},
    shared_lookup::SharedLookup,
};

/// How many links or regions of one account are read at the same time. Pacing, not this, holds the rate.
pub(crate) const LINKS_AT_ONCE: usize = 8;

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
    is_candidate: IsCandidate,
    trails: SharedLookup<Arn, TrailEvidence>,
    log_groups: SharedLookup<LogGroupArn, LogGroupEvidence>,
    alarms: SharedLookup<MetricKey, Alarms>,
    alarm_lists: SharedLookup<Place, AlarmList>,
    topics: SharedLookup<Arn, TopicEvidence>,
}

impl Collector {
    /// A collector that has read nothing yet.
    pub fn new(aws: Aws, clock: Arc<dyn Clock>, is_candidate: IsCandidate) -> Self {
        Self {
            aws,
            clock,
            is_candidate,
            trails: SharedLookup::new(),
            log_groups: SharedLookup::new(),
            alarms: SharedLookup::new(),
            alarm_lists: SharedLookup::new(),
            topics: SharedLookup::new(),
        }
    }

    /// Follows the chain of one account as far as it goes.
    ///
    /// `lookup` says how thoroughly alarms are looked for: by metric is one call a metric; the full
    /// list shows metric math, composite alarms and near misses, and is due before a FAIL.
    pub async fn collect(
        &self,
        account: AccountId,
        regions: &RegionScope,
        lookup: AlarmLookup,
    ) -> AccountEvidence {
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
                .get(&arn, || self.collect_metric_filters(&arn))
                .await;
            (arn, group)
        });
        let (trail_details, log_groups) = tokio::join!(trail_details, log_groups);

        let metrics = self.candidate_metrics(&log_groups);
        let alarms = self
            .read_each(metrics, |metric| async move {
                let found = match lookup {
                    AlarmLookup::ByMetric => {
                        self.alarms
                            .get(&metric, || self.collect_alarms_of(&metric))
                            .await
                    }
                    AlarmLookup::FullList => {
                        let place = &metric.place;
                        let list = self
                            .alarm_lists
                            .get(place, || self.collect_alarm_list(place))
                            .await;
                        Arc::new(list.alarms_for(&metric))
                    }
                };
                (metric, found)
            })
            .await;
        let topics = self
            .read_each(topics_of(&alarms), |arn| async move {
                let topic = self
                    .topics
                    .get(&arn, || self.collect_subscriptions(&arn))
                    .await;
                (arn, topic)
            })
            .await;
        AccountEvidence {
            other_gaps,
            trail_details,
            log_groups,
            alarms,
            topics,
            ..AccountEvidence::of_trails(account, trails)
        }
    }

    /// Forgets shared answers that failed for a passing reason, so that they are asked for again
    /// before those who depend on them are judged.
    pub fn forget_passing_failures(&self) {
        fn lasting<T>(read: &Result<T, Gap>) -> bool {
            !read.as_ref().is_err_and(|gap| gap.class.is_passing())
        }
        self.trails
            .retain(|trail| lasting(&trail.status) && lasting(&trail.selectors));
        self.log_groups
            .retain(|group| lasting(&group.metric_filters));
        self.alarms.retain(|alarms| lasting(&alarms.found));
        self.alarm_lists.retain(|list| lasting(&list.found));
        self.topics.retain(|topic| lasting(&topic.subscriptions));
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

    /// The metrics that filters worth following publish.
    fn candidate_metrics(
        &self,
        groups: &BTreeMap<LogGroupArn, Arc<LogGroupEvidence>>,
    ) -> Vec<MetricKey> {
        let mut metrics: Vec<MetricKey> = groups
            .values()
            .filter_map(|group| match &group.metric_filters {
                Ok(Presence::Present(filters)) => Some((group, filters)),
                _ => None,
            })
            .flat_map(|(group, filters)| {
                let place = Place {
                    account: group.arn.account(),
                    region: group.arn.region().clone(),
                };
                let candidates = filters.iter().filter(|filter| (self.is_candidate)(filter));
                let published = candidates.flat_map(|filter| &filter.transformations);
                published.map(move |transformation| transformation.metric(place.clone()))
            })
            .collect();
        metrics.sort();
        metrics.dedup();
        metrics
    }
}

/// The topics that alarms on the metrics name; near misses are not followed.
fn topics_of(alarms: &BTreeMap<MetricKey, Arc<Alarms>>) -> Vec<Arn> {
    let mut topics: Vec<Arn> = alarms
        .iter()
        .filter_map(|(metric, alarms)| alarms.found.as_ref().ok().map(|found| (metric, found)))
        .flat_map(|(metric, found)| {
            found
                .metric_alarms
                .iter()
                .filter(|alarm| watches(alarm, metric))
        })
        .flat_map(|alarm| &alarm.alarm_actions)
        .filter_map(|action| action.parse::<Arn>().ok())
        .filter(Arn::is_sns_topic)
        .collect();
    topics.sort();
    topics.dedup();
    topics
}
