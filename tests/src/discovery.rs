//! Which accounts are looked at, and what is said of the others.

use std::collections::BTreeSet;

use crate::scanner::{Run, Shell, scenario, start};
use simulator::World;

fn names(run: &Run) -> BTreeSet<String> {
    run.answers().into_keys().collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

fn world(head: &str) -> World {
    let text = format!(
        r#"
        {head}
        [[account]]
        name = "management"
        chain = "complete"
        [[account]]
        name = "prod-a"
        unit = "Workloads/Production"
        tags = {{ environment = "production" }}
        [[account]]
        name = "prod-b"
        unit = "Workloads/Production"
        tags = {{ environment = "production", skip = "yes" }}
        [[account]]
        name = "staging-a"
        unit = "Workloads/Staging"
        tags = {{ environment = "staging" }}
        [[account]]
        name = "filler"
        count = 40
        "#
    );
    World::from_toml(&text).expect("the world is valid")
}

/// The id of the unit that an account hangs in.
fn unit_of(world: &World, account: &str) -> String {
    let account = world.named(account).expect("the account");
    world
        .organization
        .as_ref()
        .expect("an organization")
        .parent_of(account)
        .to_owned()
}

#[tokio::test]
async fn accounts_are_chosen_by_id_ou_name_and_tag() {
    let simulator = start(world("")).await;
    let production = unit_of(&simulator.world(), "prod-a");
    let staging_id = simulator.world().named("staging-a").unwrap().id.clone();
    let shell = Shell::at(&simulator);
    let by = |arguments: &[&str]| {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let shell = &shell;
        async move {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            names(&shell.once(&arguments).await)
        }
    };
    assert_eq!(by(&["--ou", &production]).await, set(&["prod-a", "prod-b"]));
    assert_eq!(by(&["--name", "*-a"]).await, set(&["prod-a", "staging-a"]));
    assert_eq!(
        by(&["--tag", "environment=production"]).await,
        set(&["prod-a", "prod-b"])
    );
    assert_eq!(
        by(&[
            "--tag",
            "environment=production",
            "--exclude",
            "tag:skip=yes"
        ])
        .await,
        set(&["prod-a"])
    );
    assert_eq!(by(&["--account", &staging_id]).await, set(&["staging-a"]));
    assert_eq!(
        by(&["--name", "prod-*", "--exclude", &production]).await,
        set(&[])
    );
    assert_eq!(
        by(&["--exclude", "filler-*", "--exclude", "management"]).await,
        set(&["prod-a", "prod-b", "staging-a"])
    );
}

#[tokio::test]
async fn tags_and_the_ou_tree_are_asked_for_only_on_demand() {
    let simulator = start(world("")).await;
    let shell = Shell::at(&simulator);
    shell.once(&[]).await;
    for operation in ["ListTagsForResource", "ListRoots", "ListAccountsForParent"] {
        assert_eq!(
            simulator.calls().of("organizations", operation),
            0,
            "{operation}"
        );
    }
    // 44 accounts in pages of 20.
    assert_eq!(simulator.calls().of("organizations", "ListAccounts"), 3);
    assert_eq!(simulator.calls().of("account", "ListRegions"), 0);
}

#[tokio::test]
async fn empty_pages_and_old_answers_are_understood() {
    let quirks = "[quirks]\nempty_pages = true\naccount_state = false\naccount_paths = false\naccount_status = true";
    let simulator = start(world(quirks)).await;
    let production = unit_of(&simulator.world(), "prod-a");
    let shell = Shell::at(&simulator);
    assert_eq!(shell.once(&[]).await.findings().len(), 44);
    // Without paths in the list, the OU tree is walked.
    assert_eq!(
        names(&shell.once(&["--ou", &production]).await),
        set(&["prod-a", "prod-b"])
    );
    assert!(
        simulator
            .calls()
            .of("organizations", "ListAccountsForParent")
            > 0
    );
}

#[tokio::test]
async fn without_an_organization_the_given_accounts_are_looked_at_and_it_is_said() {
    let simulator = scenario("organization_trail").await;
    let member = simulator.world().named("member-1").unwrap().id.clone();
    let shell = Shell::at(&simulator);
    let run = shell
        .once(&["--no-organization", "--account", &member])
        .await;
    assert_eq!(run.code, 0, "{run:#?}");
    let report = run.report();
    assert_eq!(report["organization"], serde_json::Value::Null);
    assert_eq!(report["sweep"]["discovery"]["state"], "not_asked");
    assert_eq!(run.findings()[0]["account_id"], member.as_str());
    assert_eq!(run.findings()[0]["verdict"], "PASS");
    assert!(
        report["sweep"]["notices"].to_string().contains("not known"),
        "{report:#}"
    );
    assert_eq!(simulator.calls().of("organizations", "ListAccounts"), 0);

    let own = Shell::at(&simulator).once(&["--no-organization"]).await;
    let management = simulator.world().named("management").unwrap().id.clone();
    assert_eq!(own.findings()[0]["account_id"], management.as_str());
}

#[tokio::test]
async fn an_account_that_is_in_no_organization_looks_at_itself() {
    let simulator = start(world("[organization]\nexists = false")).await;
    let run = Shell::at(&simulator).once(&[]).await;
    assert_eq!(run.code, 0, "{run:#?}");
    assert_eq!(run.findings().len(), 1);
    assert!(
        run.report()["sweep"]["notices"]
            .to_string()
            .contains("not part of an organization")
    );
}

#[tokio::test]
async fn a_caller_that_may_not_list_accounts_is_not_taken_for_a_whole_organization() {
    let simulator = start(world("[caller]\naccount = \"prod-a\"")).await;
    let run = Shell::at(&simulator).once(&[]).await;
    let report = run.report();
    assert_eq!(report["sweep"]["discovery"]["state"], "incomplete");
    assert_eq!(run.findings().len(), 1);
    assert_eq!(report["organization"]["verdict"], "UNKNOWN");
    // prod-a has no trail: that is known, and worse.
    assert_eq!(run.code, 3, "{run:#?}");
}

#[tokio::test]
async fn every_region_shows_single_region_trails_and_refusals() {
    let world = World::from_toml(
        r#"
        [[account]]
        name = "management"
        chain = "complete"
        [[account]]
        name = "member"
        chain = "complete"
        trails = [{ name = "local", region = "eu-west-1", multi_region = false }]
        region_deny = ["ap-*"]
        "#,
    );
    let simulator = start(world.expect("the world is valid")).await;
    let shell = Shell::at(&simulator);
    assert_eq!(
        shell.once(&[]).await.answers()["member"],
        "FAIL trail-absent"
    );
    let all = shell.once(&["--regions", "all"]).await;
    let member = all.finding("member");
    assert_eq!(member["reason"], "trail-single-region", "{member:#}");
    let refused: Vec<_> = member["gaps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|gap| gap["region"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        !refused.is_empty() && refused.iter().all(|region| region.starts_with("ap-")),
        "{refused:?}"
    );
    let report = all.report();
    let notices = report["sweep"]["notices"].as_array().unwrap().iter();
    let added: Vec<_> = notices
        .filter_map(|notice| notice.as_str())
        .filter(|notice| notice.contains("regions were asked"))
        .collect();
    assert_eq!(
        added,
        [format!(
            "17 regions were asked in 2 accounts, 34 calls more than one region takes: they showed 1 trail that \
             one region does not show, in 1 account; a trail of a single region is enough for no control; {} \
             regions in 1 account gave no answer",
            refused.len()
        )]
    );
}

#[tokio::test]
async fn every_partition_is_swept_with_its_own_arns_and_regions() {
    for partition in ["aws-us-gov", "aws-cn"] {
        let head = format!("partition = \"{partition}\"");
        let simulator = start(world(&head)).await;
        let run = Shell::at(&simulator).once(&["--exclude", "filler-*"]).await;
        assert_eq!(
            run.answers()["management"],
            "PASS covered-by-own-trail",
            "{run:#?}"
        );
        let trail = run.finding("management")["covered_by"]["trail_arn"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(
            trail.starts_with(&format!("arn:{partition}:cloudtrail:")),
            "{trail}"
        );
    }
}
