//! The session policy is enough, and no action in it is one too many.

use crate::scanner::{Run, Shell, scenario, start};
use simulator::World;

/// Read-only calls in member accounts; the caller's own account is read with ambient credentials.
const ACTIONS: [&str; 12] = [
    "cloudtrail:DescribeTrails",
    "cloudtrail:GetEventSelectors",
    "cloudtrail:GetTrailStatus",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:DescribeAlarmsForMetric",
    "cloudwatch:ListAlarmMuteRules",
    "events:ListRules",
    "events:ListTargetsByRule",
    "logs:DescribeLogGroups",
    "logs:DescribeMetricFilters",
    "sns:GetTopicAttributes",
    "sns:ListSubscriptionsByTopic",
];

/// What sessions may do besides, to say who changed something. A sweep reads no evidence with it.
const LOOKUP: &str = "cloudtrail:LookupEvents";

/// What these answer is advice: a verdict never rests on them.
const ADVISORY: [&str; 3] = [
    "cloudwatch:ListAlarmMuteRules",
    "events:ListRules",
    "events:ListTargetsByRule",
];

/// A caller in an account of its own, so that everything is read through assumed sessions; one
/// account that passes, and one that fails after everything was looked at.
fn world() -> World {
    World::from_toml(
        r#"
        [caller]
        account = "security"
        [[account]]
        name = "management"
        chain = "complete"
        roles = [{}]
        [[account]]
        name = "security"
        delegated_administrator = ["cloudtrail.amazonaws.com"]
        chain = "complete"
        [[account]]
        name = "failing"
        chain = "complete"
        alarms = [{ threshold = 5.0 }]
        event_rules = [{}]
        "#,
    )
    .expect("the world is valid")
}

#[tokio::test]
async fn the_session_policy_is_sufficient() {
    let simulator = start(world()).await;
    let run = Shell::at(&simulator).once(&[]).await;
    for finding in run.findings() {
        assert_eq!(finding["gaps"], serde_json::json!([]), "{finding:#}");
    }
    let sessions = simulator.sessions();
    assert!(!sessions.is_empty());
    for session in sessions {
        assert!(
            session.policy.is_some(),
            "a session without a session policy: {session:?}"
        );
    }
}

fn apis_of_gaps(run: &Run) -> Vec<String> {
    run.findings()
        .iter()
        .flat_map(|finding| finding["gaps"].as_array().unwrap().clone())
        .map(|gap| gap["api"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn what_only_advises_leaves_a_gap_and_the_verdicts_as_they_are() {
    let simulator = start(world()).await;
    let allowed = Shell::at(&simulator).once(&[]).await.answers();
    for action in ADVISORY {
        simulator.restore_actions();
        simulator.withhold_action(action);
        let run = Shell::at(&simulator).once(&[]).await;
        assert_eq!(run.answers(), allowed, "without {action}");
        let gaps = apis_of_gaps(&run);
        assert!(gaps.iter().any(|api| api == action), "{action}: {gaps:?}");
    }
}

#[tokio::test]
async fn what_decides_leaves_nobody_who_passes_a_verdict() {
    let simulator = start(world()).await;
    for action in ["logs:DescribeLogGroups", "sns:GetTopicAttributes"] {
        simulator.restore_actions();
        simulator.withhold_action(action);
        let run = Shell::at(&simulator).once(&[]).await;
        let management = run.finding("management");
        assert_eq!(management["reason"], "evidence-gap", "{management:#}");
        assert_eq!(management["gaps"][0]["api"], action, "{management:#}");
    }
}

#[tokio::test]
async fn each_action_of_the_session_policy_is_needed() {
    let simulator = start(world()).await;
    for action in ACTIONS {
        simulator.restore_actions();
        simulator.withhold_action(action);
        let run = Shell::at(&simulator).once(&[]).await;
        let gaps = apis_of_gaps(&run);
        assert!(
            gaps.iter().any(|api| api == action),
            "without {action}: {gaps:?}"
        );
    }
    // Every region takes one more action, and no more than that.
    simulator.restore_actions();
    simulator.withhold_action("account:ListRegions");
    let run = Shell::at(&simulator).once(&["--regions", "all"]).await;
    assert!(run.stdout.contains("account:ListRegions"), "{}", run.stdout);
}

#[tokio::test]
async fn nobody_who_may_not_look_up_events_misses_any_evidence() {
    let simulator = start(world()).await;
    let allowed = Shell::at(&simulator).once(&[]).await;
    simulator.withhold_action(LOOKUP);
    let run = Shell::at(&simulator).once(&[]).await;
    assert_eq!(run.answers(), allowed.answers());
    assert_eq!(apis_of_gaps(&run), apis_of_gaps(&allowed));
}

#[tokio::test]
async fn sessions_ask_for_exactly_the_actions_that_are_needed() {
    let simulator = start(world()).await;
    let shell = Shell::at(&simulator);
    let asked = |regions: &'static [&'static str]| {
        let (simulator, shell) = (&simulator, &shell);
        async move {
            shell.once(regions).await;
            let session = simulator.sessions().pop().expect("a session");
            let policy: serde_json::Value =
                serde_json::from_str(session.policy.as_deref().unwrap()).unwrap();
            let actions = policy["Statement"][0]["Action"].as_array().unwrap().clone();
            let mut actions: Vec<String> = actions
                .iter()
                .map(|a| a.as_str().unwrap().to_owned())
                .collect();
            actions.sort();
            actions
        }
    };
    let mut actions = ACTIONS.to_vec();
    actions.push(LOOKUP);
    actions.sort_unstable();
    assert_eq!(asked(&[]).await, actions);
    let mut with_regions = actions;
    with_regions.push("account:ListRegions");
    with_regions.sort_unstable();
    assert_eq!(asked(&["--regions", "all"]).await, with_regions);
}

#[tokio::test]
async fn an_external_id_opens_what_asks_for_it() {
    let world = World::from_toml(
        r#"
        [role]
        name = "audit/scanner"
        external_id = "a-secret-handshake"
        [[account]]
        name = "management"
        chain = "complete"
        [[account]]
        name = "member"
        chain = "complete"
        "#,
    );
    let simulator = start(world.expect("the world is valid")).await;
    let shell = Shell::at(&simulator);
    let without = shell.once(&["--role-name", "audit/scanner"]).await;
    assert_eq!(without.answers()["member"], "UNKNOWN account-not-entered");
    let with = shell
        .once(&[
            "--role-name",
            "audit/scanner",
            "--external-id",
            "a-secret-handshake",
        ])
        .await;
    assert_eq!(
        with.answers()["member"],
        "PASS covered-by-own-trail",
        "{with:#?}"
    );
    assert!(scenario("chain_breaks").await.sessions().is_empty());
}
