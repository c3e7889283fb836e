//! Only what role, organization and session policy allow is answered.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use simulator::world::EventRule;

use crate::*;

const WORLD: &str = r#"
[[account]]
name = "management"
[[account]]
name = "plain"
chain = "complete"
[[account]]
name = "denied"
deny = ["cloudtrail:Describe*"]
[[account]]
name = "scp"
scp_deny = ["cloudtrail:DescribeTrails"]
[[account]]
name = "region"
region_deny = ["us-*"]
[[account]]
name = "narrow-role"
roles = [{ allow = ["logs:*"] }]
[[account]]
name = "guarded"
roles = [{ external_id = "secret-word" }]
[[account]]
name = "long"
roles = [{ max_session_seconds = 43200 }]
[[account]]
name = "suspended"
state = "SUSPENDED"
[[account]]
name = "roleless"
roles = []
[[account]]
name = "outsider"
member = false
"#;

async fn refusal(client: &Client<'_>) -> String {
    let answer = client.cloudtrail("DescribeTrails", nothing()).await;
    assert_eq!(
        (answer.status, &answer.json()["__type"]),
        (400, &json!("AccessDeniedException"))
    );
    answer.json()["Message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_kind_of_policy_refuses_in_its_own_words() {
    let simulator = start(WORLD).await;
    for (name, tail) in [
        (
            "denied",
            "with an explicit deny in an identity-based policy",
        ),
        ("scp", "with an explicit deny in a service control policy"),
        (
            "region",
            "with an explicit deny in a service control policy",
        ),
        (
            "narrow-role",
            "because no identity-based policy allows the cloudtrail:DescribeTrails action",
        ),
    ] {
        let client = Client::member(&simulator, name, None).await;
        let account = simulator.world().named(name).unwrap().id.clone();
        assert_eq!(
            refusal(&client).await,
            format!(
                "User: arn:aws:sts::{account}:assumed-role/{ROLE}/scanner-test is not authorized \
                 to perform: cloudtrail:DescribeTrails {tail}"
            )
        );
    }
    let elsewhere = Client::member(&simulator, "region", None).await;
    let elsewhere = Client {
        region: "eu-west-1",
        ..elsewhere
    };
    assert_eq!(
        elsewhere
            .cloudtrail("DescribeTrails", nothing())
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_session_policy_narrows_the_role() {
    let simulator = start(WORLD).await;
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
        "Action":["cloudtrail:Get*","logs:DescribeMetricFilters"],"Resource":"*"}]}"#;
    let client = Client::member(&simulator, "plain", Some(policy)).await;
    let tail = "because no session policy allows the cloudtrail:DescribeTrails action";
    assert!(refusal(&client).await.ends_with(tail));
    let status = client
        .cloudtrail("GetTrailStatus", json!({"Name": "management-events"}))
        .await;
    assert_eq!(status.status, 200);

    let (answer, value) = client.alarms("DescribeAlarms", nothing()).await;
    assert_eq!(
        (answer.status, answer.header("x-amzn-query-error")),
        (403, "AccessDenied;Sender")
    );
    assert_eq!(
        member(&value, "__type").unwrap().as_text(),
        Some("com.amazonaws.cloudwatch#AccessDenied")
    );
    let topic = (
        "TopicArn",
        "arn:aws:sns:us-east-1:111100000002:security-alarms",
    );
    let answer = client
        .query("sns", "ListSubscriptionsByTopic", &[topic])
        .await;
    assert_eq!(
        (answer.status, answer.element("Code")),
        (403, "AuthorizationError".to_owned())
    );
    let answer = client
        .send("account", "/listRegions", &[], Vec::new())
        .await;
    assert_eq!(
        (answer.status, answer.header("x-amzn-errortype")),
        (403, "AccessDeniedException")
    );
}

#[tokio::test]
async fn what_tells_somebody_is_read_only_where_role_and_session_policy_allow_it() {
    let simulator = start(WORLD).await;
    let topic = (
        "TopicArn",
        "arn:aws:sns:us-east-1:111100000002:security-alarms",
    );
    let actions = [
        "logs:DescribeLogGroups",
        "cloudwatch:ListAlarmMuteRules",
        "events:ListRules",
        "events:ListTargetsByRule",
        "sns:GetTopicAttributes",
    ];
    let statuses = async |client: &Client<'_>| {
        [
            client.logs("DescribeLogGroups", nothing()).await.status,
            client
                .alarms("ListAlarmMuteRules", nothing())
                .await
                .0
                .status,
            client.events("ListRules", nothing()).await.status,
            client
                .events(
                    "ListTargetsByRule",
                    json!({"Rule": "organizations-changes"}),
                )
                .await
                .status,
            client
                .query("sns", "GetTopicAttributes", &[topic])
                .await
                .status,
        ]
    };
    let allowing = |actions: &[&str]| {
        json!({"Version": "2012-10-17", "Statement":
            [{"Effect": "Allow", "Action": actions, "Resource": "*"}]})
        .to_string()
    };
    simulator.update(|world| {
        world.named_mut("plain").unwrap().event_rules = vec![rule()];
    });
    let all = allowing(&actions);
    let client = Client::member(&simulator, "plain", Some(&all)).await;
    assert_eq!(statuses(&client).await, [200; 5]);
    let denied = [400, 403, 400, 400, 403];
    for (place, action) in actions.iter().enumerate() {
        let mut expected = [200; 5];
        expected[place] = denied[place];
        simulator.withhold_action(*action);
        assert_eq!(statuses(&client).await, expected, "without {action}");
        simulator.restore_actions();
    }
    let nothing_of_it = allowing(&["cloudtrail:DescribeTrails"]);
    let client = Client::member(&simulator, "plain", Some(&nothing_of_it)).await;
    assert_eq!(statuses(&client).await, denied);
    simulator.update(|world| {
        let account = world.named_mut("plain").unwrap();
        account.roles[0].allow = Some(vec!["logs:*".to_owned()]);
    });
    let client = Client::member(&simulator, "plain", None).await;
    assert_eq!(statuses(&client).await, [200, 403, 400, 400, 403]);
    let answer = client.events("ListRules", nothing()).await;
    assert_eq!(answer.json()["__type"], "AccessDeniedException");
    assert_eq!(
        answer.json()["message"],
        format!(
            "User: arn:aws:sts::111100000002:assumed-role/{ROLE}/scanner-test is not authorized \
             to perform: events:ListRules on resource: \
             arn:aws:events:us-east-1:111100000002:rule/* because no identity-based policy \
             allows the events:ListRules action"
        )
    );
}

fn rule() -> EventRule {
    EventRule {
        name: "organizations-changes".to_owned(),
        region: "us-east-1".to_owned(),
        bus: "default".to_owned(),
        description: String::new(),
        pattern: Some("{}".to_owned()),
        schedule: None,
        state: "ENABLED".to_owned(),
        managed_by: None,
        targets: Vec::new(),
    }
}

#[tokio::test]
async fn a_closed_region_closes_every_service_in_it() {
    let simulator = start(WORLD).await;
    let client = Client::member(&simulator, "region", None).await;
    let (answer, _) = client.alarms("ListAlarmMuteRules", nothing()).await;
    assert_eq!(answer.status, 403);
    assert!(
        answer
            .header("x-amzn-query-error")
            .starts_with("AccessDenied")
    );
    for answer in [
        client.logs("DescribeLogGroups", nothing()).await,
        client.events("ListRules", nothing()).await,
    ] {
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(
            message.ends_with("with an explicit deny in a service control policy"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_withheld_action_is_refused_until_it_is_given_back() {
    let simulator = start(WORLD).await;
    let policy = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let client = Client::member(&simulator, "plain", Some(policy)).await;
    simulator.withhold_action("cloudtrail:DescribeTrails");
    assert!(
        refusal(&client)
            .await
            .contains("because no session policy allows")
    );
    simulator.restore_actions();
    assert_eq!(
        client.cloudtrail("DescribeTrails", nothing()).await.status,
        200
    );
}

#[tokio::test]
async fn a_role_is_entered_only_by_those_it_trusts() {
    let simulator = start(WORLD).await;
    let caller = Client::caller(&simulator);
    for (name, more) in [
        ("guarded", vec![]),
        ("guarded", vec![("ExternalId", "another-word")]),
        ("suspended", vec![]),
        ("roleless", vec![]),
        ("outsider", vec![]),
        ("management", vec![]),
    ] {
        let answer = caller.assume(name, None, &more).await;
        assert_eq!(
            (answer.status, answer.element("Code")),
            (403, "AccessDenied".to_owned()),
            "{name}"
        );
        assert!(
            answer
                .element("Message")
                .contains("is not authorized to perform: sts:AssumeRole")
        );
    }
    let guarded = caller
        .assume("guarded", None, &[("ExternalId", "secret-word")])
        .await;
    assert_eq!(guarded.status, 200);
    let sessions = simulator.sessions();
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0].external_id.as_deref(), Some("secret-word"));
    assert_eq!(sessions[0].session_name, "scanner-test");
}

#[tokio::test]
async fn a_session_lasts_as_long_as_role_and_chaining_allow() {
    let simulator = start(WORLD).await;
    let caller = Client::caller(&simulator);
    let twelve_hours = [("DurationSeconds", "43200")];
    assert_eq!(
        caller
            .assume("plain", None, &twelve_hours)
            .await
            .element("Code"),
        "ValidationError"
    );
    assert_eq!(caller.assume("long", None, &twelve_hours).await.status, 200);
    assert_eq!(
        caller
            .assume("long", None, &[("DurationSeconds", "899")])
            .await
            .status,
        400
    );
    let chained = Client::member(&simulator, "plain", None).await;
    let answer = chained.assume("long", None, &twelve_hours).await;
    assert!(
        answer.element("Message").contains("role chaining"),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn requests_for_sessions_are_checked_before_they_are_granted() {
    let simulator = start(WORLD).await;
    let caller = Client::caller(&simulator);
    let long = format!("{{\"Statement\":[]{}}}", " ".repeat(2048));
    for (policy, code) in [
        ("{", "MalformedPolicyDocument"),
        (long.as_str(), "ValidationError"),
    ] {
        assert_eq!(
            caller
                .assume("plain", Some(policy), &[])
                .await
                .element("Code"),
            code
        );
    }
    let members = [
        ("RoleArn", "arn:aws:iam::111100000002:role/x"),
        ("RoleSessionName", "a b"),
    ];
    let answer = caller.query("sts", "AssumeRole", &members).await;
    assert_eq!(answer.element("Code"), "ValidationError");
}

#[tokio::test]
async fn a_key_works_only_with_its_token_until_it_expires_and_where_its_account_is() {
    let clock = Arc::new(model::FixedClock::new(
        Timestamp::from_second(1_800_000_000).unwrap(),
    ));
    let options = SimulatorOptions {
        clock: clock.clone(),
        ..SimulatorOptions::default()
    };
    let world = World::from_toml(WORLD).unwrap();
    let simulator = Simulator::start(world, options).await.unwrap();
    let client = Client::member(&simulator, "plain", None).await;
    let code = |answer: Answer| answer.json()["__type"].as_str().unwrap().to_owned();

    for token in [None, Some("another".to_owned())] {
        let key = Key {
            token,
            ..client.key.clone()
        };
        let stranger = Client {
            key,
            ..Client::caller(&simulator)
        };
        let answer = stranger.cloudtrail("DescribeTrails", nothing()).await;
        assert_eq!(code(answer), "UnrecognizedClientException");
        let answer = stranger.query("sts", "GetCallerIdentity", &[]).await;
        assert_eq!(answer.element("Code"), "InvalidClientTokenId");
    }
    let opt_in = Client {
        region: "me-south-1",
        key: client.key.clone(),
        ..Client::caller(&simulator)
    };
    let answer = opt_in.cloudtrail("DescribeTrails", nothing()).await;
    assert_eq!(code(answer), "UnrecognizedClientException");

    clock.advance(SignedDuration::from_secs(3599));
    assert_eq!(
        client.cloudtrail("DescribeTrails", nothing()).await.status,
        200
    );
    clock.advance(SignedDuration::from_secs(1));
    assert_eq!(
        code(client.cloudtrail("DescribeTrails", nothing()).await),
        "ExpiredTokenException"
    );
    let answer = client.query("sns", "GetTopicAttributes", &[]).await;
    assert_eq!(answer.element("Code"), "ExpiredToken");
}

#[tokio::test]
async fn organizations_answers_to_its_administrators_alone() {
    let simulator = start(WORLD).await;
    let client = Client::member(&simulator, "plain", None).await;
    assert_eq!(
        client
            .organizations("DescribeOrganization", nothing())
            .await
            .status,
        200
    );
    let answer = client.organizations("ListAccounts", nothing()).await;
    assert_eq!(
        answer.json()["Message"],
        "You don't have permissions to access this resource."
    );
    simulator.update(|world| {
        world.named_mut("plain").unwrap().delegated_services =
            vec!["cloudtrail.amazonaws.com".to_owned()];
    });
    assert_eq!(
        client.organizations("ListAccounts", nothing()).await.status,
        200
    );
}

#[tokio::test]
async fn a_topic_is_read_by_its_owner_and_by_those_its_policy_names() {
    let simulator = start(WORLD).await;
    let topic = (
        "TopicArn",
        "arn:aws:sns:us-east-1:111100000002:security-alarms",
    );
    let other = Client::member(&simulator, "long", None).await;
    let answer = other
        .query("sns", "ListSubscriptionsByTopic", &[topic])
        .await;
    assert_eq!(answer.element("Code"), "AuthorizationError");
    let answer = other.query("sns", "GetTopicAttributes", &[topic]).await;
    assert_eq!(
        (answer.status, answer.element("Code")),
        (403, "AuthorizationError".to_owned())
    );
    let reader = simulator.world().named("long").unwrap().id.clone();
    simulator
        .update(|world| world.named_mut("plain").unwrap().topics[0].readable_by = vec![reader]);
    assert_eq!(
        other
            .query("sns", "ListSubscriptionsByTopic", &[topic])
            .await
            .status,
        200
    );
    let owner = Client::member(&simulator, "plain", None).await;
    simulator.update(|world| world.named_mut("plain").unwrap().topics.clear());
    let answer = owner
        .query("sns", "ListSubscriptionsByTopic", &[topic])
        .await;
    assert_eq!(
        (answer.status, answer.element("Code")),
        (404, "NotFound".to_owned())
    );
}

#[tokio::test]
async fn the_key_of_a_removed_account_is_unknown() {
    let simulator = start(WORLD).await;
    let client = Client::member(&simulator, "plain", None).await;
    let id = simulator.world().named("plain").unwrap().id.clone();
    simulator.update(|world| world.remove(&id)).unwrap();
    assert_eq!(
        client.cloudtrail("DescribeTrails", nothing()).await.status,
        400
    );
    assert_eq!(
        Client::member(&simulator, "long", None).await.region,
        "us-east-1"
    );
}
