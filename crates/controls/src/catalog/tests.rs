//! The catalogue that is part of the binary, and mistakes in files of others.

mod organizations_filters;
mod patterns;
mod published;

use filter_pattern::{Coverage, FilterPattern, RequiredEvent, coverage};

use super::*;

fn catalog() -> Catalog {
    Catalog::embedded().unwrap()
}

fn control(slug: &str) -> Control {
    catalog().find(slug).unwrap().clone()
}

/// What one filter leaves open.
fn missed(required: &[RequiredEvent], pattern: &str) -> Vec<String> {
    let filter = FilterPattern::parse(pattern).unwrap_or_else(|e| panic!("{pattern}: {e}"));
    match coverage(required, &[&filter]) {
        Coverage::Covered { .. } => Vec::new(),
        Coverage::NotCovered { missed } => missed.into_iter().map(|event| event.event).collect(),
        Coverage::Undecided { reason, .. } => panic!("{pattern} is not decided: {reason}"),
    }
}

/// In the order of the benchmark: slug, the last digits of Lacework's name and of Security Hub's,
/// Prowler's name, how many events are required.
const CONTROLS: &str = "\
unauthorized-api-calls 57 2 log_metric_filter_unauthorized_api_calls 2
console-sign-in-without-mfa 58 3 log_metric_filter_sign_in_without_mfa 1
root-usage 59 1 log_metric_filter_root_usage 1
iam-policy-changes 60 4 log_metric_filter_policy_changes 16
cloudtrail-changes 61 5 log_metric_filter_and_alarm_for_cloudtrail_configuration_changes_enabled 5
console-authentication-failures 82 6 log_metric_filter_authentication_failures 1
kms-key-deletion 83 7 log_metric_filter_disable_or_scheduled_deletion_of_kms_cmk 2
s3-bucket-policy-changes 62 8 log_metric_filter_for_s3_bucket_policy_changes 9
config-changes 84 9 log_metric_filter_and_alarm_for_aws_config_configuration_changes_enabled 4
security-group-changes 85 10 log_metric_filter_security_group_changes 7
network-acl-changes 86 11 changes_to_network_acls_alarm_configured 6
network-gateway-changes 63 12 changes_to_network_gateways_alarm_configured 6
route-table-changes 64 13 changes_to_network_route_tables_alarm_configured 7
vpc-changes 65 14 changes_to_vpcs_alarm_configured 11
organizations-changes 66 - log_metric_filter_aws_organizations_changes 18";

struct Expected {
    slug: &'static str,
    n: usize,
    lacework: &'static str,
    security_hub: &'static str,
    prowler: &'static str,
    events: usize,
}

fn expected() -> Vec<Expected> {
    let rows = CONTROLS.lines().enumerate();
    rows.map(|(index, row)| {
        let cells: Vec<&str> = row.split(' ').collect();
        let [slug, lacework, security_hub, prowler, events] = cells[..] else {
            panic!("{row}");
        };
        Expected {
            slug,
            n: index + 1,
            lacework,
            security_hub,
            prowler,
            events: events.parse().unwrap(),
        }
    })
    .collect()
}

#[test]
fn every_control_is_found_under_each_of_its_names_in_the_order_of_the_benchmark() {
    let catalog = catalog();
    let order: Vec<&str> = catalog.controls().map(|c| c.id.as_str()).collect();
    let slugs: Vec<&str> = expected().iter().map(|row| row.slug).collect();
    assert_eq!(order, slugs);
    for row in expected() {
        let Expected { slug, n, .. } = row;
        let mut names = vec![
            slug.to_owned(),
            slug.to_uppercase(),
            format!("4.{n}"),
            format!("cis-4.{n}"),
            format!("CIS-4.{n}@5.0"),
            format!("5.{n}"),
            format!("5.{n}@v6.0"),
            format!(" 5.{n}@7.0 "),
            format!("lacework-global-{}", row.lacework),
            format!("cloudwatch_{}", row.prowler),
        ];
        names.extend(
            ["1.3", "1.4", "1.5", "2.0", "3.0", "4.0", "4.0.1"].map(|v| format!("4.{n}@v{v}")),
        );
        if row.security_hub != "-" {
            names.push(format!("CloudWatch.{}", row.security_hub));
        }
        if n < 15 {
            names.extend([format!("3.{n}"), format!("3.{n}@v1.2")]);
        }
        for name in names {
            let control = catalog.find(&name).unwrap();
            assert_eq!(control.id.as_str(), slug, "{name}");
        }
        let control = catalog.find(slug).unwrap();
        assert_eq!(control.number(), format!("4.{n}"));
        assert_eq!(control.required_events().len(), row.events, "{slug}");
        assert_eq!(control.asked_for_events().len(), row.events, "{slug}");
        assert_eq!(catalog.get(&control.id).unwrap().id, control.id);
    }
}

#[test]
fn versions_are_columns() {
    let catalog = catalog();
    let versions = [
        "v1.2", "v1.3", "v1.4", "v1.5", "v2.0", "v3.0", "v4.0", "v4.0.1", "v5.0", "v6.0", "v7.0",
    ];
    assert_eq!(catalog.versions(), versions);
    for Expected { slug, n, .. } in expected() {
        let numbers = versions.map(|version| control(slug).number_in(version).map(str::to_owned));
        let [oldest, others @ ..] = numbers;
        assert_eq!(oldest, (n < 15).then(|| format!("3.{n}")));
        for (chapter, number) in [4, 4, 4, 4, 4, 4, 4, 4, 5, 5].into_iter().zip(others) {
            assert_eq!(number.unwrap(), format!("{chapter}.{n}"));
        }
    }
}

#[test]
fn what_no_control_is_called_is_not_found() {
    let catalog = catalog();
    for name in [
        "4.15@v6.0",
        "5.15@v5.0",
        "3.15",
        "4.15@v1.2",
        "4.16",
        "4.0",
        "4",
        "@v5.0",
        "4.15@",
        "CloudWatch.15",
        "lacework-global-67",
        "",
        "organizations",
        "\u{1b}[31m",
    ] {
        let error = catalog.find(name).unwrap_err().to_string();
        assert!(!error.contains('\u{1b}'), "{error}");
        for row in expected() {
            assert!(error.contains(row.slug), "{error}");
        }
    }
}

#[test]
fn required_services_are_those_whose_events_a_trail_must_not_leave_out() {
    for (slug, sources) in [
        ("unauthorized-api-calls", &[][..]),
        ("root-usage", &[]),
        ("console-sign-in-without-mfa", &["signin.amazonaws.com"]),
        ("console-authentication-failures", &["signin.amazonaws.com"]),
        ("iam-policy-changes", &["iam.amazonaws.com"]),
        ("cloudtrail-changes", &["cloudtrail.amazonaws.com"]),
        ("kms-key-deletion", &["kms.amazonaws.com"]),
        ("s3-bucket-policy-changes", &["s3.amazonaws.com"]),
        ("config-changes", &["config.amazonaws.com"]),
        ("security-group-changes", &["ec2.amazonaws.com"]),
        ("network-acl-changes", &["ec2.amazonaws.com"]),
        ("network-gateway-changes", &["ec2.amazonaws.com"]),
        ("route-table-changes", &["ec2.amazonaws.com"]),
        ("vpc-changes", &["ec2.amazonaws.com"]),
        ("organizations-changes", &["organizations.amazonaws.com"]),
    ] {
        assert_eq!(control(slug).event_sources(), sources, "{slug}");
    }
}

#[test]
fn only_what_cloudtrail_need_not_write_is_optional() {
    for control in catalog().controls() {
        let by_name = control
            .event_groups()
            .iter()
            .all(|group| group.are_event_names);
        let expected: &[&str] = if by_name { &["readOnly"] } else { &[] };
        assert!(
            control
                .optional_fields()
                .into_iter()
                .eq(expected.iter().copied())
        );
    }
}

#[test]
fn each_file_is_called_like_its_control_and_says_everything() {
    let files = EMBEDDED.files().filter_map(|file| file.path().to_str());
    let mut files: Vec<&str> = files
        .filter_map(|file| file.strip_suffix(".toml"))
        .collect();
    files.sort_unstable();
    let catalog = catalog();
    let mut slugs: Vec<&str> = catalog.controls().map(|c| c.id.as_str()).collect();
    slugs.sort_unstable();
    assert_eq!(files, slugs);

    let mut metrics = BTreeSet::new();
    for control in catalog.controls() {
        assert!(matches!(control.level, 1 | 2));
        assert!(!control.title.ends_with('.') && control.rationale.ends_with('.'));
        assert!(control.notes.iter().all(|note| note.ends_with('.')));
        assert!(metrics.insert(control.prescription.metric_name.clone()));
        for group in control.event_groups() {
            // Of the same field, only `fields` and `may_demand` may both speak.
            let facts = group.always.keys().chain(group.optional.keys());
            for path in facts {
                assert!(!group.fields.contains_key(path) && !group.may_demand.contains_key(path));
            }
        }
    }
}

/// A control file, with other text in place of some.
fn file(replaced: &str, by: &str) -> String {
    let text = r#"id = "a"
title = "A"
severity = "low"
level = 1
rationale = "Because."

[[benchmarks]]
versions = ["v1"]
section = "9.1"

[[required]]
event_names = ["A"]

[prescribed]
metric_namespace = "N"
metric_name = "M"
filter_pattern = "{ $.eventName = A }"
"#;
    assert!(text.contains(replaced));
    text.replace(replaced, by)
}

#[test]
fn a_mistake_in_a_file_names_file_and_line() {
    assert!(Catalog::read([("a.toml", file("", "").as_str())]).is_ok());
    let too_long = format!("{{ $.eventName = {} }}", "A".repeat(1024));
    for (replaced, by, line, says) in [
        ("title", "titel", 2, "unknown field `titel`"),
        ("level = 1\n", "", 1, "missing field `level`"),
        (
            "event_names = [\"A\"]",
            "event_names = []",
            11,
            "either `event_names`",
        ),
        (
            "event_names = [\"A\"]",
            "event_names = [\"A\"]\nname = \"a\"",
            11,
            "either",
        ),
        (
            "event_names = [\"A\"]",
            "name = \"a\"",
            11,
            "told by `fields`",
        ),
        (
            "event_names = [\"A\"]",
            "event_names = [\"A\"]\nfields = { eventName = \"present\" }",
            11,
            "contradict",
        ),
        (
            "event_names = [\"A\"]",
            "event_names = [\"A\"]\nfields = { a = { like = \"b\" } }",
            13,
            "unknown variant `like`",
        ),
        (
            "event_names = [\"A\"]",
            "event_names = [\"A\"]\nbut = 1",
            13,
            "unknown field `but`",
        ),
        (
            "$.eventName = A",
            "$.eventName == A",
            17,
            "not a filter pattern",
        ),
        ("{ $.eventName = A }", &too_long, 17, "1042 characters"),
    ] {
        let text = file(replaced, by);
        let error = Catalog::read([("a.toml", text.as_str())])
            .unwrap_err()
            .to_string();
        assert!(error.contains("a.toml"), "{error}");
        assert!(error.contains(&format!("line {line},")), "{error}");
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn a_name_belongs_to_one_control() {
    let first = file("", "");
    for second in [
        file("9.1", "9.2"),
        file("id = \"a\"", "id = \"b\""),
        file("id = \"a\"", "id = \"b\"").replace("9.1", "9.2") + "[aliases]\ntool = \"A\"\n",
    ] {
        let error = Catalog::read([("a.toml", first.as_str()), ("b.toml", &second)]).unwrap_err();
        assert!(error.to_string().contains("b.toml"), "{error}");
        assert!(error.to_string().contains("is taken by `a`"), "{error}");
    }
}

#[test]
fn a_number_that_moved_must_be_given_with_its_version() {
    let first = file("", "");
    let second = file("id = \"a\"", "id = \"b\"").replace("v1", "v2");
    let catalog = Catalog::read([("a.toml", first.as_str()), ("b.toml", &second)]).unwrap();
    assert_eq!(catalog.find("9.1@v2").unwrap().id.as_str(), "b");
    let error = catalog.find("9.1").unwrap_err().to_string();
    assert!(error.contains("9.1@v1, 9.1@v2"), "{error}");
}
