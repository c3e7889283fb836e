//! What a file may say, and what is said of one that cannot be used.

use super::*;

fn mistake(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scanner.toml");
    std::fs::write(&path, text).unwrap();
    ConfigFile::read(&path).unwrap_err().to_string()
}

#[test]
fn a_mistake_names_file_line_and_key() {
    let rows = [
        ("[store]\npaht = \"x\"\n", "line 2", "paht"),
        ("\n[scope]\naccounts = [\"12\"]\n", "line 3", "accounts"),
        ("[scope]\nous = [\"x\"]\n", "line 2", "ous"),
        (
            "[scope]\nmonitoring_accounts = [\"audit\"]\n",
            "line 2",
            "monitoring_accounts",
        ),
        ("[scope]\nregions = \"everywhere\"\n", "line 2", "regions"),
        ("[aws]\nquota_share = 2.0\n", "line 2", "quota_share"),
        ("[aws]\nconcurrency = \"many\"\n", "line 2", "concurrency"),
        (
            "[aws]\naccount_deadline = 0\n",
            "line 2",
            "account_deadline",
        ),
        ("[report]\nfail_on = \"always\"\n", "line 2", "fail_on"),
        ("[role]\nname = \"a role\"\n", "line 2", "name"),
        (
            "[role]\nsession_duration = \"13h\"\n",
            "line 2",
            "session_duration",
        ),
        ("[role.overrides]\n12 = \"x\"\n", "line 2", "12"),
        ("[rolle]\n", "line 1", "rolle"),
        ("store", "line 1", "store"),
    ];
    for (text, line, key) in rows {
        let mistake = mistake(text);
        assert!(
            mistake.contains("scanner.toml") && mistake.contains(line) && mistake.contains(key),
            "{mistake}"
        );
    }
}

#[test]
fn authors_are_waited_for_at_most_twenty_minutes() {
    let rows = [
        ("0", Some(0)),
        ("0s", Some(0)),
        ("30s", Some(30)),
        ("20m", Some(1200)),
        ("21m", None),
        ("-1s", None),
        ("30", None),
    ];
    for (text, seconds) in rows {
        let wait = text.parse::<AuthorWait>().ok();
        assert_eq!(wait.map(|wait| wait.0.as_secs()), seconds, "{text}");
    }
}

#[test]
fn a_session_lasts_a_quarter_of_an_hour_to_half_a_day() {
    let rows = [
        ("15m", Some(900)),
        ("1h", Some(3600)),
        ("1h 30m", Some(5400)),
        ("12h", Some(43_200)),
        ("7200s", Some(7200)),
        ("14m", None),
        ("12h 1s", None),
        ("-1h", None),
        ("3600", None),
        ("", None),
    ];
    for (text, seconds) in rows {
        let read = text.parse().ok().map(|SessionDuration(seconds)| seconds);
        assert_eq!(read, seconds, "{text}");
    }
}

#[test]
fn the_example_file_is_valid() {
    let example = include_str!("../../../../config/scanner.example.toml");
    assert_eq!(toml::from_str::<ConfigFile>(example).err(), None);
    // With every key in force as well.
    let enabled: String = example
        .lines()
        .map(|line| line.strip_prefix("#: ").unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n");
    assert_eq!(toml::from_str::<ConfigFile>(&enabled).err(), None);
}
