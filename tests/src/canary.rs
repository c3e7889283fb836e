//! Secrets in free text fields of the world appear in no log, store, report or error.

use std::io::Read as _;

use crate::scanner::{Shell, scenario, start};
use simulator::{GenerateOptions, World};

const CANARY: &str = "canary0sentinel7secret";

/// Everything that a folder holds, with what zstd hides.
fn contents(folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.is_file());
    files
        .map(|path| {
            let mut bytes = Vec::new();
            std::fs::File::open(&path)
                .unwrap()
                .read_to_end(&mut bytes)
                .unwrap();
            (path.display().to_string(), bytes)
        })
        .collect()
}

fn holds_canary(bytes: &[u8]) -> bool {
    bytes
        .windows(CANARY.len())
        .any(|window| window.eq_ignore_ascii_case(CANARY.as_bytes()))
}

async fn assert_silent(world: World) {
    let simulator = start(world).await;
    let secret = simulator.caller_credentials().secret_access_key;
    let shell = Shell::at(&simulator)
        .with("RUST_LOG", "trace")
        .with("RUST_BACKTRACE", "1");
    let mut said = Vec::new();
    for arguments in [
        &["once", "--quota-share", "1", "--log", "trace", "--all"][..],
        &[
            "once",
            "--quota-share",
            "1",
            "--format",
            "json",
            "--regions",
            "all",
            "--output",
            "report.json",
        ],
        &["history", "findings", "--format", "json"],
        &["history", "sweeps"],
    ] {
        let run = shell.run(arguments).await;
        assert!(run.code == 0 || run.code == 3 || run.code == 4, "{run:#?}");
        said.push(run.stdout);
        said.push(run.stderr);
    }
    let accounts: Vec<String> = simulator
        .world()
        .accounts()
        .iter()
        .map(|account| account.id.clone())
        .collect();
    for account in accounts {
        said.push(shell.run(&["explain", "--account", &account]).await.stdout);
    }
    let said = said.concat();
    assert!(said.len() > 1000);
    assert!(!holds_canary(said.as_bytes()), "{}", around(&said));
    assert!(
        !said.contains(&secret),
        "the caller's secret key is printed"
    );
    assert!(
        !said.contains("x-amz-security-token") && !said.contains("SessionToken"),
        "a security token is printed"
    );

    for (file, bytes) in contents(shell.folder.path()) {
        assert!(!holds_canary(&bytes), "{file}");
    }
    // The store compresses what it holds: look inside as well.
    let store = store::Store::open_reader(shell.path("scanner.db"))
        .await
        .unwrap();
    for row in store
        .findings(&store::FindingQuery::default())
        .await
        .unwrap()
    {
        assert!(!holds_canary(format!("{row:?}").as_bytes()), "{row:?}");
        if let Some(root) = row.evidence_root {
            let root = store.evidence(root).await.unwrap().unwrap();
            assert!(!holds_canary(root.as_bytes()), "{root}");
            let document: serde_json::Value = serde_json::from_str(&root).unwrap();
            for kind in [
                "trail_details",
                "log_groups",
                "alarms",
                "mute_rules",
                "topics",
                "event_rules",
            ] {
                for hash in document[kind].as_object().unwrap().values() {
                    let hash = hash.as_str().unwrap().parse().unwrap();
                    let part = store.evidence(hash).await.unwrap().unwrap();
                    assert!(!holds_canary(part.as_bytes()), "{part}");
                }
            }
        }
    }
}

fn around(text: &str) -> String {
    let at = text.to_ascii_lowercase().find(CANARY).unwrap_or_default();
    text.chars()
        .skip(at.saturating_sub(300))
        .take(400)
        .collect()
}

#[tokio::test]
async fn canaries_in_free_text_appear_nowhere() {
    for name in ["chain_breaks", "organization_trail"] {
        let simulator = scenario(name).await;
        let mut world = simulator.world().clone();
        world.plant_canary(CANARY);
        assert_silent(world).await;
    }
}

#[tokio::test]
async fn hostile_names_reach_no_terminal() {
    let options = GenerateOptions {
        accounts: 40,
        seed: 5,
        hostile_names: true,
        ..GenerateOptions::default()
    };
    let simulator = start(World::generate(&options)).await;
    let shell = Shell::at(&simulator);
    let run = shell.run(&["once", "--quota-share", "1", "--all"]).await;
    let hostile = |c: char| {
        (c.is_control() && c != '\n')
            || ('\u{202a}'..='\u{202e}').contains(&c)
            || ('\u{2066}'..='\u{2069}').contains(&c)
    };
    assert!(!run.stdout.contains(hostile), "{:?}", run.stdout);
    assert!(!run.stderr.contains(hostile), "{:?}", run.stderr);
    let json = shell.once(&[]).await;
    assert_eq!(json.findings().len(), 40);
    assert!(!json.stdout.contains(hostile));
}
