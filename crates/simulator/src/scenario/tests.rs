//! Scenario files: what they mean, and what is said of mistakes.

use super::*;
use crate::world::{BenchmarkControl, TopicPolicy};

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
        "[[account]]\nname = \"a\"\ntopics = [{ policy_accounts = [\"b\"] }]",
        "[[account]]\nname = \"a\"\nalarms = [{ queries = [{ account = \"b\" }] }]",
        "[[account]]\nname = \"a\"\nevent_rules = [{ targets = [\"topic@b/eu-west-1\"] }]",
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
    let listless = "filters = [{ control = \"root-usage\", events = [\"X\"] }]";
    assert!(one(listless).contains("`root-usage` has no list of events"));
    assert!(one("filters = [{ control = \"4.15\" }]").contains("organizations-changes"));
    assert!(one("topics = [{ policy = \"closed\" }]").contains("deny-publish"));
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

#[test]
fn a_benchmark_chain_has_every_control_and_what_is_written_stands_in_for_its_own() {
    let chain = |rest: &str| {
        let text = format!("[[account]]\nname = \"a\"\nchain = \"benchmark\"\n{rest}");
        let world = World::from_toml(&text).unwrap();
        world.named("a").unwrap().clone()
    };
    let whole = chain("");
    let filters = &whole.log_groups[0].metric_filters;
    assert_eq!((filters.len(), whole.alarms.len()), (15, 15));
    for (filter, alarm) in filters.iter().zip(&whole.alarms) {
        assert_eq!(
            (&filter.metric, &filter.namespace),
            (&alarm.metric, &alarm.namespace)
        );
        assert_eq!(alarm.alarm_actions, whole.alarms[0].alarm_actions);
    }
    let changed = chain(
        "filters = [{ control = \"kms-key-deletion\", except = [\"DisableKey\"] }]\n\
         alarms = [{ control = \"root-usage\", absent = true }, { threshold = 5.0 }]",
    );
    let filters = &changed.log_groups[0].metric_filters;
    assert_eq!((filters.len(), changed.alarms.len()), (15, 14));
    let kms = filters
        .iter()
        .find(|it| it.name == "kms-key-deletion")
        .unwrap();
    assert_eq!(
        kms.pattern,
        "{ ($.eventSource = kms.amazonaws.com) && (($.eventName=ScheduleKeyDeletion)) }"
    );
    let high = changed.alarms.iter().filter(|it| it.threshold == Some(5.0));
    let high: Vec<&str> = high.map(|it| it.name.as_str()).collect();
    assert_eq!(high, [BenchmarkControl::OrganizationsChanges.slug()]);
    assert!(
        chain("filters = []").log_groups[0]
            .metric_filters
            .is_empty()
    );
}

#[test]
fn an_action_names_a_topic_of_any_account_and_region() {
    let world = World::from_toml(
        "[[account]]\nname = \"a\"\n[[account]]\nname = \"b\"\n\
         alarms = [{ actions = [\"t\", \"t@a\", \"t/eu-west-1\", \"t@a/eu-west-1\"] }]",
    )
    .unwrap();
    let (a, b) = ("111100000001", "111100000002");
    assert_eq!(
        world.named("b").unwrap().alarms[0].alarm_actions,
        [
            format!("arn:aws:sns:us-east-1:{b}:t"),
            format!("arn:aws:sns:us-east-1:{a}:t"),
            format!("arn:aws:sns:eu-west-1:{b}:t"),
            format!("arn:aws:sns:eu-west-1:{a}:t"),
        ]
    );
}

#[test]
fn a_policy_is_named_or_written_out() {
    let policy = |text: &str| {
        let text = format!("[[account]]\nname = \"a\"\ntopics = [{{ policy = {text} }}]");
        let world = World::from_toml(&text).unwrap();
        world.named("a").unwrap().topics[0].policy.clone()
    };
    assert_eq!(policy("\"default\""), TopicPolicy::Default);
    assert_eq!(policy("\"none\""), TopicPolicy::Absent);
    let written = policy("'{\"Statement\": []}'");
    assert_eq!(
        written,
        TopicPolicy::Document("{\"Statement\": []}".to_owned())
    );
    for kind in crate::world::PolicyKind::names().filter(|name| !["default", "none"].contains(name))
    {
        let TopicPolicy::Document(text) = policy(&format!("\"{kind}\"")) else {
            panic!("{kind} has no text");
        };
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(document["Statement"][0]["Resource"].is_string(), "{text}");
    }
}

#[test]
fn what_is_wrong_with_a_timeline_is_named_with_its_entry() {
    let base = "[[account]]\nname = \"a\"\nchain = \"complete\"\n[[account]]\nname = \"b\"\n";
    let cases = [
        ("account = \"a\"", "missing field `change`"),
        (
            "account = \"a\"\nchange = \"explode\"",
            "unknown variant `explode`",
        ),
        ("change = \"stop-logging\"", "`account` is missing"),
        (
            "account = \"c\"\nchange = \"stop-logging\"",
            "there is no account `c`",
        ),
        (
            "account = \"a\"\nchange = \"stop-logging\"\ntrial = 1",
            "`trial`",
        ),
        (
            "account = \"a\"\nchange = \"suspend-account\"\nname = 1",
            "`name`",
        ),
        (
            "account = \"a\"\nafter = \"soon\"\nchange = \"stop-logging\"",
            "`after`",
        ),
        (
            "account = \"a\"\nby = { ip = \"\" }\nchange = \"stop-logging\"",
            "`by`: unknown field `ip`",
        ),
        // Tried before anybody asks for it.
        (
            "account = \"b\"\nchange = \"stop-logging\"",
            "no trail `management-events` in us-east-1",
        ),
        (
            "account = \"a\"\nchange = \"put-metric-filter\"\nexcept = [\"x\"]",
            "`x` is none of",
        ),
        (
            "account = \"a\"\nchange = \"create-account\"\nname = \"d\"",
            "no `account`",
        ),
        (
            "account = \"a\"\nchange = \"attach-policy\"\ndeny = [\"*\"]",
            "do not bind the management account",
        ),
    ];
    for (entry, expected) in cases {
        let message = error(&format!("{base}[[timeline]]\n{entry}"));
        assert!(message.contains(expected), "{entry}: {message}");
    }
    let second = format!(
        "{base}{0}{0}",
        "[[timeline]]\naccount = \"a\"\nchange = \"delete-topic\"\n"
    );
    assert!(
        error(&second).starts_with("timeline entry 2: "),
        "{}",
        error(&second)
    );
}

#[test]
fn an_account_that_will_be_created_has_an_id_from_the_start_and_is_not_there_yet() {
    let world = World::from_toml(
        "[[account]]\nname = \"a\"\n[[account]]\nname = \"b\"\n\
         roles = [{ trusted = [\"later\"] }]\n[[timeline]]\nafter = \"1h 30m\"\n\
         change = \"create-account\"\nname = \"later\"\nunit = \"New\"\n\
         [[timeline]]\naccount = \"later\"\nchange = \"move-account\"\nunit = \"\"",
    )
    .unwrap();
    assert_eq!(
        world.named("b").unwrap().roles[0].trusted_accounts,
        ["111100000003"]
    );
    assert!(world.named("later").is_none());
    assert_eq!(world.timeline.entries.len(), 2);
    let after = world.timeline.entries[0].after.unwrap();
    assert_eq!(after, jiff::SignedDuration::from_mins(90));
}
