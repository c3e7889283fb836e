//! An organization trail whose log group lives in a delegated administrator's account, with its
//! topic in yet another account.

use crate::scanner::{Shell, assert_answers, scenario, start};

#[tokio::test]
async fn members_are_covered_where_the_trail_delivers_and_nobody_is_judged_unseen() {
    let simulator = scenario("organization_trail").await;
    let run = Shell::at(&simulator).once(&[]).await;
    assert_eq!(run.code, 3, "{run:#?}");
    let covered = "PASS covered-by-organization-trail";
    assert_answers(
        &run,
        &[
            ("management", covered),
            ("log-archive", covered),
            ("security-tooling", covered),
            ("member-1", covered),
            ("member-2", covered),
            ("member-3", covered),
            ("member-own-trail-stopped", covered),
            ("uncovered", "FAIL trail-absent"),
            ("uncovered-own-chain", "PASS covered-by-own-trail"),
            ("alarms-denied", "UNKNOWN evidence-gap"),
            ("denied", "UNKNOWN account-not-entered"),
            ("suspended", "NOT_APPLICABLE account-suspended"),
            ("region-denied", "UNKNOWN evidence-gap"),
            ("all-regions-denied", "UNKNOWN evidence-gap"),
        ],
    );
    let report = run.report();
    assert_eq!(report["organization"]["verdict"], "PASS");
    let management = simulator.world().named("management").unwrap().id.clone();
    assert_eq!(
        report["organization"]["management_account_id"],
        management.as_str()
    );

    // Who covers a member is said, by ARN and owner.
    let member = run.finding("member-1");
    assert_eq!(member["covered_by"]["account_id"], management.as_str());
    let chain = member["chain"].as_array().unwrap();
    let account_of = |link: &str| {
        let node = chain
            .iter()
            .find(|node| node["link"] == link && node["state"] == "holds")
            .unwrap();
        node["account"].as_str().unwrap().to_owned()
    };
    let world = simulator.world();
    assert_eq!(
        account_of("log_group"),
        world.named("log-archive").unwrap().id
    );
    assert_eq!(
        account_of("topic"),
        world.named("security-tooling").unwrap().id
    );

    // A gap names the call, and that nobody looked is not hidden by a good organization trail.
    let denied = run.finding("denied");
    assert_eq!(denied["gaps"][0]["api"], "sts:AssumeRole");
    assert_eq!(denied["gaps"][0]["class"], "access-denied");
    assert_eq!(
        denied["advice"][0]["code"],
        "organization-trail-should-cover"
    );
    let closed = run.finding("region-denied");
    assert_eq!(closed["gaps"][0]["api"], "cloudtrail:DescribeTrails");
    assert_eq!(closed["gaps"][0]["class"], "denied-by-organization-policy");
    assert!(closed["gaps"][0]["request_id"].is_string(), "{closed:#}");
}

#[tokio::test]
async fn what_members_share_is_read_once_and_a_member_costs_two_calls() {
    let simulator = scenario("organization_trail").await;
    let run = Shell::at(&simulator).once(&[]).await;
    let member = run.finding("member-2")["account_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let calls = simulator.calls();
    let of = |operation: &str| -> u64 {
        calls
            .iter()
            .filter(|(key, _)| key.operation == operation)
            .map(|(_, count)| count)
            .sum()
    };
    let of_member: Vec<_> = calls
        .iter()
        .filter(|(key, _)| key.account == member)
        .map(|(key, _)| key.operation.clone())
        .collect();
    assert_eq!(of_member, ["DescribeTrails"], "besides the AssumeRole");
    // The organization trail, the two own trails that are looked into, and nothing twice.
    assert_eq!(of("GetTrailStatus"), 4, "{calls:?}");
    assert_eq!(of("GetEventSelectors"), 4);
    assert_eq!(of("DescribeMetricFilters"), 4);
    assert_eq!(of("DescribeLogGroups"), 4);
}

#[tokio::test]
async fn a_region_that_answers_is_enough() {
    let simulator = scenario("organization_trail").await;
    let world = simulator.world().named("region-denied").unwrap().id.clone();
    let run = Shell::at(&simulator)
        .once(&[
            "--account",
            &world,
            "--probe-regions",
            "us-west-2,eu-west-1",
        ])
        .await;
    assert_answers(
        &run,
        &[("region-denied", "PASS covered-by-organization-trail")],
    );
    assert_eq!(run.code, 0);
    assert_eq!(
        run.report()["organization"]["verdict"],
        "UNKNOWN",
        "the management account was out of scope"
    );
}

#[tokio::test]
async fn a_management_account_that_cannot_be_entered_leaves_its_members_unknown_and_is_named() {
    let world = simulator::World::from_toml(
        r#"
        [organization]
        management = "management"
        [caller]
        account = "audit"
        [[account]]
        name = "management"
        trails = [{ name = "organization-trail", organization = true, log_group_account = "audit" }]
        [[account]]
        name = "audit"
        delegated_administrator = ["cloudtrail.amazonaws.com"]
        log_groups = [{}]
        filters = [{}]
        alarms = [{}]
        topics = [{}]
        [[account]]
        name = "member"
        "#,
    );
    let simulator = start(world.expect("the world is valid")).await;
    let run = Shell::at(&simulator).once(&[]).await;
    assert_eq!(run.code, 4, "{run:#?}");
    assert_answers(
        &run,
        &[
            ("management", "UNKNOWN account-not-entered"),
            // These were entered; what could not be read is the trail, at its owner.
            ("audit", "UNKNOWN evidence-gap"),
            ("member", "UNKNOWN evidence-gap"),
        ],
    );
    let management = simulator.world().named("management").unwrap().id.clone();
    let member = run.finding("member");
    assert_eq!(member["gaps"][0]["api"], "sts:AssumeRole");
    assert_eq!(member["gaps"][0]["account"], management.as_str());
    assert_eq!(member["link"], "trail");
}
