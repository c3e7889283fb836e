//! Cases in which other tools err: an organization trail seen from a member, things of the same name
//! elsewhere, alarms that cannot fire, answers that were refused.

use super::*;

/// The evidence of a good chain, taken apart to be changed.
struct Parts {
    trail: Trail,
    detail: TrailEvidence,
    group: LogGroupEvidence,
    filter: MetricFilter,
    alarm: MetricAlarm,
    topic: TopicEvidence,
    event_rule: Option<EventRule>,
    other_gaps: Vec<Gap>,
}

impl Parts {
    fn of(chain: &Chain) -> Self {
        let mut evidence = evidence(std::slice::from_ref(chain));
        let mut group = take(&mut evidence.log_groups);
        let Ok(Presence::Present(filters)) = &mut group.metric_filters else {
            panic!("a good chain has filters")
        };
        let filter = filters.remove(0);
        let mut alarms = take(&mut evidence.alarms);
        Self {
            trail: evidence.trails.unwrap().remove(0),
            detail: take(&mut evidence.trail_details),
            group,
            filter,
            alarm: alarms.found.as_mut().unwrap().metric_alarms.remove(0),
            topic: take(&mut evidence.topics),
            event_rule: None,
            other_gaps: Vec::new(),
        }
    }

    fn finding(self) -> Finding {
        let mut evidence = AccountEvidence::of_trails(OWN.parse().unwrap(), Vec::new());
        let place = Place {
            account: self.group.arn.account(),
            region: self.group.arn.region().clone(),
        };
        if let Some(rule) = self.event_rule {
            let rules = EventRules {
                place: place.clone(),
                rules: Ok(vec![rule]),
            };
            evidence.event_rules.insert(place.clone(), Arc::new(rules));
        }
        let metric = self.filter.transformations[0].metric(place);
        let alarms = Alarms {
            metric: metric.clone(),
            lookup: AlarmLookup::FullList,
            found: Ok(FoundAlarms {
                metric_alarms: vec![self.alarm],
                composite_alarms: Vec::new(),
            }),
            monitoring: Vec::new(),
        };
        let group = LogGroupEvidence {
            metric_filters: (self.group.metric_filters)
                .map(|_| Presence::Present(vec![self.filter])),
            ..self.group
        };
        evidence.other_gaps = self.other_gaps;
        evidence
            .trail_details
            .insert(self.trail.arn.clone(), Arc::new(self.detail));
        evidence
            .log_groups
            .insert(group.arn.clone(), Arc::new(group));
        evidence.alarms.insert(metric, Arc::new(alarms));
        evidence
            .topics
            .insert(self.topic.arn.clone(), Arc::new(self.topic));
        evidence.trails.as_mut().unwrap().push(self.trail);
        judge(
            &control(),
            &JudgeContext::default(),
            &account(AccountState::Active),
            Some(&evidence),
        )
    }
}

fn take<K: Ord, V: Clone>(parts: &mut BTreeMap<K, Arc<V>>) -> V {
    Arc::unwrap_or_clone(parts.pop_first().unwrap().1)
}

fn denied(api: &str) -> Gap {
    Chain::good("own", OWN).gap(api)
}

fn in_place(arn: &Arn, account: &str, region: &str) -> Arn {
    arn.as_str()
        .replace(OWNER, account)
        .replace(OWN, account)
        .replace("us-east-1", region)
        .parse()
        .unwrap()
}

/// Moves log group, alarm and topic; the trail stays where it is.
fn move_below_trail(parts: &mut Parts, account: &str, region: &str) {
    let group = in_place(parts.group.arn.arn(), account, region);
    parts.trail.log_group = Some(format!("{group}:*"));
    parts.group.arn = group.as_str().parse().unwrap();
    parts.alarm.arn = in_place(&parts.alarm.arn, account, region);
    let topic = in_place(&parts.topic.arn, account, region);
    parts.alarm.alarm_actions = vec![topic.to_string()];
    parts.topic.arn = topic;
}

fn allow(parts: &mut Parts, statement: PolicyStatement) {
    parts.topic.attributes = Ok(Presence::Present(TopicAttributes {
        policy: Some(vec![statement]),
        ..TopicAttributes::default()
    }));
}

fn of_source_owner(owner: &str) -> PolicyStatement {
    let owner = [("AWS:SourceOwner".to_owned(), vec![owner.to_owned()])].into();
    PolicyStatement {
        effect: "Allow".to_owned(),
        principals: [("AWS".to_owned(), vec!["*".to_owned()])].into(),
        actions: vec!["SNS:Publish".to_owned()],
        resources: vec!["*".to_owned()],
        conditions: [("StringEquals".to_owned(), owner)].into(),
        ..PolicyStatement::default()
    }
}

/// A change to the parts of a good chain, and the reason that is right.
type Case = (&'static str, &'static str, Reason, fn(&mut Parts));

const CASES: &[Case] = &[
    // The organization's trail, seen from a member.
    (
        "log group in the owner's account",
        OWNER,
        Reason::CoveredByOrganizationTrail,
        |_| {},
    ),
    (
        "log group in the account of a delegated administrator",
        OWNER,
        Reason::CoveredByOrganizationTrail,
        |parts| move_below_trail(parts, "444444444444", "us-east-1"),
    ),
    (
        "an owner that refuses to be asked",
        OWNER,
        Reason::EvidenceGap,
        |parts| parts.group.metric_filters = Err(denied("sts:AssumeRole")),
    ),
    // The same names in another region.
    (
        "a trail at home in another region",
        OWN,
        Reason::CoveredByOwnTrail,
        |parts| {
            parts.trail.home_region = "eu-west-1".parse().unwrap();
            move_below_trail(parts, OWN, "eu-west-1");
        },
    ),
    (
        "an alarm in another region",
        OWN,
        Reason::AlarmOtherMetric,
        |parts| {
            parts.alarm.arn = in_place(&parts.alarm.arn, OWN, "eu-west-1");
        },
    ),
    (
        "an alarm in another account",
        OWN,
        Reason::AlarmOtherMetric,
        |parts| {
            parts.alarm.arn = in_place(&parts.alarm.arn, OWNER, "us-east-1");
        },
    ),
    (
        "an alarm in another namespace",
        OWN,
        Reason::AlarmOtherMetric,
        |parts| {
            parts.alarm.metric.as_mut().unwrap().0 = "Other".to_owned();
        },
    ),
    (
        "a topic in another region",
        OWN,
        Reason::TopicOtherRegion,
        |parts| {
            let topic = in_place(&parts.topic.arn, OWN, "eu-west-1");
            parts.alarm.alarm_actions = vec![topic.to_string()];
            parts.topic.arn = topic;
        },
    ),
    // A topic of another account.
    (
        "a foreign topic that admits CloudWatch",
        OWN,
        Reason::CoveredByOwnTrail,
        |parts| {
            let topic = in_place(&parts.topic.arn, OWNER, "us-east-1");
            parts.alarm.alarm_actions = vec![topic.to_string()];
            parts.topic.arn = topic;
        },
    ),
    (
        "a foreign topic that admits its owner only",
        OWN,
        Reason::TopicPolicyDenies,
        |parts| {
            let topic = in_place(&parts.topic.arn, OWNER, "us-east-1");
            parts.alarm.alarm_actions = vec![topic.to_string()];
            parts.topic.arn = topic;
            allow(parts, of_source_owner(OWNER));
        },
    ),
    (
        "an own topic that admits its owner only",
        OWN,
        Reason::CoveredByOwnTrail,
        |parts| {
            allow(parts, of_source_owner(OWN));
        },
    ),
    (
        "a foreign topic that cannot be read",
        OWN,
        Reason::EvidenceGap,
        |parts| {
            let topic = in_place(&parts.topic.arn, "444444444444", "us-east-1");
            parts.alarm.alarm_actions = vec![topic.to_string()];
            parts.topic.arn = topic;
            parts.topic.attributes = Err(denied("sts:AssumeRole"));
            parts.topic.subscriptions = Err(denied("sts:AssumeRole"));
        },
    ),
    (
        "a topic that AWS's own key encrypts",
        OWN,
        Reason::TopicKeyBlocks,
        |parts| {
            let Ok(Presence::Present(attributes)) = &mut parts.topic.attributes else {
                panic!()
            };
            attributes.kms_key = Some("alias/aws/sns".to_owned());
        },
    ),
    (
        "a topic that a customer key encrypts",
        OWN,
        Reason::CoveredByOwnTrail,
        |parts| {
            let Ok(Presence::Present(attributes)) = &mut parts.topic.attributes else {
                panic!()
            };
            attributes.kms_key = Some("alias/alerts".to_owned());
        },
    ),
    // Nobody is told.
    (
        "actions switched off",
        OWN,
        Reason::AlarmActionsDisabled,
        |parts| {
            parts.alarm.actions_enabled = false;
        },
    ),
    (
        "a subscription that waits",
        OWN,
        Reason::SubscriptionUnconfirmed,
        |parts| {
            let Ok(Presence::Present(subscriptions)) = &mut parts.topic.subscriptions else {
                panic!()
            };
            subscriptions[0].state = SubscriptionState::Pending;
        },
    ),
    (
        "a subscription that was deleted",
        OWN,
        Reason::SubscriptionUnconfirmed,
        |parts| {
            let Ok(Presence::Present(subscriptions)) = &mut parts.topic.subscriptions else {
                panic!()
            };
            subscriptions[0].state = SubscriptionState::Deleted;
        },
    ),
    // An alarm that one event does not take to ALARM.
    (
        "a threshold of a thousand",
        OWN,
        Reason::AlarmNeverFires,
        |parts| {
            parts.alarm.threshold = Some(1000.0);
        },
    ),
    (
        "an average beside zeros",
        OWN,
        Reason::AlarmNeverFires,
        |parts| {
            parts.alarm.statistic = Some("Average".to_owned());
            parts.filter.transformations[0].default_value = Some(0.0);
        },
    ),
    (
        "metric math that is the plain metric",
        OWN,
        Reason::CoveredByOwnTrail,
        |parts| {
            as_math(&mut parts.alarm, None);
        },
    ),
    (
        "metric math over a rate",
        OWN,
        Reason::AlarmUndecided,
        |parts| {
            as_math(&mut parts.alarm, Some("RATE(m1)"));
        },
    ),
    (
        "dimensions that the filter does not publish",
        OWN,
        Reason::AlarmOtherMetric,
        |parts| {
            let dimensions = &mut parts.alarm.metric.as_mut().unwrap().2;
            dimensions.0.insert("Account".to_owned(), OWN.to_owned());
        },
    ),
    (
        "dimensions that only the filter publishes",
        OWN,
        Reason::AlarmOtherMetric,
        |parts| {
            parts.filter.emit_system_field_dimensions = vec!["@aws.account".to_owned()];
        },
    ),
    // Refused answers.
    (
        "a status that was refused",
        OWN,
        Reason::EvidenceGap,
        |parts| {
            parts.detail.status = Err(denied("cloudtrail:GetTrailStatus"));
        },
    ),
    (
        "another region that a policy denies",
        OWN,
        Reason::CoveredByOwnTrail,
        |parts| {
            parts.other_gaps = vec![Gap {
                class: GapClass::DeniedByOrganizationPolicy,
                ..denied("cloudtrail:DescribeTrails")
            }];
        },
    ),
    // Another way to be told.
    (
        "an EventBridge rule instead",
        OWN,
        Reason::FilterAbsent,
        |parts| {
            parts.filter.pattern = "{ $.eventName = ConsoleLogin }".to_owned();
            parts.event_rule = Some(EventRule {
                name: "organization".to_owned(),
                pattern: r#"{"source":["aws.organizations"]}"#.to_owned(),
                targets: vec!["lambda".to_owned()],
            });
        },
    ),
];

fn as_math(alarm: &mut MetricAlarm, expression: Option<&str>) {
    let query = |id: &str, return_data| MetricQuery {
        id: id.to_owned(),
        expression: None,
        metric: None,
        statistic: None,
        period_seconds: None,
        unit: None,
        account: None,
        return_data,
    };
    alarm.metrics = vec![MetricQuery {
        metric: alarm.metric.take(),
        statistic: alarm.statistic.take(),
        period_seconds: alarm.period_seconds.take(),
        ..query("m1", expression.is_none())
    }];
    alarm
        .metrics
        .extend(expression.map(|expression| MetricQuery {
            expression: Some(expression.to_owned()),
            ..query("e1", true)
        }));
}

#[test]
fn what_others_get_wrong_is_judged_as_it_is() {
    for (case, owner, reason, change) in CASES {
        let mut parts = Parts::of(&Chain::good("main", owner));
        change(&mut parts);
        let finding = parts.finding();
        assert_eq!(finding.reason, *reason, "{case}: {}", finding.message);
    }
}

#[test]
fn one_good_trail_covers_every_member() {
    let judge = Judge::new(vec![control()]);
    let shared = evidence(&[Chain::good("org", OWNER)]);
    for number in 0..50_u64 {
        let account = Account {
            id: format!("{:012}", 300_000_000_000 + number).parse().unwrap(),
            ..account(AccountState::Active)
        };
        let findings = judge.findings(&JudgeContext::default(), &account, Some(&shared));
        assert_eq!(findings[0].reason, Reason::CoveredByOrganizationTrail);
        assert_eq!(findings[0].account, account.id);
        assert_eq!(
            findings[0].covered_by.as_ref().unwrap().account.to_string(),
            OWNER
        );
    }
}
