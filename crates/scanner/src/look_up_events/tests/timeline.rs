//! Each change of a timeline: the world reads differently afterwards, and whoever asks in the right
//! account and region is told who did it.

use serde_json::json;

use super::scene::Scene;

/// A scene with one change to come in the member account.
async fn scene(change: &str) -> Scene {
    Scene::new(&format!("\n[[timeline]]\naccount = \"member\"\n{change}\n")).await
}

const REGION: &str = "us-east-1";

/// The id of the account `member`.
const MEMBER: &str = "111100000002";

/// Makes the change: `gone` was read before and is not now, `new` is read now and was not.
async fn changes(scene: &Scene, gone: &str, new: &str) {
    let before = scene.evidence("member").await;
    scene.advance();
    let after = scene.evidence("member").await;
    assert_ne!(before, after);
    for (text, here, elsewhere) in [(gone, &before, &after), (new, &after, &before)] {
        if !text.is_empty() {
            assert!(here.contains(text), "`{text}` is not in {here}");
            assert!(!elsewhere.contains(text), "`{text}` is in {elsewhere}");
        }
    }
}

#[tokio::test]
async fn a_filter_is_put() {
    let scene = scene("change = \"put-metric-filter\"\nexcept = [\"LeaveOrganization\"]").await;
    changes(&scene, "LeaveOrganization", "").await;
    let asked = scene.recorded("member", REGION, "PutMetricFilter").await;
    assert_eq!(asked["filterName"], "organizations-changes");
    assert_eq!(asked["logGroupName"], "cloudtrail/management-events");
    let pattern = asked["filterPattern"].as_str().unwrap();
    assert!(!pattern.contains("LeaveOrganization"), "{pattern}");
    assert_eq!(
        asked["metricTransformations"][0]["metricNamespace"],
        "CISBenchmark"
    );
}

#[tokio::test]
async fn a_filter_is_deleted() {
    let scene = scene("change = \"delete-metric-filter\"").await;
    changes(&scene, "LeaveOrganization", "").await;
    assert_eq!(
        scene.recorded("member", REGION, "DeleteMetricFilter").await,
        json!({ "filterName": "organizations-changes", "logGroupName": "cloudtrail/management-events" })
    );
}

#[tokio::test]
async fn a_log_group_is_deleted() {
    let scene = scene("change = \"delete-log-group\"").await;
    changes(&scene, "LeaveOrganization", "\"Ok\":\"missing\"").await;
    assert_eq!(
        scene.recorded("member", REGION, "DeleteLogGroup").await,
        json!({ "logGroupName": "cloudtrail/management-events" })
    );
}

#[tokio::test]
async fn an_alarm_is_put() {
    let scene = scene("change = \"put-metric-alarm\"\nthreshold = 5.0").await;
    changes(&scene, "\"threshold\":1", "\"threshold\":5").await;
    let asked = scene.recorded("member", REGION, "PutMetricAlarm").await;
    assert_eq!(asked["alarmName"], "organizations-changes");
    assert_eq!(asked["threshold"], 5.0);
}

#[tokio::test]
async fn an_alarm_is_deleted() {
    let scene = scene("change = \"delete-alarms\"").await;
    changes(&scene, "alarm:organizations-changes", "").await;
    assert_eq!(
        scene.recorded("member", REGION, "DeleteAlarms").await,
        json!({ "alarmNames": ["organizations-changes"] })
    );
}

#[tokio::test]
async fn the_actions_of_an_alarm_are_disabled_and_enabled_again() {
    let more = "[[timeline]]\naccount = \"member\"\nchange = \"enable-alarm-actions\"";
    let scene = scene(&format!("change = \"disable-alarm-actions\"\n{more}")).await;
    let (on, off) = ("\"actions_enabled\":true", "\"actions_enabled\":false");
    changes(&scene, on, off).await;
    let asked = scene
        .recorded("member", REGION, "DisableAlarmActions")
        .await;
    assert_eq!(asked, json!({ "alarmNames": ["organizations-changes"] }));
    changes(&scene, off, on).await;
    let asked = scene.recorded("member", REGION, "EnableAlarmActions").await;
    assert_eq!(asked, json!({ "alarmNames": ["organizations-changes"] }));
}

#[tokio::test]
async fn a_trail_stops_and_starts_logging() {
    let more = "[[timeline]]\naccount = \"member\"\nchange = \"start-logging\"";
    let scene = scene(&format!("change = \"stop-logging\"\n{more}")).await;
    let (on, off) = ("\"is_logging\":true", "\"is_logging\":false");
    changes(&scene, on, off).await;
    let asked = scene.recorded("member", REGION, "StopLogging").await;
    let name = asked["name"].as_str().unwrap();
    assert!(name.ends_with(":trail/management-events"), "{name}");
    changes(&scene, off, on).await;
    let asked = scene.recorded("member", REGION, "StartLogging").await;
    assert_eq!(asked, json!({ "name": "management-events" }));
}

#[tokio::test]
async fn a_trail_is_updated() {
    let scene = scene("change = \"update-trail\"\nwithout_log_group = true").await;
    changes(&scene, "cloudtrail/management-events", "").await;
    let asked = scene.recorded("member", REGION, "UpdateTrail").await;
    assert_eq!(asked["name"], "management-events");
    assert_eq!(asked["cloudWatchLogsLogGroupArn"], json!(null));
}

#[tokio::test]
async fn a_trail_is_deleted() {
    let scene = scene("change = \"delete-trail\"").await;
    changes(&scene, "trail/management-events", "").await;
    let asked = scene.recorded("member", REGION, "DeleteTrail").await;
    let name = asked["name"].as_str().unwrap();
    assert!(name.ends_with(":trail/management-events"), "{name}");
}

#[tokio::test]
async fn event_selectors_are_put() {
    let scene = scene("change = \"put-event-selectors\"\nselectors = \"read-only\"").await;
    changes(&scene, "", "ReadOnly").await;
    let asked = scene.recorded("member", REGION, "PutEventSelectors").await;
    assert_eq!(asked["trailName"], "management-events");
    assert_eq!(asked["eventSelectors"][0]["readWriteType"], "ReadOnly");
}

#[tokio::test]
async fn a_topic_is_deleted() {
    let scene = scene("change = \"delete-topic\"").await;
    changes(&scene, "\"confirmed\"", "\"Ok\":\"missing\"").await;
    let asked = scene.recorded("member", REGION, "DeleteTopic").await;
    let arn = asked["topicArn"].as_str().unwrap();
    assert!(arn.ends_with(":security-alarms"), "{arn}");
}

#[tokio::test]
async fn somebody_else_subscribes() {
    let change =
        "change = \"subscribe\"\nprotocol = \"https\"\nendpoint = \"https://hooks.example.net/x\"";
    let scene = scene(change).await;
    changes(&scene, "", "hooks.example.net").await;
    let asked = scene.recorded("member", REGION, "Subscribe").await;
    assert_eq!(asked["protocol"], "https");
    assert_eq!(asked["endpoint"], "HIDDEN_DUE_TO_SECURITY_REASONS");
}

#[tokio::test]
async fn a_subscriber_leaves() {
    let scene = scene("change = \"unsubscribe\"").await;
    changes(&scene, "\"confirmed\"", "").await;
    let asked = scene.recorded("member", REGION, "Unsubscribe").await;
    let arn = asked["subscriptionArn"].as_str().unwrap();
    assert!(arn.contains(":security-alarms:"), "{arn}");
}

#[tokio::test]
async fn a_subscriber_who_leaves_by_the_link_in_a_mail_is_not_recorded() {
    let scene = scene("change = \"unsubscribe\"\nby_link = true").await;
    changes(&scene, "\"confirmed\"", "").await;
    assert_eq!(scene.look_up("Unsubscribe").await.calls, []);
}

/// An organization's changes are made and recorded in its management account.
async fn organization_changes(scene: &Scene, event_name: &str, new: &str) -> serde_json::Value {
    let before = scene.accounts().await;
    scene.advance();
    let after = scene.accounts().await;
    assert!(!before.contains(new) && after.contains(new), "{after}");
    scene.recorded("management", REGION, event_name).await
}

#[tokio::test]
async fn an_account_is_closed() {
    let scene = scene("change = \"close-account\"").await;
    let asked = organization_changes(&scene, "CloseAccount", "PendingClosure").await;
    assert_eq!(
        asked,
        json!({ "accountId": scene.id("member").to_string() })
    );
}

#[tokio::test]
async fn an_account_is_suspended_by_aws_and_nobody_called() {
    let scene = scene("change = \"suspend-account\"").await;
    scene.advance();
    assert!(scene.accounts().await.contains("Suspended"));
    for event_name in ["SuspendAccount", "CloseAccount"] {
        let found = scene.look_up_in("management", REGION, event_name).await;
        assert_eq!(found.unwrap().calls, []);
    }
}

#[tokio::test]
async fn an_account_is_moved() {
    let scene = scene("change = \"move-account\"\nunit = \"Sandbox/Old\"").await;
    let parent = || {
        let world = scene.simulator.world();
        let organization = world.organization.as_ref().unwrap();
        let parent = organization.parent_of(world.named("member").unwrap());
        parent.to_owned()
    };
    let (before, listed) = (parent(), scene.accounts().await);
    scene.advance();
    // The paths are part of the list.
    assert_ne!(listed, scene.accounts().await);
    let asked = scene.recorded("management", REGION, "MoveAccount").await;
    assert_eq!(
        asked,
        json!({
            "accountId": scene.id("member").to_string(),
            "sourceParentId": before, "destinationParentId": parent(),
        })
    );
}

#[tokio::test]
async fn an_account_is_created() {
    let created =
        "\n[[timeline]]\nchange = \"create-account\"\nname = \"newcomer\"\nchain = \"complete\"";
    let scene = Scene::new(created).await;
    let asked = organization_changes(&scene, "CreateAccount", "111100000003").await;
    // Of a person's call AWS hides the name, and the id was not known then.
    assert_eq!(asked, json!({ "accountName": "****", "email": "****" }));
    let result = scene.look_up_in("management", REGION, "CreateAccountResult");
    let result = result.await.unwrap();
    assert_eq!(result.calls.len(), 1);
    assert_eq!(result.calls[0].author.actor, None);
    assert!(
        scene
            .evidence("newcomer")
            .await
            .contains("LeaveOrganization")
    );
}

#[tokio::test]
async fn an_account_is_removed_from_the_organization() {
    let scene = scene("change = \"remove-account-from-organization\"").await;
    assert!(scene.accounts().await.contains(MEMBER));
    scene.advance();
    assert!(!scene.accounts().await.contains(MEMBER));
    let asked = scene
        .recorded("management", REGION, "RemoveAccountFromOrganization")
        .await;
    assert_eq!(
        asked,
        json!({ "accountId": scene.id("member").to_string() })
    );
}

#[tokio::test]
async fn an_account_leaves_and_takes_the_record_with_it() {
    let scene = scene("change = \"leave-organization\"").await;
    scene.advance();
    assert!(!scene.accounts().await.contains(MEMBER));
    let found = scene.look_up_in("management", REGION, "LeaveOrganization");
    assert_eq!(found.await.unwrap().calls, []);
    // Its role trusted the organization.
    let found = scene
        .look_up_in("member", REGION, "LeaveOrganization")
        .await;
    assert_eq!(found.unwrap_err().api, "sts:AssumeRole");
    let id = scene.id("member").to_string();
    let world = scene.simulator.world();
    let recorded = world.event_history.of(&id, REGION);
    assert!(
        recorded
            .iter()
            .any(|event| event.event_name == "LeaveOrganization")
    );
}

#[tokio::test]
async fn a_role_trusts_nobody_and_then_the_organization_again() {
    let restored = "[[timeline]]\naccount = \"member\"\nchange = \"update-assume-role-policy\"";
    let scene = scene(&format!(
        "change = \"update-assume-role-policy\"\ntrusted = []\n{restored}"
    ))
    .await;
    changes(&scene, "trail/management-events", "sts:AssumeRole").await;
    let found = scene.look_up_in("member", REGION, "UpdateAssumeRolePolicy");
    assert_eq!(found.await.unwrap_err().api, "sts:AssumeRole", "unreadable");
    changes(&scene, "sts:AssumeRole", "trail/management-events").await;
    // Visible again, and so is who it was, and who made it good.
    let found = scene.look_up("UpdateAssumeRolePolicy").await;
    let by_alice = found.calls.iter().filter(|call| super::is_by_alice(call));
    assert_eq!(by_alice.clone().count(), 2);
    for call in by_alice {
        assert_eq!(call.author.event_source, "iam.amazonaws.com");
        let role = &call.request_parameters["roleName"];
        assert_eq!(role, "OrganizationAccountAccessRole");
    }
}

#[tokio::test]
async fn a_role_is_deleted() {
    let scene = scene("change = \"delete-role\"").await;
    changes(&scene, "trail/management-events", "sts:AssumeRole").await;
    let id = scene.id("member").to_string();
    let world = scene.simulator.world();
    let recorded = world.event_history.of(&id, REGION);
    assert!(
        recorded
            .iter()
            .any(|event| event.event_name == "DeleteRole")
    );
}

#[tokio::test]
async fn a_service_control_policy_denies_and_is_detached() {
    let denied = "deny = [\"cloudtrail:DescribeTrails\"]";
    let more = format!("[[timeline]]\naccount = \"member\"\nchange = \"detach-policy\"\n{denied}");
    let scene = scene(&format!("change = \"attach-policy\"\n{denied}\n{more}")).await;
    changes(
        &scene,
        "trail/management-events",
        "denied-by-organization-policy",
    )
    .await;
    let attached = scene.recorded("management", REGION, "AttachPolicy").await;
    assert_eq!(attached["targetId"], scene.id("member").to_string());
    changes(
        &scene,
        "denied-by-organization-policy",
        "trail/management-events",
    )
    .await;
    let detached = scene.recorded("management", REGION, "DetachPolicy").await;
    assert_eq!(attached, detached);
}
