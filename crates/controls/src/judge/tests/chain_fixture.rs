//! Chains made by hand: what they consist of, what is wrong with them, and their evidence.

use super::*;

/// What a chain consists of, and what is wrong with it.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    pub(super) name: &'static str,
    pub(super) owner: &'static str,
    pub(super) organization: bool,
    pub(super) logging: bool,
    pub(super) patterns: Vec<String>,
    /// How many of the filters have an alarm, from the first on.
    pub(super) alarmed: usize,
    pub(super) confirmed: bool,
    /// The topic's policy admits CloudWatch.
    pub(super) admitted: bool,
    /// The class of the log group.
    pub(super) class: &'static str,
    /// Whether alarms stand in a monitoring account instead of beside the metric.
    pub(super) in_monitoring_account: bool,
    /// Which reads failed, in the order of [`READS`].
    pub(super) unread: [bool; READS.len()],
}

/// The reads of a chain. A verdict rests on the first seven of a good one.
pub(super) const READS: [&str; 9] = [
    "cloudtrail:GetTrailStatus",
    "cloudtrail:GetEventSelectors",
    "logs:DescribeMetricFilters",
    "cloudwatch:DescribeAlarms",
    "sns:ListSubscriptionsByTopic",
    "sns:GetTopicAttributes",
    "logs:DescribeLogGroups",
    "cloudwatch:ListAlarmMuteRules",
    "cloudwatch:DescribeAlarms in the monitoring account",
];
pub(super) const DECISIVE_READS: usize = 7;
pub(super) const MONITORING: &str = "333333333333";

impl Chain {
    pub(super) fn good(name: &'static str, owner: &'static str) -> Self {
        let events = all_events();
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        Self {
            name,
            owner,
            organization: owner == OWNER,
            logging: true,
            patterns: vec![pattern(&events)],
            alarmed: usize::MAX,
            confirmed: true,
            admitted: true,
            class: LogGroupEvidence::STANDARD,
            in_monitoring_account: false,
            unread: [false; READS.len()],
        }
    }

    pub(super) fn arn(&self, service: &str, resource: &str) -> Arn {
        format!("arn:aws:{service}:us-east-1:{}:{resource}", self.owner)
            .parse()
            .unwrap()
    }

    pub(super) fn gap(&self, api: &str) -> Gap {
        Gap {
            class: GapClass::AccessDenied,
            api: api.to_owned(),
            resource: None,
            account: Some(self.owner.parse().unwrap()),
            region: None,
            sample: GapSample::default(),
        }
    }

    pub(super) fn read<T>(&self, index: usize, value: T) -> Result<T, Gap> {
        if self.unread[index] {
            Err(self.gap(READS[index]))
        } else {
            Ok(value)
        }
    }

    pub(super) fn place(&self) -> Place {
        Place {
            account: self.owner.parse().unwrap(),
            region: "us-east-1".parse().unwrap(),
        }
    }

    pub(super) fn metric(&self, index: usize) -> String {
        format!("{}-{index}", self.name)
    }

    pub(super) fn detail(&self, arn: Arn) -> TrailEvidence {
        let selector = BasicEventSelector {
            include_management_events: true,
            read_write_type: "All".to_owned(),
            exclude_management_event_sources: Vec::new(),
        };
        let selectors = EventSelectors {
            basic: vec![selector],
            advanced: Vec::new(),
        };
        let status = TrailStatus {
            is_logging: self.logging,
            delivery: Delivery::Fresh,
        };
        TrailEvidence {
            arn,
            status: self.read(0, status),
            selectors: self.read(1, selectors),
        }
    }

    pub(super) fn filter(&self, index: usize, pattern: &str) -> MetricFilter {
        MetricFilter {
            name: self.metric(index),
            pattern: pattern.to_owned(),
            transformations: vec![MetricTransformation {
                metric_name: self.metric(index),
                namespace: "CIS".to_owned(),
                value: "1".to_owned(),
                default_value: None,
                dimensions: BTreeMap::new(),
                unit: None,
            }],
            apply_on_transformed_logs: false,
            field_selection_criteria: None,
            emit_system_field_dimensions: Vec::new(),
        }
    }

    pub(super) fn alarms(&self, index: usize, metric: MetricKey) -> Alarms {
        let alarm = MetricAlarm {
            arn: self.arn("cloudwatch", &format!("alarm:{}", self.metric(index))),
            name: self.metric(index),
            actions_enabled: true,
            alarm_actions: vec![self.topic_arn().to_string()],
            metric: Some(("CIS".to_owned(), self.metric(index), Dimensions::default())),
            statistic: Some("Sum".to_owned()),
            extended_statistic: None,
            evaluate_low_sample_count_percentile: None,
            period_seconds: Some(300),
            unit: None,
            evaluation_periods: Some(1),
            datapoints_to_alarm: None,
            threshold: Some(1.0),
            comparison_operator: Some("GreaterThanOrEqualToThreshold".to_owned()),
            treat_missing_data: None,
            metrics: Vec::new(),
            unknown_settings: Vec::new(),
        };
        let mut alarm = alarm;
        if self.in_monitoring_account {
            let (namespace, name, dimensions) = alarm.metric.take().unwrap();
            alarm.metrics.push(MetricQuery {
                id: "m1".to_owned(),
                expression: None,
                metric: Some((namespace, name, dimensions)),
                statistic: alarm.statistic.take(),
                period_seconds: alarm.period_seconds.take(),
                unit: None,
                account: Some(self.owner.to_owned()),
                return_data: true,
            });
            alarm.arn = alarm
                .arn
                .as_str()
                .replace(self.owner, MONITORING)
                .parse()
                .unwrap();
            alarm.alarm_actions = vec![self.topic_arn().to_string()];
        }
        let found = |alarm: Option<MetricAlarm>| FoundAlarms {
            metric_alarms: alarm.into_iter().collect(),
            composite_alarms: Vec::new(),
        };
        let alarm = Some(alarm).filter(|_| index < self.alarmed);
        let (here, there) = if self.in_monitoring_account {
            (None, alarm)
        } else {
            (alarm, None)
        };
        let place = Place {
            account: MONITORING.parse().unwrap(),
            ..self.place()
        };
        Alarms {
            metric,
            lookup: AlarmLookup::FullList,
            found: self.read(3, found(here)),
            monitoring: vec![MonitoringAlarms {
                place,
                found: self.read(8, found(there)),
            }],
        }
    }

    pub(super) fn topic_arn(&self) -> Arn {
        let arn = self.arn("sns", self.name);
        if self.in_monitoring_account {
            arn.as_str()
                .replace(self.owner, MONITORING)
                .parse()
                .unwrap()
        } else {
            arn
        }
    }

    pub(super) fn topic(&self) -> TopicEvidence {
        let state = if self.confirmed {
            SubscriptionState::Confirmed(self.arn("sns", &format!("{}:0a1b", self.name)))
        } else {
            SubscriptionState::Pending
        };
        let subscription = Subscription {
            state,
            protocol: "email".to_owned(),
            endpoint: "s…@example.com".to_owned(),
        };
        let subscriptions = Presence::Present(vec![subscription]);
        let statement = PolicyStatement {
            effect: "Allow".to_owned(),
            principals: [(
                "Service".to_owned(),
                vec!["cloudwatch.amazonaws.com".to_owned()],
            )]
            .into(),
            actions: vec!["sns:Publish".to_owned()],
            resources: vec!["*".to_owned()],
            ..PolicyStatement::default()
        };
        let attributes = TopicAttributes {
            policy: Some(if self.admitted {
                vec![statement]
            } else {
                Vec::new()
            }),
            ..TopicAttributes::default()
        };
        TopicEvidence {
            arn: self.topic_arn(),
            attributes: self.read(5, Presence::Present(attributes)),
            subscriptions: self.read(4, subscriptions),
        }
    }

    pub(super) fn add_to(&self, evidence: &mut AccountEvidence) {
        let trail = self.arn("cloudtrail", &format!("trail/{}", self.name));
        let group = self.arn("logs", &format!("log-group:{}", self.name));
        let group: LogGroupArn = group.as_str().parse().unwrap();
        evidence.trails.as_mut().unwrap().push(Trail {
            arn: trail.clone(),
            home_region: self.place().region,
            is_multi_region: true,
            is_organization_trail: self.organization,
            log_group: Some(format!("{group}:*")),
        });
        evidence
            .trail_details
            .insert(trail.clone(), Arc::new(self.detail(trail)));
        let filters = self
            .patterns
            .iter()
            .enumerate()
            .map(|(index, pattern)| self.filter(index, pattern));
        let filters: Vec<MetricFilter> = filters.collect();
        for (index, filter) in filters.iter().enumerate().filter(|_| !self.unread[2]) {
            let key = filter.transformations[0].metric(self.place());
            evidence
                .alarms
                .insert(key.clone(), Arc::new(self.alarms(index, key)));
        }
        let metric_filters = self.read(2, Presence::Present(filters));
        let log_group = LogGroupEvidence {
            other_publishers: Some(Vec::new()),
            class: self.read(6, Presence::Present(self.class.to_owned())),
            arn: group.clone(),
            metric_filters,
        };
        evidence.log_groups.insert(group, Arc::new(log_group));
        evidence
            .topics
            .insert(self.topic_arn(), Arc::new(self.topic()));
        if self.unread[7] {
            let alarm = self.arn("cloudwatch", &format!("alarm:{}", self.metric(0)));
            let muted = MuteRules {
                alarm: alarm.clone(),
                rules: self.read(7, Vec::new()),
            };
            evidence.mute_rules.insert(alarm, Arc::new(muted));
        }
    }
}
