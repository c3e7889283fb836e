//! The main job against moto, an emulator of AWS that nobody here wrote, filled with boto3.
//!
//! `tests/moto/serve.py` runs it as a process of its own; `tests/moto/organization.py` makes the
//! organization. What the scanner asks and reads is thereby checked against a second reading of
//! AWS's API. moto 5.2 is not AWS, though; where it matters here, it differs in this:
//!
//! - It does not speak CBOR, in which the SDK asks CloudWatch: serve.py translates to JSON and back.
//! - GetTrailStatus knows no delivery to CloudWatch Logs: serve.py answers the time of the delivery
//!   to S3, which moto makes up. That delivery fails, or never happened, cannot be shown.
//! - A new trail has no event selectors, where AWS sets one for all management events:
//!   organization.py puts that one.
//! - A metric filter of a name that is taken becomes a second filter, where AWS replaces the first.
//!   Patterns are kept as they come, valid or not. A log group that does not exist has no filters,
//!   where AWS answers ResourceNotFoundException, so `log-group-missing` cannot be shown.
//! - Every subscription is confirmed at once, an e-mail too: none is pending.
//! - An organization trail does not show in member accounts, so every account has its own chain.
//! - Whoever asks may assume any role, existing or not, and then do anything: neither trust
//!   policies nor the session policy hold anybody back, so there is no account that is not entered.
//! - There are no mute rules: serve.py answers that there are none. A log group has no class.
//! - There is no PutCompositeAlarm, DescribeAlarms has one page and all types, and an alarm is
//!   born OK instead of INSUFFICIENT_DATA.
//! - Accounts are made and closed at once, without the states in between, and ListAccounts shows no
//!   `Paths`. The management account is called `master`. account:ListRegions is missing.

use std::{collections::BTreeMap, env, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::scanner::{Run, Shell, assert_answers, root};

/// Importing moto takes seconds on a cold disk, and building an organization a few more.
const PATIENCE: Duration = Duration::from_mins(2);

/// moto's own account, which asks and which makes the organization.
const MANAGEMENT: &str = "123456789012";

pub(crate) const ENVIRONMENT: [(&str, &str); 4] = [
    ("AWS_ACCESS_KEY_ID", "management"),
    ("AWS_SECRET_ACCESS_KEY", "not-checked"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_DEFAULT_REGION", "us-east-1"),
];

/// A running moto server. It ends with this value, by the id of its own process; it also ends by
/// itself when its standard input, which this value holds, is closed.
pub(crate) struct Moto {
    endpoint: String,
    _process: Child,
}

impl Moto {
    pub(crate) async fn start() -> Self {
        let mut process = python("moto/serve.py")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("python3 is installed");
        let stdout = process.stdout.take().expect("it is a pipe");
        let mut port = String::new();
        let mut first_line = BufReader::new(stdout);
        let read = tokio::time::timeout(PATIENCE, first_line.read_line(&mut port)).await;
        read.expect("moto starts in time").expect("a line of text");
        let port: u16 = port.trim().parse().unwrap_or_else(|_| {
            panic!(
                "moto does not start, for the reason above on stderr; `cargo xtask test` installs \
                 it and runs this test with it"
            )
        });
        Self {
            endpoint: format!("http://127.0.0.1:{port}"),
            _process: process,
        }
    }

    /// Runs organization.py, which talks to the server as any client of AWS would.
    async fn organization(&self, step: &str) {
        let mut command = python("moto/organization.py");
        command
            .arg(step)
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .envs(ENVIRONMENT)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = tokio::time::timeout(PATIENCE, command.output()).await;
        let output = output.expect("it ends in time").expect("it starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "organization.py {step}: {stderr}");
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(crate) fn shell(&self) -> Shell {
        let shell = Shell::new().with("AWS_ENDPOINT_URL", &self.endpoint);
        (ENVIRONMENT.iter()).fold(shell, |shell, (name, value)| shell.with(name, value))
    }
}

/// A script below `tests`, run with nothing of the user's AWS settings or proxies.
pub(crate) fn python(script: &str) -> Command {
    let mut command = Command::new("python3");
    command.arg(root().join("tests").join(script));
    command.env_clear();
    // moto takes UTC for local time when it tells when a trail delivered.
    command.env("TZ", "UTC");
    let installed = env::var_os("MOTO_PYTHONPATH").or_else(|| env::var_os("PYTHONPATH"));
    let kept = [
        ("PATH", env::var_os("PATH")),
        ("HOME", env::var_os("HOME")),
        ("PYTHONPATH", installed),
    ];
    for (name, value) in kept {
        command.envs(value.map(|value| (name, value)));
    }
    for name in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
        command.env(name, "/dev/null");
    }
    command
}

/// Compares the answers that are not what they were with a table of `name: VERDICT reason`.
fn assert_changes(before: &Run, after: &Run, expected: &[(&str, &str)]) {
    let before = before.answers();
    let mut changed = after.answers();
    assert!(before.keys().eq(changed.keys()), "other accounts");
    changed.retain(|name, answer| before[name] != *answer);
    let owned = |(name, answer): &(&str, &str)| ((*name).to_owned(), (*answer).to_owned());
    let expected: BTreeMap<String, String> = expected.iter().map(owned).collect();
    assert_eq!(changed, expected);
}

/// The accounts that got a new row in the history with the newest sweep.
async fn new_rows(shell: &Shell, sweep: u64) -> Vec<String> {
    let history = ["history", "findings", "--format=json", "--store=scanner.db"];
    let rows = shell.run(&history).await.findings();
    assert_eq!(rows.len(), 21, "one open row for each account");
    rows.iter()
        .filter(|row| row["since_sweep"] == sweep)
        .map(|row| row["account_name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn moto_gets_a_verdict_and_a_reason_for_each_account_and_a_change_shows_where_it_is() {
    let moto = Moto::start().await;
    moto.organization("build").await;
    let shell = moto.shell();
    let sweep = || shell.once(&["--store", "scanner.db"]);

    let first = sweep().await;
    assert_eq!(first.code, 3, "{first:#?}");
    assert_answers(
        &first,
        &[
            ("master", "PASS covered-by-own-trail"),
            ("complete-in-another-region", "PASS covered-by-own-trail"),
            ("complete-unquoted", "PASS covered-by-own-trail"),
            ("complete-by-metric-math", "PASS covered-by-own-trail"),
            ("complete-topic-in-management", "PASS covered-by-own-trail"),
            ("trail-absent", "FAIL trail-absent"),
            ("trail-stopped", "FAIL trail-not-logging"),
            ("trail-single-region", "FAIL trail-single-region"),
            ("trail-read-only", "FAIL trail-read-only"),
            ("trail-without-log-group", "FAIL log-group-not-configured"),
            ("filter-absent", "FAIL filter-absent"),
            ("filter-incomplete", "FAIL filter-incomplete"),
            ("alarm-absent", "FAIL alarm-absent"),
            ("alarm-in-another-namespace", "FAIL alarm-other-metric"),
            ("alarm-threshold-five", "FAIL alarm-never-fires"),
            ("alarm-without-action", "FAIL alarm-no-action"),
            ("alarm-actions-disabled", "FAIL alarm-actions-disabled"),
            ("alarm-action-is-no-topic", "FAIL action-not-sns"),
            ("topic-deleted", "FAIL topic-missing"),
            ("topic-without-subscription", "FAIL subscription-absent"),
            ("closed", "NOT_APPLICABLE account-suspended"),
        ],
    );
    let report = first.report();
    assert_eq!(report["organization"]["verdict"], "PASS");
    assert_eq!(report["organization"]["management_account_id"], MANAGEMENT);
    assert_eq!(report["sweep"]["discovery"]["state"], "complete");
    for finding in first.findings() {
        assert_eq!(finding["gaps"], serde_json::json!([]), "{finding:#}");
    }

    // The chain is walked in the region of the trail, and to the account of the topic.
    let place = |account_name: &str, link: &str, of: &str| {
        let finding = first.finding(account_name);
        let chain = finding["chain"].as_array().unwrap();
        let node = chain.iter().find(|node| node["link"] == link).unwrap();
        assert_eq!(node["state"], "holds", "{node:#}");
        node[of].clone()
    };
    let elsewhere = "complete-in-another-region";
    for link in ["trail", "metric_filter", "alarm", "subscription"] {
        assert_eq!(place(elsewhere, link, "region"), "eu-west-1", "{link}");
    }
    let at_management = "complete-topic-in-management";
    assert_eq!(place(at_management, "topic", "account"), MANAGEMENT);
    assert_ne!(place(at_management, "alarm", "account"), MANAGEMENT);

    moto.organization("mend").await;
    let second = sweep().await;
    assert_eq!(second.code, 3, "{second:#?}");
    let mended = ("filter-incomplete", "PASS covered-by-own-trail");
    assert_changes(&first, &second, &[mended]);
    assert_eq!(new_rows(&shell, 2).await, ["filter-incomplete"]);

    moto.organization("break").await;
    let third = sweep().await;
    assert_eq!(third.code, 3, "{third:#?}");
    let broken = ("master", "FAIL trail-not-logging");
    assert_changes(&second, &third, &[broken]);
    assert_eq!(third.report()["organization"]["verdict"], "FAIL");
    assert_eq!(new_rows(&shell, 3).await, ["master"]);
}
