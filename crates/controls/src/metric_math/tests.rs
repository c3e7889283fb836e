//! Expressions, and what they come to.

use super::*;
use model::evidence::Dimensions;
use proptest::prelude::*;

fn metric(id: &str, name: &str) -> MetricQuery {
    MetricQuery {
        id: id.to_owned(),
        expression: None,
        metric: Some(("CIS".to_owned(), name.to_owned(), Dimensions::default())),
        statistic: Some("Sum".to_owned()),
        period_seconds: Some(300),
        unit: None,
        account: None,
        return_data: false,
    }
}

fn expression(id: &str, text: &str) -> MetricQuery {
    MetricQuery {
        expression: Some(text.to_owned()),
        metric: None,
        ..metric(id, "")
    }
}

/// The answer to a list of queries of which the last one is returned: `ours` with what 1 and
/// missing data become, `other`, or `undecided`.
fn answer(mut queries: Vec<MetricQuery>) -> String {
    queries.last_mut().unwrap().return_data = true;
    let ours = |query: &MetricQuery| query.metric.as_ref().is_some_and(|m| m.1 == "Ours");
    match reduce(&queries, ours) {
        Reduction::Ours(_, steps) => {
            let number = |point: Option<Interval>| {
                let point = apply(&steps, point).unwrap();
                point.map_or("-".to_owned(), |point| point.low.to_string())
            };
            format!("ours {} {}", number(Interval::exactly(1.0)), number(None))
        }
        Reduction::Other(_) => "other".to_owned(),
        Reduction::Undecided(_) => "undecided".to_owned(),
    }
}

/// The expression that is returned, beside `m1`, which is the metric; `m2`, which is another one,
/// only where it says `with m2`; what 1 and missing data become; and why.
const EXPRESSIONS: &str = "
m1                        |         | ours 1 -   | the metric itself
 ( ( m1 ) )               |         | ours 1 -   | parentheses and blanks change nothing
SUM([m1])                 |         | ours 1 -   | point by point over a list of one
MAX([m1])                 |         | ours 1 -   | the same
MIN([m1])                 |         | ours 1 -   | the same
AVG([m1])                 |         | ours 1 -   | the same
SUM(METRICS())            |         | ours 1 -   | all metrics are one
AVG(METRICS('m'))         |         | ours 1 -   | all metrics with m in their id are one
SUM(METRICS())            | with m2 | undecided  | the other metric is added
SUM(METRICS('m1'))        | with m2 | ours 1 -   | only the metric has m1 in its id
SUM(METRICS('m2'))        | with m2 | other      | only the other one has m2 in its id
SUM(m1)                   |         | undecided  | one number for all points, which an alarm does not take
FILL(m1,0)                |         | ours 1 0   | missing data becomes 0
FILL(m1, -1)              |         | ours 1 -1  | or any number
FILL(m1,1/2)              |         | ours 1 0.5 | calculated ones too
FILL(m1,REPEAT)           |         | undecided  | the last value goes on
FILL(m1,LINEAR)           |         | undecided  | between the values around it
FILL(m1,m1)               |         | undecided  | not a number
FILL(METRICS(),0)         |         | ours 1 0   | a list of one
SUM(FILL(METRICS(),0))    |         | ours 1 0   | nested
FILL(FILL(m1,0),5)        |         | ours 1 0   | nothing is missing the second time
FILL(m1,0)*2+1            |         | ours 3 1   | what is filled is calculated with
m1*2                      |         | ours 2 -   | twice the value
2*m1                      |         | ours 2 -   | either way round
m1/4                      |         | ours 0.25 - | a quarter
m1-1                      |         | ours 0 -   | one less
1-m1                      |         | ours 0 -   | from one
-m1                       |         | ours -1 -  | the opposite
1+m1*3                    |         | ours 4 -   | products before sums
(1+m1)*3                  |         | ours 6 -   | unless in parentheses
m1/0                      |         | undecided  | no number
1/m1                      |         | undecided  | neither rises nor falls throughout
m1^2                      |         | undecided  | powers are not decided
m1>0                      |         | undecided  | comparisons are not decided
IF(m1>0,1,0)              |         | undecided  | conditions are not decided
RATE(m1)                  |         | undecided  | depends on the points around
RUNNING_SUM(m1)           |         | undecided  | depends on the points before
m1+m2                     | with m2 | undecided  | what the other metric holds is not known
MAX([m1,m2])              | with m2 | undecided  | the same
MAX([m1,0])               |         | undecided  | numbers within lists are not decided
m2                        | with m2 | other      | does not use the metric
m2*2+1                    | with m2 | other      | does not use the metric
IF(m2>5,1,0)              | with m2 | other      | does not use the metric, whatever it says
7                         |         | other      | a number
ANOMALY_DETECTION_BAND(m1,2) |      | undecided  | no fixed threshold
ANOMALY_DETECTION_BAND(m2,2) | with m2 | other   | of another metric
SEARCH('{CIS} Ours','Sum') |        | undecided  | may find the metric
NEW_FUNCTION(m2)          | with m2 | undecided  | may read anything
m3                        |         | undecided  | no such query
m1 m1                     |         | undecided  | not an expression
m1+                       |         | undecided  | not an expression
SUM([m1)                  |         | undecided  | not an expression
FILL(m1,'0                |         | undecided  | not an expression
SELECT SUM(Ours) FROM CIS |         | undecided  | a query language of its own
m1 § 2                    |         | undecided  | no such sign
";

#[test]
fn an_expression_is_the_metric_another_one_or_not_decided() {
    for row in EXPRESSIONS.lines().filter(|row| !row.trim().is_empty()) {
        let [text, others, expected, _why] = row.splitn(4, '|').collect::<Vec<_>>()[..] else {
            panic!("{row}")
        };
        let mut queries = vec![metric("m1", "Ours")];
        if others.trim() == "with m2" {
            queries.push(metric("m2", "Other"));
        }
        queries.push(expression("e1", text.trim_end()));
        assert_eq!(answer(queries), expected.trim(), "{row}");
    }
}

#[test]
fn expressions_refer_to_each_other() {
    let chain = vec![
        metric("m1", "Ours"),
        expression("e1", "FILL(m1, 0)"),
        expression("e2", "e1 * 2"),
        expression("e3", "SUM([e2])"),
    ];
    assert_eq!(answer(chain), "ours 2 0");
    let circle = vec![
        metric("m1", "Ours"),
        expression("e1", "e2 + m1"),
        expression("e2", "e1"),
    ];
    assert_eq!(answer(circle), "undecided");
    // METRICS() leaves expressions out.
    let beside = vec![
        metric("m1", "Ours"),
        expression("e1", "m1 * 9"),
        expression("e2", "SUM(METRICS())"),
    ];
    assert_eq!(answer(beside), "ours 1 -");
}

#[test]
fn expressions_that_double_each_time_are_given_up() {
    let mut queries = vec![metric("m1", "Ours")];
    for number in 1..60 {
        let below = if number == 1 {
            "m1".to_owned()
        } else {
            format!("e{}", number - 1)
        };
        queries.push(expression(
            &format!("e{number}"),
            &format!("FILL({below}, {below} * 0)"),
        ));
    }
    assert_eq!(answer(queries), "undecided");
}

#[test]
fn queries_that_contradict_each_other_are_not_decided() {
    let two = vec![
        MetricQuery {
            return_data: true,
            ..metric("m1", "Ours")
        },
        expression("e1", "m1"),
    ];
    assert_eq!(answer(two), "undecided");
    let same_id = vec![metric("m1", "Ours"), expression("m1", "7")];
    assert_eq!(answer(same_id), "undecided");
    let both = MetricQuery {
        expression: Some("m1".to_owned()),
        ..metric("m1", "Ours")
    };
    assert_eq!(answer(vec![both]), "undecided");
    let band = vec![
        MetricQuery {
            return_data: true,
            ..metric("m1", "Ours")
        },
        MetricQuery {
            return_data: true,
            ..expression("ad1", "ANOMALY_DETECTION_BAND(m1, 2)")
        },
    ];
    let Reduction::Undecided(message) = reduce(&band, |_| true) else {
        panic!()
    };
    assert!(message.contains("anomaly detection"), "{message}");
}

#[test]
fn deep_and_long_expressions_are_given_up() {
    let of = |text: String| answer(vec![metric("m1", "Ours"), expression("e1", &text)]);
    assert_eq!(
        of(format!("{}m1{}", "(".repeat(1000), ")".repeat(1000))),
        "undecided"
    );
    assert_eq!(of("-".repeat(2000) + "m1"), "undecided");
    assert_eq!(of("m1".to_owned() + &"+1".repeat(1000)), "undecided");
    assert_eq!(of("m1+".repeat(5000)), "undecided");
    assert_eq!(of("m1".to_owned() + &"+1".repeat(20)), "ours 21 -");
}

/// Whether an expression can come to the metric at all: by its id, or by taking all there are.
fn names_ours(expression: &str) -> bool {
    expression.contains("m1") || expression.to_ascii_uppercase().contains("METRICS")
}

proptest! {
    #[test]
    fn any_text_has_an_answer(text in ".{0,40}") {
        let answer = answer(vec![metric("m1", "Ours"), expression("e1", &text)]);
        prop_assert!(names_ours(&text) || !answer.starts_with("ours"), "{answer}");
    }

    #[test]
    fn expressions_of_known_signs_have_an_answer(
        text in "((m1|m2|e1|SUM|FILL|METRICS|[0-9.]{1,3}|[-+*/^(),><'\\[\\]]) ?){0,30}",
    ) {
        let answer =
            answer(vec![metric("m1", "Ours"), metric("m2", "Other"), expression("e1", &text)]);
        prop_assert!(names_ours(&text) || !answer.starts_with("ours"), "{answer}");
    }
}
