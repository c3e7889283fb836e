//! The alarms on a metric: by its name first, in the full list where that is not enough.

use aws::{Api, Malformed, Target};
use aws_sdk_cloudwatch::types::{
    AlarmType, CompositeAlarm as SdkComposite, Dimension, Metric, MetricAlarm as SdkAlarm,
    MetricDataQuery, StandardUnit,
};
use aws_sdk_cloudwatch::{
    error::SdkError,
    operation::describe_alarms::{DescribeAlarmsError, DescribeAlarmsOutput},
};
use futures::{StreamExt as _, stream};
use model::evidence::{
    AlarmLookup, Alarms, CompositeAlarm, Dimensions, FoundAlarms, MetricAlarm, MetricKey,
    MetricQuery, MonitoringAlarms, Place, Read,
};

use crate::{
    Collector,
    collect_account::LINKS_AT_ONCE,
    related_alarms::{reading_across_accounts, related},
};

impl Collector {
    /// Plain alarms on exactly this metric: one call, but blind to metric math and composite
    /// alarms (CloudWatch API Reference, DescribeAlarmsForMetric).
    pub(crate) async fn collect_alarms_of(&self, metric: &MetricKey) -> Alarms {
        let client = &self.aws.clients().cloudwatch;
        let session = self.aws.session(metric.place.account);
        let resource = format!("{}/{}", metric.namespace, metric.name);
        let region = &metric.place.region;
        let answer = session
            .call(
                Api::DescribeAlarmsForMetric,
                region,
                Some(&resource),
                |target| {
                    let request = client.describe_alarms_for_metric();
                    let request = request
                        .namespace(&metric.namespace)
                        .metric_name(&metric.name);
                    request
                        .customize()
                        .config_override(target.cloudwatch())
                        .send()
                },
            )
            .await;
        let found = answer.map_err(Into::into).and_then(|answer| {
            let alarms = answer.metric_alarms.unwrap_or_default();
            let alarms: Option<Vec<_>> = alarms.into_iter().map(metric_alarm).collect();
            let mut metric_alarms = alarms.ok_or_else(|| {
                session.malformed_answer(Api::DescribeAlarmsForMetric, region, Some(&resource))
            })?;
            metric_alarms.sort_by(|a, b| a.arn.cmp(&b.arn));
            Ok(FoundAlarms {
                metric_alarms,
                composite_alarms: Vec::new(),
            })
        });
        Alarms {
            metric: metric.clone(),
            lookup: AlarmLookup::ByMetric,
            found,
            monitoring: Vec::new(),
        }
    }

    /// Everything that has to do with the metric: metric math, composite alarms and near misses in
    /// its own account, and what reads it from the monitoring accounts.
    ///
    /// An alarm on a metric of another account does not show in that account's own lists (CloudWatch
    /// User Guide, cross-account alarms), and it stands in the region of the metric.
    pub(crate) async fn collect_all_alarms_of(&self, metric: &MetricKey) -> Alarms {
        let list = |account| async move {
            let place = Place {
                account,
                region: metric.place.region.clone(),
            };
            let list = self.alarm_lists.get(&place, || self.alarm_list(&place));
            (list.await, place)
        };
        let elsewhere = self
            .monitoring_accounts
            .iter()
            .filter(|account| **account != metric.place.account);
        let elsewhere = stream::iter(elsewhere).map(|account| async move {
            let (list, place) = list(*account).await;
            let found = list.as_ref().as_ref().map_err(Clone::clone);
            MonitoringAlarms {
                place,
                found: found.map(|all| reading_across_accounts(all, metric)),
            }
        });
        let (own, monitoring) = tokio::join!(
            list(metric.place.account),
            elsewhere.buffered(LINKS_AT_ONCE).collect()
        );
        let found = own.0.as_ref().as_ref().map_err(Clone::clone);
        Alarms {
            metric: metric.clone(),
            lookup: AlarmLookup::FullList,
            found: found.map(|all| related(all, metric)),
            monitoring,
        }
    }

    /// The alarms on a metric where several metrics are asked for: from the first page of the list, if
    /// that is all of it, or else by metric.
    pub(crate) async fn collect_alarms_of_several(&self, metric: &MetricKey) -> Alarms {
        let place = &metric.place;
        let page = self.short_lists.get(place, || self.short_list(place)).await;
        let found = match page.as_ref() {
            Ok(Some(all)) => Ok(related(all, metric)),
            // Evidence must not depend on what passes: the page is asked for again at the end.
            Err(gap) if gap.class.is_passing() => Err(gap.clone()),
            Ok(None) | Err(_) => return self.collect_alarms_of(metric).await,
        };
        Alarms {
            metric: metric.clone(),
            lookup: AlarmLookup::FullList,
            found,
            monitoring: Vec::new(),
        }
    }

    /// Every alarm of an account and region, if they fit on one page.
    async fn short_list(&self, place: &Place) -> Read<Option<FoundAlarms>> {
        let session = self.aws.session(place.account);
        let page = session
            .call(Api::DescribeAlarms, &place.region, None, |target| {
                self.describe_alarms(target, None)
            })
            .await?;
        let mut found = FoundAlarms::default();
        let next = take_page(page, &mut found).map_err(|Malformed| {
            session.malformed_answer(Api::DescribeAlarms, &place.region, None)
        })?;
        sort(&mut found);
        Ok(next.is_none().then_some(found))
    }

    /// Every metric and composite alarm of an account and region, all pages.
    async fn alarm_list(&self, place: &Place) -> Read<FoundAlarms> {
        if let Some(short) = self.short_lists.known(place)
            && let Ok(Some(all)) = short.as_ref()
        {
            return Ok(all.clone());
        }
        let session = self.aws.session(place.account);
        let mut found = FoundAlarms::default();
        session
            .pages(
                Api::DescribeAlarms,
                &place.region,
                None,
                |target, token| self.describe_alarms(target, token),
                |page| take_page(page, &mut found),
            )
            .await?;
        sort(&mut found);
        Ok(found)
    }

    async fn describe_alarms(
        &self,
        target: Target,
        token: Option<String>,
    ) -> Result<DescribeAlarmsOutput, SdkError<DescribeAlarmsError>> {
        let client = &self.aws.clients().cloudwatch;
        client
            .describe_alarms()
            .max_records(100)
            .set_next_token(token)
            // Without the types AWS answers metric alarms only.
            .alarm_types(AlarmType::MetricAlarm)
            .alarm_types(AlarmType::CompositeAlarm)
            .customize()
            .config_override(target.cloudwatch())
            .send()
            .await
    }
}

/// Adds what a page holds, and gives the token of the next one.
fn take_page(
    page: DescribeAlarmsOutput,
    found: &mut FoundAlarms,
) -> Result<Option<String>, Malformed> {
    for alarm in page.metric_alarms.unwrap_or_default() {
        found
            .metric_alarms
            .push(metric_alarm(alarm).ok_or(Malformed)?);
    }
    for alarm in page.composite_alarms.unwrap_or_default() {
        found
            .composite_alarms
            .push(composite_alarm(alarm).ok_or(Malformed)?);
    }
    Ok(page.next_token.filter(|token| !token.is_empty()))
}

fn sort(found: &mut FoundAlarms) {
    found.metric_alarms.sort_by(|a, b| a.arn.cmp(&b.arn));
    found.composite_alarms.sort();
}

fn metric_alarm(alarm: SdkAlarm) -> Option<MetricAlarm> {
    let metric = alarm.namespace.zip(alarm.metric_name);
    let mut queries: Vec<_> = alarm
        .metrics
        .unwrap_or_default()
        .into_iter()
        .map(metric_query)
        .collect();
    queries.sort();
    let unknown_settings = [
        (
            "EvaluationWindow",
            // The sliding window is what an alarm without the setting has.
            (alarm.evaluation_window.as_ref()).is_some_and(|window| !window.is_sliding_window()),
        ),
        ("WarmUpConfiguration", alarm.warm_up_configuration.is_some()),
        ("EvaluationCriteria", alarm.evaluation_criteria.is_some()),
        ("EvaluationInterval", alarm.evaluation_interval.is_some()),
        ("ActionConfiguration", alarm.action_configuration.is_some()),
        ("ThresholdMetricId", alarm.threshold_metric_id.is_some()),
    ];
    Some(MetricAlarm {
        arn: alarm.alarm_arn?.parse().ok()?,
        name: alarm.alarm_name?,
        actions_enabled: alarm.actions_enabled.unwrap_or(true),
        alarm_actions: sorted(alarm.alarm_actions),
        metric: metric.map(|(namespace, name)| (namespace, name, dimensions(alarm.dimensions))),
        statistic: alarm
            .statistic
            .map(|statistic| statistic.as_str().to_owned()),
        extended_statistic: alarm.extended_statistic,
        evaluate_low_sample_count_percentile: alarm.evaluate_low_sample_count_percentile,
        period_seconds: alarm.period,
        unit: unit(alarm.unit),
        evaluation_periods: alarm.evaluation_periods,
        datapoints_to_alarm: alarm.datapoints_to_alarm,
        threshold: alarm.threshold,
        comparison_operator: alarm
            .comparison_operator
            .map(|operator| operator.as_str().to_owned()),
        treat_missing_data: alarm.treat_missing_data,
        metrics: queries,
        unknown_settings: unknown_settings
            .into_iter()
            .filter(|(_, is_set)| *is_set)
            .map(|(name, _)| name.to_owned())
            .collect(),
    })
}

fn metric_query(query: MetricDataQuery) -> MetricQuery {
    let stat = query.metric_stat;
    MetricQuery {
        id: query.id.unwrap_or_default(),
        expression: query.expression,
        metric: stat
            .as_ref()
            .and_then(|stat| stat.metric.clone())
            .and_then(named_metric),
        statistic: stat.as_ref().and_then(|stat| stat.stat.clone()),
        period_seconds: stat.as_ref().and_then(|stat| stat.period),
        unit: unit(stat.and_then(|stat| stat.unit)),
        account: query.account_id,
        // AWS returns the data of a query that does not say otherwise.
        return_data: query.return_data.unwrap_or(true),
    }
}

fn named_metric(metric: Metric) -> Option<(String, String, Dimensions)> {
    Some((
        metric.namespace?,
        metric.metric_name?,
        dimensions(metric.dimensions),
    ))
}

fn composite_alarm(alarm: SdkComposite) -> Option<CompositeAlarm> {
    Some(CompositeAlarm {
        arn: alarm.alarm_arn?.parse().ok()?,
        name: alarm.alarm_name?,
        actions_enabled: alarm.actions_enabled.unwrap_or(true),
        alarm_actions: sorted(alarm.alarm_actions),
        rule: alarm.alarm_rule.unwrap_or_default(),
        actions_suppressor: alarm
            .actions_suppressor
            .filter(|suppressor| !suppressor.is_empty()),
    })
}

fn dimensions(dimensions: Option<Vec<Dimension>>) -> Dimensions {
    let named = dimensions
        .unwrap_or_default()
        .into_iter()
        .map(|one| Some((one.name?, one.value?)));
    Dimensions(named.flatten().collect())
}

/// An alarm that asks for the unit `None` sees only what is published without a unit; one that asks
/// for nothing sees everything. The two are kept apart.
fn unit(unit: Option<StandardUnit>) -> Option<String> {
    unit.map(|unit| unit.as_str().to_owned())
}

fn sorted(list: Option<Vec<String>>) -> Vec<String> {
    let mut list = list.unwrap_or_default();
    list.sort();
    list
}
