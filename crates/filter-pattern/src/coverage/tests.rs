//! What covers what.

use super::*;
use crate::ErrorKind;
use crate::coverage::noise::noise;

const ORGANIZATIONS: &str = "organizations.amazonaws.com";

/// A write of AWS Organizations.
fn write(name: &str) -> RequiredEvent {
    RequiredEvent::new(name)
        .field("eventSource", FieldConstraint::equals(ORGANIZATIONS))
        .field("eventName", FieldConstraint::equals(name))
        .holding("readOnly", FieldConstraint::IsFalse)
}

fn writes() -> Vec<RequiredEvent> {
    ["CreateAccount", "MoveAccount", "LeaveOrganization"]
        .map(write)
        .to_vec()
}

fn parse(text: &str) -> FilterPattern {
    FilterPattern::parse(text).unwrap_or_else(|error| panic!("{}", error.render()))
}

fn decide_texts(required: &[RequiredEvent], texts: &[&str]) -> Coverage {
    let patterns: Vec<FilterPattern> = texts.iter().map(|text| parse(text)).collect();
    coverage(required, &patterns.iter().collect::<Vec<_>>())
}

/// The answer in a word, with the condition if there is one.
fn verdict(required: &[RequiredEvent], texts: &[&str]) -> String {
    match decide_texts(required, texts) {
        Coverage::Covered { advice } if advice.is_empty() => "covered".to_owned(),
        Coverage::Covered { .. } => "covered with advice".to_owned(),
        Coverage::Undecided { .. } => "undecided".to_owned(),
        Coverage::NotCovered { missed } => match &missed[0].kind {
            MissedKind::NeverMatched => format!("never {}", missed[0].event),
            MissedKind::Narrowed { condition } => format!("only if {condition}"),
        },
    }
}

macro_rules! cases {
    ($($name:ident { $([$($pattern:expr),*] => $verdict:expr;)* })*) => {$(
        #[test]
        fn $name() {
            $(
                let patterns: &[&str] = &[$($pattern),*];
                assert_eq!(verdict(&writes(), patterns), $verdict, "{patterns:?}");
            )*
        }
    )*};
}

cases! {
    names_in_any_order_and_spelling_cover {
        ["{ $.eventSource = organizations.amazonaws.com && ($.eventName = LeaveOrganization \
          || $.eventName = \"CreateAccount\" || $.eventName=MoveAccount) }"] => "covered";
        ["{ $.eventName = MoveAccount || $.eventName = LeaveOrganization || \
          $.eventName = CreateAccount }"] => "covered";
        ["{ $.eventName = \"*Account\" || $.eventName = Leave* }"] => "covered";
        ["{ $.eventName = %Account$|^Leave% }"] => "covered";
        ["{ $.eventName != Describe* && $.eventName != List* }"] => "covered";
        ["{ $.eventSource = organizations.* }"] => "covered";
        ["{ $.eventSource = * }"] => "covered";
    }
    filters_may_share_the_work {
        ["{ $.eventName = MoveAccount }", "{ $.eventName = CreateAccount || $.eventName = Leave* }"]
            => "covered";
        ["{ $.errorCode NOT EXISTS }", "{ $.errorCode = A* }", "{ $.errorCode != \"A*\" }"]
            => "covered";
        ["{ $.eventName = MoveAccount }", "\"Create\"", "{ $.eventName = Leave* }"] => "covered";
        ["{ $.eventName = MoveAccount }"] => "never CreateAccount";
    }
    an_extra_condition_narrows {
        ["{ $.eventSource = organizations.amazonaws.com && $.errorCode NOT EXISTS }"]
            => "only if $.errorCode NOT EXISTS";
        ["{ $.eventSource = organizations.amazonaws.com && $.userIdentity.arn != \"*Terraform*\" }"]
            => "only if $.userIdentity.arn != \"*Terraform*\"";
        ["{ $.userIdentity.type = Root && $.eventSource = * && $.x = 1 }"]
            => "only if $.userIdentity.type = \"Root\" && $.x = 1";
        ["{ $.errorCode = A* }", "{ $.errorCode = B* }"]
            => "only if $.errorCode = \"A*\" || $.errorCode = \"B*\"";
        ["{ $.managementEvent IS TRUE }"] => "only if $.managementEvent IS TRUE";
        ["{ $.size > 5 }"] => "only if $.size > 5";
        ["{ $.a = x && $.a = y || $.b = z }"]
            => "only if $.a = \"x\" && $.a = \"y\" || $.b = \"z\"";
    }
    what_contradicts_itself_never_matches {
        ["{ $.eventSource = organizations.amazonaws.com && $.eventSource != org* }"]
            => "never CreateAccount";
        ["{ $.eventName = CreateAccount && $.eventName = MoveAccount }"] => "never CreateAccount";
        ["{ $.errorCode = A* && $.errorCode = B* }"] => "never CreateAccount";
        ["{ $.errorCode = \"*ab*\" && $.errorCode != \"*b*\" }"] => "never CreateAccount";
        ["{ $.errorCode NOT EXISTS && $.errorCode != x }"] => "never CreateAccount";
        ["{ $.a NOT EXISTS && $.a.b = x }"] => "never CreateAccount";
        ["{ $.eventName.part = x }"] => "never CreateAccount";
        ["{ $.a > 5 && $.a < 4 }"] => "never CreateAccount";
        ["{ $.a > 5 && $.a < 6 }"] => "only if $.a > 5 && $.a < 6";
        ["{ $.a = %x[yz]% && $.a != \"*x*\" }"] => "never CreateAccount";
        // Unless `^` and `$` stand for line breaks too.
        ["{ $.a = %^x$% && $.a = %^y$% }"] => "only if $.a = %^x$% && $.a = %^y$%";
        ["{ $.readOnly IS TRUE }"] => "never CreateAccount";
        ["{ $.readOnly = \"false\" }"] => "never CreateAccount";
        [] => "never CreateAccount";
    }
    all_that_a_field_may_be_covers {
        ["{ $.errorCode NOT EXISTS || $.errorCode = * }"] => "covered";
        ["{ $.errorCode NOT EXISTS || $.errorCode = x || $.errorCode != x }"] => "covered";
        ["{ $.errorCode = * }"] => "only if $.errorCode = \"*\"";
        ["{ $.a NOT EXISTS || $.a = \"*b*\" || $.a != \"*bc*\" }"] => "covered";
        ["{ $.a NOT EXISTS || $.a = \"b*\" || $.a != \"*b\" }"]
            => "only if $.a NOT EXISTS || $.a = \"b*\" || $.a != \"*b\"";
        ["{ $.a NOT EXISTS || $.a = %b% || $.a != \"*b\" }"] => "covered";
        ["{ $.a NOT EXISTS || $.a = %^b% || $.a != %bb% }"]
            => "only if $.a NOT EXISTS || $.a = %^b% || $.a != %bb%";
        ["{ $.a NOT EXISTS || $.a = 5 || $.a != \"5\" }"] => "covered";
        ["{ $.a.b = * || $.a.b NOT EXISTS }"] => "covered";
        ["{ $.a = * || $.a NOT EXISTS || $.a.b = * }"]
            => "only if $.a = \"*\" || $.a NOT EXISTS || $.a.b = \"*\"";
        ["{ $.a = * || $.a NOT EXISTS || $.a.b = * || $.a.b NOT EXISTS }"] => "covered";
    }
    read_only_covers_with_advice {
        ["{ $.eventSource = organizations.amazonaws.com && $.readOnly IS FALSE }"]
            => "covered with advice";
        ["{ $.eventSource = organizations.amazonaws.com || $.readOnly IS FALSE }"] => "covered";
    }
    terms_match_the_raw_text {
        [""] => "covered";
        ["\"organizations.amazonaws.com\""] => "covered";
        ["eventName"] => "covered";
        ["organizations amazonaws"] => "covered";
        ["\"\\\"eventName\\\"\" \"\\\"organizations.amazonaws.com\\\"\""] => "covered";
        ["?CreateAccount ?MoveAccount ?LeaveOrganization"] => "covered";
        ["Root"] => "only if the message matches `Root`";
        ["eventName -Terraform"] => "only if the message matches `eventName -Terraform`";
        ["Terraform", "-Terraform"] => "covered";
        ["-TerraformX", "Terraform"] => "covered";
        ["-eventName"] => "never CreateAccount";
        ["\"\\\"eventName\\\":\\\"CreateAccount\\\"\""] => "undecided";
        ["\"a, b\""] => "undecided";
        ["%eventName%"] => "covered";
        ["%Root%"] => "undecided";
    }
    what_aws_leaves_unknown_is_undecided {
        ["{ $.readOnly = false }"] => "undecided";
        ["{ $.eventName = \"C*t\" || $.eventName = M* || $.eventName = L* }"] => "undecided";
        ["{ $.eventName = \"C*z\" || $.eventName = M* || $.eventName = L* }"]
            => "never CreateAccount";
        ["{ $.resources[*].arn != x || $.a NOT EXISTS }"]
            => "only if $.resources[*].arn != \"x\" || $.a NOT EXISTS";
        ["[a, b]"] => "undecided";
        ["[a, b]", "{ $.eventSource = organizations.* }"] => "covered";
        ["{ $.a NOT EXISTS || $.a != %^.$% || $.a = %^.$% }"] => "undecided";
    }
    wildcards_and_indices_are_fields_too {
        ["{ $.resources[0].arn NOT EXISTS }"] => "only if $.resources[0].arn NOT EXISTS";
        ["{ $.resources[3] NOT EXISTS || $.resources[3] = * }"] => "covered";
        ["{ $.resources[*].arn = x }"] => "only if $.resources[*].arn = \"x\"";
        ["{ $.resources[*] = x && $.resources[*] = y }"]
            => "only if $.resources[*] = \"x\" && $.resources[*] = \"y\"";
        ["{ $.resources[999999999] NOT EXISTS }"] => "undecided";
        ["{ $.* = organizations.amazonaws.com }"] => "undecided";
    }
}

fn missed(texts: &[&str]) -> MissedEvent {
    match decide_texts(&writes(), texts) {
        Coverage::NotCovered { mut missed } => missed.swap_remove(0),
        other => panic!("{texts:?}: {other:?}"),
    }
}

#[test]
fn a_witness_holds_what_it_must_and_no_more() {
    let witness = |text| missed(&[text]).witness.to_string();
    let base = r#""eventName":"CreateAccount","eventSource":"organizations.amazonaws.com","#;
    assert_eq!(
        witness("{ $.eventSource = organizations.* && $.errorCode NOT EXISTS && $.x = 1 }"),
        format!("{{{base}\"readOnly\":false}}")
    );
    assert_eq!(
        witness("{ $.errorCode NOT EXISTS }"),
        format!("{{\"errorCode\":\"example\",{base}\"readOnly\":false}}")
    );
    assert_eq!(
        witness("{ $.a.b NOT EXISTS || $.a.b != \"*bb*\" }"),
        format!("{{\"a\":{{\"b\":\"bb\"}},{base}\"readOnly\":false}}")
    );
    assert_eq!(
        witness("-Terraform"),
        format!("{{\"detail\":\"Terraform\",{base}\"readOnly\":false}}")
    );
}

#[test]
fn the_rejecting_part_is_the_smallest_of_the_closest_pattern() {
    let part = |texts: &[&str]| {
        let (index, span) = missed(texts).rejected_by.unwrap();
        texts[index][span].to_owned()
    };
    assert_eq!(
        part(&["{ $.eventSource = organizations.* && ($.errorCode NOT EXISTS && $.x = * ) }"]),
        "$.x = *"
    );
    assert_eq!(
        part(&[
            "{ $.eventSource = iam.* }",
            "{ $.eventSource = org* && $.eventName = Move* }"
        ]),
        "$.eventName = Move*"
    );
    assert_eq!(
        part(&["{ $.eventSource = org* && ($.eventName = A || $.eventName = B) }"]),
        "$.eventName = A || $.eventName = B"
    );
    assert_eq!(
        part(&["{ $.eventName = Foo || $.eventName = Create* && $.a = 1 }"]),
        "$.a = 1"
    );
    assert_eq!(part(&["eventName -Terraform"]), "-Terraform");
}

#[test]
fn every_missed_event_is_named() {
    let Coverage::NotCovered { missed } =
        decide_texts(&writes(), &["{ $.eventName = MoveAccount || $.x = 1 }"])
    else {
        panic!("one name does not cover three");
    };
    let names: Vec<&str> = missed.iter().map(|missed| missed.event.as_str()).collect();
    assert_eq!(names, ["CreateAccount", "LeaveOrganization"]);
}

#[test]
fn undecided_names_the_events_it_is_about() {
    let answer = decide_texts(
        &writes(),
        &["{ $.eventName = \"C*t\" || $.eventName = MoveAccount }"],
    );
    let Coverage::Undecided {
        reason,
        events,
        missed,
    } = answer
    else {
        panic!("{answer:?}")
    };
    assert_eq!(events, ["CreateAccount"]);
    assert_eq!(missed.len(), 1);
    assert_eq!(missed[0].event, "LeaveOrganization");
    assert!(reason.contains("wildcard"), "{reason}");
}

#[test]
fn constraints_other_than_equality_are_proved_too() {
    let denied = RequiredEvent::new("denied").field(
        "errorCode",
        FieldConstraint::StartsWith("AccessDenied".to_owned()),
    );
    let unauthorized = RequiredEvent::new("unauthorized").field(
        "errorCode",
        FieldConstraint::EndsWith("UnauthorizedOperation".to_owned()),
    );
    let both = [denied, unauthorized];
    let cis = "{ ($.errorCode = \"*UnauthorizedOperation\") || ($.errorCode = \"AccessDenied*\") }";
    assert_eq!(verdict(&both, &[cis]), "covered");
    assert_eq!(
        verdict(
            &both,
            &["{ $.errorCode = \"*Operation\" || $.errorCode = \"A*\" }"]
        ),
        "covered"
    );
    assert_eq!(
        verdict(
            &both,
            &["{ $.errorCode = AccessDenied || $.errorCode = \"*Operation\" }"]
        ),
        "only if $.errorCode = \"AccessDenied\" || $.errorCode = \"*Operation\""
    );

    let root = RequiredEvent::new("root")
        .field("userIdentity.type", FieldConstraint::equals("Root"))
        .field("userIdentity.invokedBy", FieldConstraint::Absent)
        .field(
            "eventType",
            FieldConstraint::NotEquals("AwsServiceEvent".to_owned()),
        );
    let cis = "{ $.userIdentity.type = \"Root\" && $.userIdentity.invokedBy NOT EXISTS && \
               $.eventType != \"AwsServiceEvent\" }";
    assert_eq!(verdict(std::slice::from_ref(&root), &[cis]), "covered");
    assert_eq!(
        verdict(
            std::slice::from_ref(&root),
            &["{ $.userIdentity.type = Root }"]
        ),
        "covered"
    );
    assert_eq!(
        verdict(
            &[root],
            &["{ $.userIdentity.type = Root && $.eventType = AwsApiCall }"]
        ),
        "only if $.eventType = \"AwsApiCall\""
    );

    let login = |mfa| {
        [RequiredEvent::new("login")
            .field("eventName", FieldConstraint::equals("ConsoleLogin"))
            .field("additionalEventData.MFAUsed", mfa)]
    };
    let cis = "{ $.eventName = ConsoleLogin && $.additionalEventData.MFAUsed != Yes }";
    let not_yes = FieldConstraint::NotEquals("Yes".to_owned());
    assert_eq!(verdict(&login(not_yes.clone()), &[cis]), "covered");
    assert_eq!(
        verdict(&login(FieldConstraint::AbsentOr(Box::new(not_yes))), &[cis]),
        "only if $.additionalEventData.MFAUsed != \"Yes\""
    );
}

#[test]
fn a_requirement_that_no_record_meets_is_covered() {
    let event = RequiredEvent::new("nothing")
        .field("a", FieldConstraint::equals("x"))
        .field("a.b", FieldConstraint::equals("y"));
    assert_eq!(verdict(&[event], &["{ $.c = 1 }"]), "covered");
    assert_eq!(verdict(&[], &["{ $.c = 1 }"]), "covered");
}

#[test]
fn a_filter_is_worth_following_unless_it_cannot_match() {
    let event = write("MoveAccount");
    for (text, expected) in [
        ("{ $.eventName = MoveAccount }", true),
        ("{ $.eventName = MoveAccount && $.readOnly = false }", true),
        ("{ $.eventName = CreateAccount }", false),
        ("{ $.eventSource = iam.amazonaws.com }", false),
        ("{ $.eventSource = org* && $.a = 5 && $.a > 4 }", true),
        ("{ $.a = 4* && $.a > 100 && $.a < 500 }", true),
        ("{ $.l[*] = x && $.l[*] = y }", true),
        ("Terraform", true),
        ("-MoveAccount", false),
        ("[a, b]", true),
        ("{ $.a IS NULL && $.a[0] = x }", true),
        ("{ $.* = CreateAccount }", true),
    ] {
        assert_eq!(may_match(&event, &parse(text)), expected, "{text}");
    }
}

#[test]
fn noise_is_what_nobody_asked_for() {
    let example =
        |text: &str| noise(&writes(), &parse(text)).map(|noise| noise.example.to_string());
    let names = "$.eventName = CreateAccount || $.eventName = MoveAccount || $.eventName = Leave*";
    assert_eq!(
        example(&format!(
            "{{ $.eventSource = {ORGANIZATIONS} && ({}) }}",
            names.replace("Leave*", "LeaveOrganization")
        )),
        None
    );
    assert_eq!(
        example(&format!("{{ $.eventSource = {ORGANIZATIONS} && {names} }}")).as_deref(),
        Some(r#"{"eventName":"MoveAccount","eventSource":"example"}"#)
    );
    assert_eq!(
        example(&format!(
            "{{ $.eventSource = {ORGANIZATIONS} && $.readOnly IS FALSE }}"
        ))
        .as_deref(),
        Some(
            r#"{"eventName":"example","eventSource":"organizations.amazonaws.com","readOnly":false}"#
        )
    );
    assert_eq!(
        example(&format!(
            "{{ $.eventSource = {ORGANIZATIONS} && $.eventName = Move* }}"
        ))
        .as_deref(),
        Some(r#"{"eventName":"Move","eventSource":"organizations.amazonaws.com"}"#)
    );
    assert!(example("").is_some());
    assert!(example("\"organizations.amazonaws.com\"").is_some());
    assert_eq!(example("{ $.a = x && $.a = y }"), None);
}

#[test]
fn a_field_that_holds_a_string_in_each_event_makes_no_noise_as_a_number() {
    let login = RequiredEvent::new("login")
        .field("eventName", FieldConstraint::equals("ConsoleLogin"))
        .field("mfa", FieldConstraint::NotEquals("Yes".to_owned()));
    let example = |text: &str| {
        noise(std::slice::from_ref(&login), &parse(text)).map(|noise| noise.example.to_string())
    };
    let pattern = "{ $.eventName = ConsoleLogin && $.mfa != Yes }";
    assert_eq!(example(pattern), None);
    // It may be missing elsewhere, and be a string that no event has.
    let expected = r#"{"eventName":"ConsoleLogin"}"#;
    assert_eq!(
        example("{ $.eventName = ConsoleLogin }").as_deref(),
        Some(expected)
    );
    let expected = r#"{"eventName":"ConsoleLogin","mfa":"Yes"}"#;
    assert_eq!(
        example("{ $.eventName = ConsoleLogin && $.mfa = Yes }").as_deref(),
        Some(expected)
    );
}

#[test]
fn intricate_patterns_end_within_the_budget() {
    // Every pair of letters in some order, contained and not: a product of many automata.
    let contains = |letter: char| format!("$.a!=\"*{letter}{letter}*\"");
    let negative: Vec<String> = ('a'..='z').map(contains).collect();
    let text = format!("{{$.a NOT EXISTS||{}}}", negative.join("||"));
    assert!(text.len() <= 1024, "{}", text.len());
    assert!(!matches!(
        decide_texts(&writes(), &[&text]),
        Coverage::Covered { .. }
    ));
}

#[test]
fn an_error_kind_is_public() {
    assert_eq!(
        FilterPattern::parse("{").unwrap_err().kind(),
        ErrorKind::Selector
    );
}
