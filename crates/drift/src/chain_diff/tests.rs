//! What counts as a change along the chain, case by case.

use model::Finding;
use serde_json::json;

use super::*;
use crate::fixture::{
    ALARM, FILTER, GROUP, OWNER, SUBSCRIPTION, TOPIC, cut_at, fail, gap, node, over, pass,
    subscription, whole_chain, with_field,
};

fn told(before: &Finding, after: &Finding, one_sided: OneSided) -> Vec<String> {
    changes(before, after, one_sided)
        .into_iter()
        .map(|one| {
            let change = one.change;
            format!("{:?} {} {}", change.change, change.of.link, change.path)
        })
        .collect()
}

/// What changes from one chain to another, under the same PASS.
#[track_caller]
fn check(before: Vec<ChainNode>, after: Vec<ChainNode>, expected: &[&str]) {
    let (before, after) = (over(before, pass()), over(after, pass()));
    assert_eq!(told(&before, &after, OneSided::Differs), expected);
    let back: Vec<String> = expected
        .iter()
        .map(|text| match text.split_once(' ') {
            Some(("Removed", rest)) => format!("Added {rest}"),
            Some(("Added", rest)) => format!("Removed {rest}"),
            _ => (*text).to_owned(),
        })
        .collect();
    let mut reverse = told(&after, &before, OneSided::Differs);
    reverse.sort();
    let mut sorted = back;
    sorted.sort();
    assert_eq!(reverse, sorted, "backwards");
}

#[test]
fn a_field_that_the_verdict_rests_on_is_named() {
    let pattern = with_field(2, "/pattern", json!("{ $.eventName = X }"));
    check(whole_chain(), pattern, &["Changed metric_filter /pattern"]);
    let threshold = with_field(3, "/threshold", json!(2.0));
    check(whole_chain(), threshold, &["Changed alarm /threshold"]);
    let class = with_field(1, "/class", json!("missing"));
    check(whole_chain(), class, &["Changed log_group /class"]);
    let logging = with_field(0, "/status/is_logging", json!(false));
    check(
        whole_chain(),
        logging,
        &["Changed trail /status/is_logging"],
    );
}

#[test]
fn messages_states_and_filters_on_other_events_are_no_change() {
    let mut chain = whole_chain();
    for node in &mut chain {
        node.message = "said otherwise".to_owned();
        node.state = NodeState::Unknown;
    }
    check(whole_chain(), chain, &[]);
    check(
        whole_chain(),
        with_field(1, "/metric_filters", json!(7)),
        &[],
    );
    check(whole_chain(), with_field(3, "/threshold", json!(1)), &[]);
}

#[test]
fn what_hangs_below_something_that_is_gone_is_not_named_as_well() {
    check(whole_chain(), cut_at(2), &["Removed metric_filter "]);
    check(whole_chain(), cut_at(3), &["Removed alarm "]);
    check(whole_chain(), cut_at(5), &["Removed subscription "]);
    check(whole_chain(), Vec::new(), &["Removed trail "]);
}

#[test]
fn what_a_field_points_to_is_not_named_beside_the_field() {
    let mut chain = whole_chain();
    let other = GROUP.replace(":trail", ":other");
    chain[0].read["log_group"] = json!(other);
    chain[1].resource = other;
    check(whole_chain(), chain, &["Changed trail /log_group"]);
    let mut chain = cut_at(3);
    chain[2].read["transformations"][0]["metric_name"] = json!("other");
    check(
        whole_chain(),
        chain,
        &["Changed metric_filter /transformations/0/metric_name"],
    );
    let mut chain = cut_at(4);
    chain[3].read["alarm_actions"] = json!([]);
    check(whole_chain(), chain, &["Changed alarm /alarm_actions"]);
    let mut chain = cut_at(5);
    chain[4].read = json!("missing");
    check(whole_chain(), chain, &["Changed topic "]);
}

#[test]
fn a_subscriber_that_is_replaced_comes_and_goes() {
    let mut chain = whole_chain();
    chain[5] = subscription(4, &SUBSCRIPTION.replace("0001", "0002"));
    check(
        whole_chain(),
        chain,
        &["Removed subscription ", "Added subscription "],
    );
}

#[test]
fn a_resource_that_two_ways_lead_to_changes_once() {
    let twice = |arn: &str| {
        let mut chain = whole_chain();
        chain.push(node(Link::Alarm, Some(2), &format!("{ALARM} 2"), json!({})));
        chain.push(node(Link::Topic, Some(6), TOPIC, json!({"present": {}})));
        chain[5] = subscription(4, arn);
        chain.push(subscription(7, arn));
        chain
    };
    check(
        twice(SUBSCRIPTION),
        twice(&SUBSCRIPTION.replace("0001", "0002")),
        &["Removed subscription ", "Added subscription "],
    );
}

#[test]
fn what_was_not_read_is_no_change() {
    check(whole_chain(), with_field(0, "/status", json!(null)), &[]);
    check(whole_chain(), with_field(0, "/selectors", json!(null)), &[]);
    check(whole_chain(), with_field(1, "/class", json!(null)), &[]);
    check(whole_chain(), with_field(4, "", json!(null)), &[]);
    // A trail without a log group does not deliver to one.
    let chain = with_field(0, "/log_group", json!(null));
    check(whole_chain(), chain, &["Changed trail /log_group"]);
}

#[test]
fn a_gap_may_be_why_something_does_not_show() {
    #[track_caller]
    fn check(chain: Vec<ChainNode>, gap: Gap, expected: usize) {
        let mut after = over(chain, pass());
        after.gaps = vec![gap];
        assert_eq!(changes(&pass(), &after, OneSided::Differs).len(), expected);
        assert_eq!(changes(&after, &pass(), OneSided::Differs).len(), expected);
    }
    let group = format!("{GROUP}:*");
    check(
        cut_at(2),
        gap("logs:DescribeMetricFilters", Some(&group), OWNER),
        0,
    );
    check(cut_at(2), gap("logs:DescribeMetricFilters", None, OWNER), 0);
    check(cut_at(2), gap("sts:AssumeRole", None, OWNER), 0);
    check(cut_at(3), gap("cloudwatch:DescribeAlarms", None, OWNER), 0);
    check(
        cut_at(5),
        gap("sns:ListSubscriptionsByTopic", Some(TOPIC), OWNER),
        0,
    );
    // Another resource, account or service was not seen: this one was.
    check(
        cut_at(5),
        gap(
            "sns:ListSubscriptionsByTopic",
            Some(&format!("{TOPIC}2")),
            OWNER,
        ),
        1,
    );
    check(
        cut_at(2),
        gap("logs:DescribeMetricFilters", None, "333333333333"),
        1,
    );
    check(cut_at(2), gap("sns:GetTopicAttributes", None, OWNER), 1);
    // A multi-region trail shows in every region.
    check(Vec::new(), gap("cloudtrail:DescribeTrails", None, OWNER), 1);
}

#[test]
fn a_single_region_trail_depends_on_who_answered() {
    let mut chain = whole_chain();
    let read = json!({"is_multi_region": false});
    let other = "arn:aws:cloudtrail:eu-west-1:222222222222:trail/own";
    chain.push(node(Link::Trail, None, other, read));
    check(whole_chain(), chain, &[]);
}

#[test]
fn alarms_that_are_listed_only_before_a_fail_did_not_come() {
    let mut chain = with_field(0, "/status/is_logging", json!(false));
    let near = format!("{ALARM} of another metric");
    chain.push(node(Link::Alarm, Some(2), &near, json!({})));
    let broken = fail(Reason::TrailNotLogging, Link::Trail, 0, chain);
    let expected = ["Changed trail /status/is_logging"];
    assert_eq!(told(&pass(), &broken, OneSided::Differs), expected);
    assert_eq!(told(&broken, &pass(), OneSided::Differs), expected);
}

#[test]
fn alarms_on_other_metrics_come_and_go_with_the_length_of_the_list() {
    let mut chain = whole_chain();
    chain.push(ChainNode {
        reason: Some(Reason::AlarmOtherMetric),
        ..node(Link::Alarm, Some(2), "near miss", json!({}))
    });
    check(whole_chain(), chain, &[]);
}

#[test]
fn alarms_below_a_filter_that_others_make_worthless_are_not_gone() {
    let mut chain = cut_at(3);
    chain[2].reason = Some(Reason::FilterMetricWorthless);
    let broken = fail(Reason::FilterMetricWorthless, Link::MetricFilter, 2, chain);
    assert_eq!(told(&pass(), &broken, OneSided::Differs), [""; 0]);
}

#[test]
fn what_only_one_version_reads_is_no_change() {
    let mut chain = with_field(3, "/threshold", json!(2.0));
    chain[3].read["new_field"] = json!(true);
    let after = over(chain, pass());
    assert_eq!(
        told(&pass(), &after, OneSided::Unknown),
        ["Changed alarm /threshold"]
    );
    assert_eq!(told(&pass(), &after, OneSided::Differs).len(), 2);
}

#[test]
fn a_tree_that_is_none_is_compared_all_the_same() {
    let mut chain = whole_chain();
    chain[0].parent = Some(0);
    chain[2].parent = Some(5);
    chain[4].parent = Some(usize::MAX);
    let odd = over(chain, pass());
    assert!(changes(&odd, &odd.clone(), OneSided::Differs).is_empty());
    assert!(!changes(&pass(), &odd, OneSided::Differs).is_empty());
}

#[test]
fn two_nodes_of_one_name_are_compared_as_a_set() {
    let pending = |topics: &[usize]| {
        let mut chain = cut_at(5);
        for topic in topics {
            chain.push(node(
                Link::Subscription,
                Some(*topic),
                "email s…@example.com",
                json!({"state": "pending"}),
            ));
        }
        chain
    };
    check(pending(&[4, 4]), pending(&[4]), &["Removed subscription "]);
    check(pending(&[4, 4]), pending(&[4, 4]), &[]);
    assert_eq!(FILTER, whole_chain()[2].resource);
}

/// What is named here by a pointer is named so by the evidence that the nodes are made of.
#[test]
fn fields_are_named_as_the_evidence_names_them() {
    use model::evidence::{
        CompositeAlarm, Delivery, Presence, Subscription, SubscriptionState, TopicAttributes,
        TrailStatus,
    };
    let status = TrailStatus {
        is_logging: true,
        delivery: Delivery::Fresh,
    };
    let trail = &whole_chain()[0].read;
    assert_eq!(json!(status), trail["status"]);
    let class = Presence::Present("STANDARD".to_owned());
    assert_eq!(json!(class), whole_chain()[1].read["class"]);
    assert_eq!(json!(Presence::<String>::Missing), json!("missing"));
    let topic = Presence::Present(TopicAttributes {
        policy: Some(Vec::new()),
        ..TopicAttributes::default()
    });
    assert_eq!(json!(topic), whole_chain()[4].read);
    let subscription = Subscription {
        state: SubscriptionState::Confirmed(SUBSCRIPTION.parse().unwrap()),
        protocol: "https".to_owned(),
        endpoint: "example.com".to_owned(),
    };
    assert_eq!(json!(subscription), whole_chain()[5].read);
    let alarm = json!(CompositeAlarm {
        arn: ALARM.parse().unwrap(),
        name: "org changes".to_owned(),
        actions_enabled: true,
        alarm_actions: vec![TOPIC.to_owned()],
        rule: String::new(),
        actions_suppressor: None,
    });
    for (name, value) in whole_chain()[3].read.as_object().unwrap() {
        assert!(name == "threshold" || alarm[name] == *value, "{name}");
    }
}
