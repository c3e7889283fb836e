//! Rules and what they tell, in every state of the other alarms.

use super::*;
use model::evidence::Dimensions;
use proptest::prelude::*;

const HOME: &str = "arn:aws:cloudwatch:us-east-1:111111111111:alarm";

fn child() -> MetricAlarm {
    MetricAlarm {
        arn: format!("{HOME}:org changes").parse().unwrap(),
        name: "org changes".to_owned(),
        actions_enabled: true,
        alarm_actions: Vec::new(),
        metric: Some(("CIS".to_owned(), "Org".to_owned(), Dimensions::default())),
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
    }
}

fn composite(name: &str, rule: &str) -> CompositeAlarm {
    CompositeAlarm {
        arn: format!("{HOME}:{name}").parse().unwrap(),
        name: name.to_owned(),
        actions_enabled: true,
        alarm_actions: vec!["arn:aws:sns:us-east-1:111111111111:alerts".to_owned()],
        rule: rule.to_owned(),
        actions_suppressor: None,
    }
}

fn in_words(obstacles: &[Obstacle], advice: &[Advice]) -> String {
    let mut words: Vec<&str> = obstacles.iter().map(|o| o.reason.code()).collect();
    if words.is_empty() {
        words.push("tells");
    }
    if !advice.is_empty() {
        words.push("+others");
    }
    words.join(" ")
}

/// What the composite alarm of the name comes to, among all of them.
fn answer_in(name: &str, child: &MetricAlarm, composites: &[CompositeAlarm]) -> String {
    let found = composites_telling(child, composites);
    let of_name = found.iter().find(|(one, _, _)| one.name == name);
    of_name.map_or("not involved".to_owned(), |(_, obstacles, advice)| {
        in_words(obstacles, advice)
    })
}

fn answer_for(child: &MetricAlarm, rule: &str) -> String {
    answer_in("all", child, &[composite("all", rule)])
}

/// The rule, where `$` is the alarm; what it does; and why.
const RULES: &str = r#"
ALARM($)                                 | tells               | TRUE with the alarm and with nothing else
 ( ( ALARM( $ ) ) )                      | tells               | parentheses and blanks change nothing
ALARM("arn:aws:cloudwatch:us-east-1:111111111111:alarm:org changes") | tells | named by its ARN
ALARM($) OR ALARM(other)                 | tells +others       | another alarm may hold it in ALARM
ALARM(other) OR ALARM($) OR ALARM("x y") | tells +others       | the same
ALARM($) OR FALSE                        | tells               | FALSE adds nothing
ALARM($) AND TRUE                        | tells               | TRUE takes nothing away
ALARM($) OR TRUE                         | alarm-stuck         | always TRUE
TRUE OR ALARM($)                         | alarm-stuck         | always TRUE
ALARM($) AND FALSE                       | alarm-never-fires   | always FALSE
ALARM($) OR OK($) OR INSUFFICIENT_DATA($) | alarm-stuck        | one of the three always holds
ALARM($) OR INSUFFICIENT_DATA($)         | alarm-undecided     | it may be TRUE before the alarm goes to ALARM
ALARM($) OR OK($)                        | alarm-undecided     | the same
NOT OK($)                                | alarm-undecided     | INSUFFICIENT_DATA is not OK either
NOT OK($) AND NOT INSUFFICIENT_DATA($)   | tells               | that leaves ALARM
NOT (OK($) OR INSUFFICIENT_DATA($))      | tells               | the same
OK($)                                    | alarm-never-fires   | FALSE with the alarm in ALARM
NOT ALARM($)                             | alarm-never-fires   | FALSE with the alarm in ALARM
NOT NOT ALARM($)                         | tells               | twice the opposite
ALARM($) AND ALARM(other)                | alarm-undecided     | depends on the other one
ALARM($) AND NOT ALARM(deploying)        | alarm-undecided     | depends on the other one
ALARM($) OR NOT ALARM(other)             | alarm-undecided     | usually TRUE before the alarm goes to ALARM
ALARM($) OR OK(other)                    | alarm-undecided     | the same
ALARM($) OR (ALARM(a) AND OK(b))         | tells +others       | the others hold it only where one is in ALARM
(ALARM(a) OR ALARM($)) AND (ALARM($) OR ALARM(b)) | tells +others | TRUE with the alarm either way
ALARM($) OR ALARM(a) AND ALARM(b)        | alarm-undecided     | (it OR a) AND b would depend on b; which binds more tightly is not documented
ALARM(a) AND ALARM(b) OR ALARM($)        | alarm-undecided     | a AND (b OR it) would depend on a
AT_LEAST(1, ALARM, ($, other))           | tells +others       | one is enough
AT_LEAST(1, ALARM, ($))                  | tells               | a list of one
AT_LEAST(2, ALARM, ($, other))           | alarm-undecided     | it takes the other one too
AT_LEAST(50%, ALARM, ($, other))         | tells +others       | half of two is one
AT_LEAST(51%, ALARM, ($, other))         | alarm-undecided     | more than half of two is two
AT_LEAST(1%, ALARM, ($, a, b))           | tells +others       | any of them is more
AT_LEAST(100%, ALARM, ($))               | tells               | all of one
AT_LEAST(1, NOT OK, ($, other))          | alarm-undecided     | INSUFFICIENT_DATA is not OK either
AT_LEAST(1, OK, ($))                     | alarm-never-fires   | it is not OK
AT_LEAST(3, ALARM, ($, other))           | alarm-never-fires   | there are not three
AT_LEAST(1, (ALARM), ($, other))         | tells +others       | the state in parentheses
AT_LEAST(1, ALARM, ($, $))               | alarm-undecided     | named twice
AT_LEAST(0, ALARM, ($))                  | alarm-undecided     | none is no number of alarms
AT_LEAST(x, ALARM, ($))                  | alarm-undecided     | not a number
AT_LEAST(1, ALARM, $)                    | alarm-undecided     | a list stands in parentheses
AT_MOST(1, ALARM, ($))                   | alarm-undecided     | no such function
ALARM($) OR MUTED(other)                 | alarm-undecided     | no such function
alarm($)                                 | alarm-undecided     | functions are written in capitals
ALARM($) XOR ALARM(other)                | alarm-undecided     | no such operator
ALARM($) ALARM(other)                    | alarm-undecided     | an operator is missing
ALARM($                                  | alarm-undecided     | a parenthesis is missing
ALARM($))                                | alarm-undecided     | a parenthesis too many
ALARM(org changes)                       | alarm-undecided     | a name with a blank stands in quotes
ALARM(other)                             | not involved        | another alarm
ALARM("org changes 2")                   | not involved        | another alarm
ALARM("arn:aws:cloudwatch:eu-west-1:111111111111:alarm:org changes") | not involved | the alarm of another region
TRUE                                     | not involved        | no alarm
"#;

#[test]
fn a_rule_tells_never_tells_or_is_not_decided() {
    for row in RULES.lines().filter(|row| !row.trim().is_empty()) {
        let [rule, expected, _why] = row.split('|').collect::<Vec<_>>()[..] else {
            panic!("{row}")
        };
        let rule = rule.trim_end().replace('$', "\"org changes\"");
        assert_eq!(answer_for(&child(), &rule), expected.trim(), "{rule}");
    }
}

#[test]
fn an_alarm_that_is_never_without_data_is_ok_while_nothing_happens() {
    let mut child = child();
    let rule = r#"ALARM("org changes") OR INSUFFICIENT_DATA("org changes")"#;
    assert_eq!(answer_for(&child, rule), "alarm-undecided");
    child.treat_missing_data = Some("notBreaching".to_owned());
    assert_eq!(answer_for(&child, rule), "tells");
    let rule = r#"NOT OK("org changes")"#;
    assert_eq!(answer_for(&child, rule), "tells");
}

#[test]
fn names_are_unescaped() {
    let mut child = child();
    child.name = r#"a "b" \c (d), e"#.to_owned();
    assert_eq!(
        answer_for(&child, r#"ALARM("a \"b\" \\c (d), e")"#),
        "tells"
    );
    assert_eq!(answer_for(&child, r#"ALARM("a \n")"#), "not involved");
}

#[test]
fn composite_alarms_tell_through_others() {
    let family = [
        composite("top", "ALARM(middle) OR ALARM(elsewhere)"),
        composite("middle", "ALARM(low)"),
        composite("low", r#"ALARM("org changes")"#),
        composite("both", "ALARM(low) AND ALARM(middle)"),
        composite("stuck", r#"TRUE OR ALARM("org changes")"#),
        composite("over-stuck", "ALARM(stuck)"),
        composite("unread", r#"NEW(x) OR ALARM("org changes")"#),
        composite("over-unread", "ALARM(unread)"),
        composite("or-unread", "ALARM(unread) OR ALARM(low)"),
        composite("apart", "ALARM(elsewhere)"),
    ];
    let answer = |name: &str| answer_in(name, &child(), &family);
    assert_eq!(answer("low"), "tells");
    assert_eq!(answer("middle"), "tells");
    assert_eq!(answer("top"), "tells +others");
    assert_eq!(answer("both"), "tells");
    assert_eq!(answer("stuck"), "alarm-stuck");
    assert_eq!(answer("over-stuck"), "alarm-undecided");
    assert_eq!(answer("unread"), "alarm-undecided");
    assert_eq!(answer("over-unread"), "alarm-undecided");
    assert_eq!(answer("or-unread"), "tells +others");
    assert_eq!(answer("apart"), "not involved");
}

#[test]
fn circles_are_not_decided() {
    let family = [
        composite("a", r#"ALARM("org changes") OR ALARM(b)"#),
        composite("b", "ALARM(a)"),
        composite("into", r#"ALARM("org changes") OR ALARM(a)"#),
        composite("self", r#"ALARM("org changes") OR ALARM(self)"#),
        composite("clean", r#"ALARM("org changes")"#),
    ];
    for name in ["a", "b", "into", "self"] {
        assert_eq!(
            answer_in(name, &child(), &family),
            "alarm-undecided",
            "{name}"
        );
    }
    assert_eq!(answer_in("clean", &child(), &family), "tells");
}

#[test]
fn actions_of_a_composite_alarm_count_as_those_of_any_other() {
    let rule = r#"ALARM("org changes")"#;
    let answer = |change: &dyn Fn(&mut CompositeAlarm)| {
        let mut all = composite("all", rule);
        change(&mut all);
        answer_in("all", &child(), &[all])
    };
    assert_eq!(
        answer(&|all| all.actions_enabled = false),
        "alarm-actions-disabled"
    );
    assert_eq!(answer(&|all| all.alarm_actions.clear()), "alarm-no-action");
    assert_eq!(
        answer(&|all| all.alarm_actions = vec!["arn:aws:lambda:us-east-1:1:function:f".to_owned()]),
        "action-not-sns"
    );
    assert_eq!(
        answer(&|all| all.actions_suppressor = Some("maintenance".to_owned())),
        "alarm-undecided"
    );
    let mut suppressed = composite("all", rule);
    suppressed.actions_suppressor = Some("maintenance".to_owned());
    let list = [suppressed];
    let found = composites_telling(&child(), &list);
    assert!(found[0].1[0].message.contains("maintenance"));
    assert_eq!(composite_topics(&list[0]).len(), 1);
}

#[test]
fn a_composite_alarm_of_another_place_is_another_familys() {
    let mut elsewhere = composite("all", r#"ALARM("org changes")"#);
    elsewhere.arn = "arn:aws:cloudwatch:eu-west-1:111111111111:alarm:all"
        .parse()
        .unwrap();
    assert_eq!(answer_in("all", &child(), &[elsewhere]), "not involved");
}

#[test]
fn deep_and_long_rules_are_given_up() {
    let deep = format!(
        "{}ALARM(\"org changes\"){}",
        "(".repeat(5000),
        ")".repeat(5000)
    );
    assert_eq!(answer_for(&child(), &deep), "alarm-undecided");
    let deep = format!("{}ALARM(\"org changes\")", "NOT ".repeat(2500));
    assert_eq!(answer_for(&child(), &deep), "alarm-undecided");
    let long = format!("ALARM(\"org changes\"){}", " OR ALARM(x)".repeat(800));
    assert_eq!(answer_for(&child(), &long), "tells +others");
    let too_long = format!("ALARM(\"org changes\"){}", " OR ALARM(x)".repeat(900));
    assert_eq!(answer_for(&child(), &too_long), "alarm-undecided");
}

/// Rules over the alarm and three others.
fn rules() -> impl Strategy<Value = String> {
    let alarms = prop::sample::select(vec!["\"org changes\"", "a", "b", "c"]);
    let states = prop::sample::select(vec!["ALARM", "ALARM", "OK", "INSUFFICIENT_DATA"]);
    let leaf = (states, alarms).prop_map(|(state, alarm)| format!("{state}({alarm})"));
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} OR {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} AND {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} AND {b}")),
            inner.prop_map(|a| format!("NOT ({a})")),
        ]
    })
}

/// Every state of the four alarms, the alarm first.
fn worlds() -> impl Iterator<Item = [States; 4]> {
    let each = [States::ALARM, States::OK, States::INSUFFICIENT_DATA];
    (0..81).map(move |number: usize| [27, 9, 3, 1].map(|unit| each[number / unit % 3]))
}

fn holds_in(rule: &Rule, world: [States; 4]) -> bool {
    let of = |name: &str| match name {
        "org changes" => world[0],
        "a" => world[1],
        "b" => world[2],
        _ => world[3],
    };
    rule.holds(&of).unwrap()
}

proptest! {
    #[test]
    fn what_tells_tells_in_every_world(rule in rules()) {
        let answer = answer_for(&child(), &rule);
        let parsed = Parser::parse(&rule).unwrap();
        if answer.starts_with("tells") {
            for world in worlds().filter(|world| world[0] == States::ALARM) {
                prop_assert!(holds_in(&parsed, world), "{:?}", world);
            }
            for world in worlds().filter(|world| !world.contains(&States::ALARM)) {
                prop_assert!(!holds_in(&parsed, world), "{:?}", world);
            }
        }
        if answer == "tells" {
            for world in worlds().filter(|world| world[0] != States::ALARM) {
                prop_assert!(!holds_in(&parsed, world), "{:?}", world);
            }
        }
        if answer == "alarm-stuck" {
            for world in worlds() {
                prop_assert!(holds_in(&parsed, world), "{:?}", world);
            }
        }
        if answer == "alarm-never-fires" {
            for world in worlds().filter(|world| world[0] == States::ALARM) {
                prop_assert!(!holds_in(&parsed, world), "{:?}", world);
            }
        }
    }

    #[test]
    fn more_alarms_keep_a_rule_telling(rule in rules(), more in "[a-z]{1,5}") {
        let before = answer_for(&child(), &rule);
        let after = answer_for(&child(), &format!("({rule}) OR ALARM({more})"));
        prop_assert_eq!(before.starts_with("tells"), after.starts_with("tells"));
    }

    #[test]
    fn an_unknown_function_never_tells(rule in rules(), name in "[A-Z]{1,6}_X", or in any::<bool>()) {
        let join = if or { "OR" } else { "AND" };
        let answer = answer_for(&child(), &format!("({rule}) {join} {name}(\"org changes\")"));
        prop_assert_eq!(answer, "alarm-undecided");
    }

    #[test]
    fn any_text_has_an_answer(rule in "([A-Z_]{1,9}|[ (),\"\\\\%0-9]|ALARM\\(|org changes|.){0,30}") {
        let answer = answer_for(&child(), &rule);
        // A rule tells of an alarm only if it names it.
        prop_assert!(rule.contains("org changes") || !answer.starts_with("tells"), "{answer}");
    }
}
