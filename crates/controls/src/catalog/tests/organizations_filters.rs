//! Filters for changes to the organization: right ones that are rarely recognised, and wrong ones
//! that look right.

use super::{
    control, missed,
    published::{BY_NAME, any_name, by_name},
};

const SOURCE: &str = "organizations.amazonaws.com";

fn names() -> Vec<&'static str> {
    BY_NAME[10].2.split_whitespace().collect()
}

/// The published filter with one more condition.
fn narrowed(condition: &str) -> String {
    let names = any_name(names(), "\"");
    format!("{{ ($.eventSource = {SOURCE}) && ({names}) && {condition} }}")
}

#[test]
fn twelve_ways_to_be_right() {
    let required = control("organizations-changes");
    let all = names();
    let shuffled: Vec<&str> = all.iter().rev().copied().collect();
    let with_more: Vec<&str> = all
        .iter()
        .copied()
        .chain(["CancelHandshake", "CreateOrganization", "EnableAllFeatures"])
        .collect();
    let verbs = [
        "Accept*", "Attach*", "Create*", "Decline*", "Delete*", "Detach*", "Disable*", "Enable*",
        "Invite*", "Leave*", "Move*", "Remove*", "Update*",
    ];
    let right = [
        by_name(Some(SOURCE), all.clone(), "\""),
        by_name(Some(SOURCE), all.clone(), ""),
        by_name(Some("\"organizations.amazonaws.com\""), all.clone(), "\""),
        by_name(Some(SOURCE), shuffled, "\""),
        format!(
            "{{ ({}) && ($.eventSource = {SOURCE}) }}",
            any_name(all.clone(), "\"")
        ),
        by_name(Some(SOURCE), with_more, "\""),
        format!("{{ $.eventSource = {SOURCE} }}"),
        format!("{{ $.eventSource = {SOURCE} && $.readOnly IS FALSE }}"),
        format!(
            "{{ $.eventSource = {SOURCE} && $.eventName != \"Describe*\" && $.eventName != \"List*\" }}"
        ),
        by_name(Some(SOURCE), verbs, "\""),
        format!(
            "{{ $.eventSource = {SOURCE} && $.eventName = %^(Accept|Attach|Create|Decline|Delete|Detach|Disable|Enable|Invite|Leave|Move|Remove|Update)% }}"
        ),
        format!("\"{SOURCE}\""),
    ];
    let mut refused = 0;
    for pattern in &right {
        if filter_pattern::FilterPattern::parse(pattern).is_err() {
            refused += 1;
            continue;
        }
        assert!(
            missed(required.required_events(), pattern).is_empty(),
            "{pattern}"
        );
    }
    // The regular expression has parentheses, which AWS refuses: written without, it is right.
    assert_eq!(refused, 1);
    let without = format!(
        "{{ $.eventSource = {SOURCE} && $.eventName = %^Accept|^Attach|^Create|^De|^Disable|^Enable|^Invite|^Leave|^Move|^Remove|^Update% }}"
    );
    assert!(missed(required.required_events(), &without).is_empty());
}

#[test]
fn twelve_ways_to_be_wrong() {
    let required = control("organizations-changes");
    let all = names();
    let but = |left_out: &str| -> Vec<&str> {
        all.iter()
            .copied()
            .filter(|name| *name != left_out)
            .collect()
    };
    let every = |pattern: String| (pattern, all.clone());
    let published = by_name(Some(SOURCE), all.clone(), "\"");
    let unequal = published
        .replace("eventName =", "eventName !=")
        .replace("||", "&&");
    let wrong = [
        every(published.replace("||", "&&")),
        every(narrowed("($.userIdentity.type = \"Root\")")),
        every(narrowed("($.userIdentity.arn != \"*Terraform*\")")),
        every(narrowed("($.recipientAccountId = \"111111111111\")")),
        every(narrowed("($.eventSource != organizations.amazonaws.com)")),
        (
            narrowed("($.eventName != \"AttachPolicy\")"),
            vec!["AttachPolicy"],
        ),
        (
            by_name(Some(SOURCE), but("LeaveOrganization"), "\""),
            vec!["LeaveOrganization"],
        ),
        every(unequal),
        every(by_name(Some(SOURCE), ["DescribeOrganization"], "\"")),
        every(format!("{{ $.eventSource != {SOURCE} }}")),
        (
            by_name(Some(SOURCE), ["MoveAccount"; 18], "\""),
            but("MoveAccount"),
        ),
        every(by_name(Some("iam.amazonaws.com"), all.clone(), "\"")),
    ];
    for (pattern, left_open) in wrong {
        assert_eq!(
            missed(required.required_events(), &pattern),
            left_open,
            "{pattern}"
        );
    }
}
