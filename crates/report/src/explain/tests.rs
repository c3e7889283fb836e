//! The chain reads link by link, with and without colour.

use std::sync::Arc;

use unicode_width::UnicodeWidthStr;

use super::*;
use crate::fixture::{chain, covered, entry, failing, finding, node, not_entered};
use model::Reason;

fn check(entry: &Entry, width: usize) -> String {
    let options = Options {
        width,
        ..Options::default()
    };
    let text = render(entry, &options);
    for line in text.lines() {
        assert!(line.width() <= width, "too wide: {line}");
        assert_eq!(line, line.trim_end());
        assert!(!line.chars().any(text::is_hostile), "{line:?}");
    }
    text
}

#[test]
fn a_broken_link_is_marked_in_its_chain() {
    insta::assert_snapshot!(check(&failing(), 80));
}

#[test]
fn an_account_that_was_not_entered_shows_the_call_and_what_aws_said() {
    insta::assert_snapshot!(check(&not_entered(7), 80));
}

#[test]
fn an_account_under_the_organization_trail_says_by_whom_it_is_covered() {
    let mut entry = covered(100);
    entry.finding.chain = chain().into_iter().take(2).collect();
    insta::assert_snapshot!(check(&entry, 80));
}

#[test]
fn a_link_that_is_absent_stands_where_it_would_be() {
    let mut finding = finding(1, Reason::AlarmAbsent);
    finding.link = Some(Link::Alarm);
    finding.node = Some(2);
    finding.chain = vec![
        node(Link::Trail, None, "trail"),
        node(Link::LogGroup, Some(0), "group"),
        node(Link::MetricFilter, Some(1), "filter"),
        node(Link::Trail, None, "other"),
    ]
    .into();
    let text = check(&entry(1, "", finding), 80);
    let filter = text.find("metric filter: holds").unwrap();
    let alarm = text
        .find("        ✘ alarm: broken (alarm-absent)  ◀ here")
        .unwrap_or_else(|| panic!("{text}"));
    let other = text.find("    other").unwrap();
    assert!(filter < alarm && alarm < other, "{text}");
}

#[test]
fn no_trail_at_all_is_a_broken_chain() {
    let mut finding = finding(1, Reason::TrailAbsent);
    finding.link = Some(Link::Trail);
    let text = check(&entry(1, "x", finding), 80);
    assert!(
        text.contains("✘ trail: broken (trail-absent)  ◀ here the chain breaks"),
        "{text}"
    );
}

#[test]
fn a_topic_that_nobody_listens_to_is_marked_at_the_topic() {
    let mut finding = finding(1, Reason::SubscriptionAbsent);
    finding.link = Some(Link::Subscription);
    finding.node = Some(0);
    finding.chain = vec![ChainNode {
        state: NodeState::Broken,
        reason: Some(Reason::SubscriptionAbsent),
        ..node(
            Link::Topic,
            None,
            "arn:aws:sns:us-east-1:000000000001:alerts",
        )
    }]
    .into();
    let text = check(&entry(1, "x", finding), 80);
    assert!(
        text.contains("✘ topic: broken (subscription-absent)  ◀ here"),
        "{text}"
    );
    assert_eq!(text.matches('◀').count(), 1, "{text}");
}

#[test]
fn a_suspended_account_has_no_chain() {
    let text = check(&entry(9, "old", finding(9, Reason::AccountSuspended)), 80);
    assert!(text.contains("Nothing was looked at."), "{text}");
}

#[test]
fn a_damaged_tree_is_shown_and_does_not_hang() {
    let mut finding = finding(1, Reason::TrailAbsent);
    finding.node = Some(77);
    finding.chain = vec![
        node(Link::Trail, Some(1), "first"),
        node(Link::Trail, Some(0), "second"),
        node(Link::Trail, Some(99), "third"),
        node(Link::Trail, Some(3), "fourth"),
    ]
    .into();
    let text = check(&entry(1, "x", finding), 80);
    for name in ["first", "second", "third", "fourth"] {
        assert_eq!(text.matches(name).count(), 1, "{text}");
    }
}

#[test]
fn hostile_text_is_shown_and_not_obeyed() {
    let hostile = "\u{1b}[2J\u{202e}x\n".repeat(300);
    let mut entry = failing();
    Arc::make_mut(&mut entry.account).name.clone_from(&hostile);
    entry.finding.message.clone_from(&hostile);
    entry
        .finding
        .gaps
        .extend(not_entered(7).finding.gaps.clone());
    entry.finding.gaps[0].sample.message.clone_from(&hostile);
    entry.finding.gaps[0].sample.request_id = Some(hostile.clone());
    for node in Arc::make_mut(&mut entry.finding.chain) {
        node.resource.clone_from(&hostile);
        node.message.clone_from(&hostile);
        node.read = serde_json::json!({
            (hostile.as_str()): hostile,
            "nested": [{(hostile.as_str()): [hostile]}, null, 1.5, {"Err": hostile}],
        });
    }
    for width in [80, 200] {
        assert!(check(&entry, width).contains("\\u{1b}[2J\\u{202e}x\\n"));
    }
    render(
        &entry,
        &Options {
            width: 0,
            ..Options::default()
        },
    );
}

#[test]
fn a_whole_filter_pattern_is_shown() {
    let mut entry = failing();
    let pattern = "($.eventName = AcceptHandshake) || ".repeat(30);
    Arc::make_mut(&mut entry.finding.chain)[2].read = serde_json::json!({"pattern": pattern});
    let text = check(&entry, 80);
    assert_eq!(text.matches("AcceptHandshake").count(), 30, "{text}");
}
