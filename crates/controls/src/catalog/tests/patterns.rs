//! What the published patterns, the prescribed ones and small changes of them come to.

use filter_pattern::noise;

use super::{
    catalog, control, missed,
    published::{BY_NAME, by_name, published},
};
use filter_pattern::FilterPattern;

fn source_of(slug: &str) -> String {
    control(slug).event_sources()[0].to_owned()
}

fn is_noisy(slug: &str, pattern: &str) -> bool {
    let filter = FilterPattern::parse(pattern).unwrap();
    noise(control(slug).asked_for_events(), &filter).is_some()
}

#[test]
fn what_the_benchmark_publishes_is_covered() {
    for row in published() {
        let required = control(row.slug);
        let missed = missed(required.required_events(), &row.pattern);
        assert!(
            missed.is_empty(),
            "{} in {}: {missed:?}",
            row.slug,
            row.versions
        );
    }
}

#[test]
fn what_the_benchmark_publishes_is_not_noisy_but_where_it_matches_nearly_everything() {
    for row in published() {
        let degenerate = row.slug == "unauthorized-api-calls" && row.versions == "v1.4 to v3.0";
        assert_eq!(
            is_noisy(row.slug, &row.pattern),
            degenerate,
            "{} in {}",
            row.slug,
            row.versions
        );
    }
}

#[test]
fn what_is_prescribed_is_published_covers_and_is_not_noisy() {
    let published = published();
    for control in catalog().controls() {
        let slug = control.id.as_str();
        let prescribed = &control.prescription.filter_pattern;
        assert!(
            published
                .iter()
                .any(|row| row.slug == slug && row.pattern == *prescribed),
            "{slug}: {prescribed}"
        );
        let missed = missed(control.required_events(), prescribed);
        assert!(missed.is_empty(), "{slug}: {missed:?}");
        assert!(!is_noisy(slug, prescribed), "{slug}");
    }
}

#[test]
fn an_event_taken_out_of_a_pattern_is_the_one_that_is_missed() {
    for (slug, source, names) in BY_NAME {
        let required = control(slug);
        let names: Vec<&str> = names.split_whitespace().collect();
        for left_out in &names {
            let others = names.iter().copied().filter(|name| name != left_out);
            let pattern = by_name(source, others, "");
            assert_eq!(
                missed(required.required_events(), &pattern),
                [*left_out],
                "{slug}"
            );
        }
    }
}

#[test]
fn a_security_group_filter_of_an_older_version_misses_the_event_that_came_with_v5() {
    let (slug, _, names) = BY_NAME[5];
    let older = names
        .split_whitespace()
        .filter(|name| *name != "ModifySecurityGroupRules");
    let pattern = by_name(None, older, "");
    assert_eq!(
        missed(control(slug).required_events(), &pattern),
        ["ModifySecurityGroupRules"]
    );
}

#[test]
fn the_source_may_be_named_where_the_benchmark_does_not() {
    for (slug, source, names) in BY_NAME {
        let required = control(slug);
        let pattern = by_name(Some(&source_of(slug)), names.split_whitespace(), "\"");
        assert!(missed(required.required_events(), &pattern).is_empty());
        // Nor need it be named where the benchmark does.
        let pattern = by_name(None, names.split_whitespace(), "");
        assert!(missed(required.required_events(), &pattern).is_empty());
        assert_eq!(is_noisy(slug, &pattern), source.is_some(), "{slug}");
    }
    for (slug, pattern) in [
        (
            "console-sign-in-without-mfa",
            r#"{ $.eventSource = "signin.amazonaws.com" && $.eventName = "ConsoleLogin" && $.additionalEventData.MFAUsed = "No" }"#,
        ),
        (
            "console-authentication-failures",
            r#"{ $.eventType = "AwsConsoleSignIn" && $.errorMessage = "Failed authentication" }"#,
        ),
    ] {
        assert!(missed(control(slug).required_events(), pattern).is_empty());
    }
}

#[test]
fn extra_conditions_wrong_sources_and_inverted_logic_are_not_covered() {
    for (slug, source, names) in BY_NAME {
        let required = control(slug);
        let all: Vec<String> = required
            .required_events()
            .iter()
            .map(|event| event.name.clone())
            .collect();
        let right = source.map_or_else(|| source_of(slug), str::to_owned);
        let good = by_name(Some(&right), names.split_whitespace(), "");
        let inside = good.trim_matches(['{', '}', ' ']);
        let wrong = [
            format!("{{ ({inside}) && $.errorCode NOT EXISTS }}"),
            format!("{{ ({inside}) && $.userIdentity.arn != \"*automation*\" }}"),
            format!("{{ ({inside}) && $.awsRegion = \"us-east-1\" }}"),
            format!("{{ ({inside}) && $.userIdentity.type = \"Root\" }}"),
            good.replace("||", "&&"),
            good.replace("eventName =", "eventName !=")
                .replace("||", "&&"),
            good.replace(&right, "sns.amazonaws.com"),
        ];
        for pattern in wrong {
            assert_eq!(
                missed(required.required_events(), &pattern),
                all,
                "{pattern}"
            );
        }
    }
}

/// Each pattern leaves open what is said.
fn leaves_open(slug: &str, rows: &[(&str, &[&str])]) {
    for (pattern, left_open) in rows {
        assert_eq!(
            missed(control(slug).required_events(), pattern),
            *left_open,
            "{pattern}"
        );
    }
}

#[test]
fn unauthorized_calls_are_not_covered_by_less() {
    let unauthorized = "calls refused with UnauthorizedOperation";
    let denied = "calls refused with AccessDenied";
    leaves_open(
        "unauthorized-api-calls",
        &[
            (r#"{ $.errorCode = "AccessDenied*" }"#, &[unauthorized]),
            (r#"{ $.errorCode = "*UnauthorizedOperation" }"#, &[denied]),
            (
                r#"{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied") }"#,
                &[denied],
            ),
            (
                r#"{ ($.errorCode = "*UnauthorizedOperation") && ($.errorCode = "AccessDenied*") }"#,
                &[unauthorized, denied],
            ),
            (
                r#"{ (($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*")) && ($.eventName != "ListBuckets") }"#,
                &[unauthorized, denied],
            ),
            (
                r#"{ (($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*")) && ($.eventSource = "s3.amazonaws.com") }"#,
                &[unauthorized, denied],
            ),
        ],
    );
}

#[test]
fn sign_ins_without_mfa_are_not_covered_by_less() {
    let all = ["console sign-ins without MFA"];
    leaves_open(
        "console-sign-in-without-mfa",
        &[
            (
                r#"{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed = "Yes") }"#,
                &all,
            ),
            (
                r#"{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "No") }"#,
                &all,
            ),
            (
                r#"{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") && ($.userIdentity.type = "Root") }"#,
                &all,
            ),
            (
                r#"{ ($.eventSource = "iam.amazonaws.com") && ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") }"#,
                &all,
            ),
            (
                r#"{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed NOT EXISTS) }"#,
                &all,
            ),
        ],
    );
}

#[test]
fn uses_of_the_root_user_are_not_covered_by_less() {
    let all = ["uses of the root user"];
    leaves_open(
        "root-usage",
        &[
            (
                r#"{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy != "x" && $.eventType != "AwsServiceEvent" }"#,
                &all,
            ),
            (
                r#"{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType = "AwsApiCall" }"#,
                &all,
            ),
            (
                r#"{ $.userIdentity.type = "root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }"#,
                &all,
            ),
            (
                r#"{ $.userIdentity.type = "Root" && $.eventName = "ConsoleLogin" }"#,
                &all,
            ),
        ],
    );
}

#[test]
fn failed_sign_ins_are_not_covered_by_less() {
    let all = ["failed console sign-ins"];
    leaves_open(
        "console-authentication-failures",
        &[
            (
                r#"{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed Authentication") }"#,
                &all,
            ),
            (
                r#"{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") && ($.userIdentity.type = "IAMUser") }"#,
                &all,
            ),
            (
                r#"{ ($.eventName = ConsoleLogin) && ($.errorMessage != "Failed authentication") }"#,
                &all,
            ),
            (
                r#"{ ($.eventSource = iam.amazonaws.com) && ($.errorMessage = "Failed authentication") }"#,
                &all,
            ),
        ],
    );
}

#[test]
fn what_cloudtrail_writes_into_every_record_may_be_relied_on_without_advice() {
    use filter_pattern::{Advice, Coverage, coverage};
    for (pattern, relied_on) in [
        (
            "{ $.eventSource = ec2.amazonaws.com && $.eventName = *Route* }",
            0,
        ),
        (
            "{ $.eventSource = ec2.amazonaws.com && $.readOnly IS FALSE }",
            1,
        ),
    ] {
        let control = control("route-table-changes");
        let filter = FilterPattern::parse(pattern).unwrap();
        let Coverage::Covered { advice } = coverage(control.required_events(), &[&filter]) else {
            panic!("{pattern} is not covered");
        };
        let optional = control.optional_fields();
        let paths = advice.iter().filter(|advice| match advice {
            Advice::ReliesOn { path } => optional.contains(path.as_str()),
            _ => true,
        });
        assert_eq!(paths.count(), relied_on, "{pattern}");
    }
}
