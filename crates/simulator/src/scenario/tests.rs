//! Scenario files: what they mean, and what is said of mistakes.

use super::*;

fn error(text: &str) -> String {
    World::from_toml(text)
        .expect_err("the scenario is wrong")
        .to_string()
}

#[test]
fn the_repositorys_scenarios_are_worlds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios");
    let mut read = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let world = World::from_file(&path).unwrap_or_else(|error| panic!("{path:?}: {error:?}"));
        assert!(world.accounts().len() > 1);
        read += 1;
    }
    assert!(read >= 2);
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let message = error("[[account]]\nname = \"a\"\ntrial = []");
    assert!(
        message.contains("line 3") && message.contains("trial"),
        "{message}"
    );
    let message = error("[[account]]\nname = \"a\"\n[[account.trails]]\nlog_gruop = \"x\"");
    assert!(
        message.contains("line 4") && message.contains("log_gruop"),
        "{message}"
    );
    let message = error("[quirks]\npages = true\n[[account]]\nname = \"a\"");
    assert!(message.contains("line 2"), "{message}");
    assert_eq!(error(""), "the scenario has no account");
}

#[test]
fn accounts_that_are_not_there_are_refused() {
    let cases = [
        "organization = { management = \"b\" }\n[[account]]\nname = \"a\"",
        "caller = { account = \"b\" }\n[[account]]\nname = \"a\"",
        "[[account]]\nname = \"a\"\ntrails = [{ log_group_account = \"b\" }]",
        "[[account]]\nname = \"a\"\nalarms = [{ actions = [\"topic@b\"] }]",
        "[[account]]\nname = \"a\"\ntopics = [{ readable_by = [\"b\"] }]",
        "[[account]]\nname = \"a\"\n[[fault]]\nkind = \"throttled\"\naccount = \"b\"",
    ];
    for case in cases {
        let message = error(case);
        assert!(
            message.contains("there is no account `b`"),
            "{case}: {message}"
        );
    }
}

#[test]
fn contradictions_are_refused() {
    let one = |rest: &str| error(&format!("[[account]]\nname = \"a\"\n{rest}"));
    assert!(one("id = \"12\"").contains("twelve digits"));
    assert!(one("[[account]]\nname = \"a\"").contains("the name `a` is taken"));
    assert!(one("scp_deny = [\"x:y\"]").contains("do not bind the management account"));
    assert!(one("filters = [{ pattern = \"x\", except = [\"MoveAccount\"] }]").contains("pattern"));
    assert!(one("filters = [{ except = [\"Misspelt\"] }]").contains("none of the 18 events"));
    let both = "trails = [{ selectors = \"all\", event_selectors = [] }]";
    assert!(one(both).contains("more than one of selectors"));
}

#[test]
fn a_complete_chain_fits_together_and_a_list_replaces_its_part() {
    let world =
        World::from_toml("[[account]]\nname = \"a\"\nchain = \"complete\"\nalarms = []").unwrap();
    let account = world.named("a").unwrap();
    let group = &account.log_groups[0];
    let arn = account.trails[0].log_group_arn.as_deref().unwrap();
    assert_eq!(
        arn,
        format!(
            "arn:aws:logs:us-east-1:{}:log-group:{}:*",
            account.id, group.name
        )
    );
    assert_eq!(group.metric_filters.len(), 1);
    assert!(account.alarms.is_empty());
    assert_eq!(account.topics[0].subscriptions.len(), 1);
}
