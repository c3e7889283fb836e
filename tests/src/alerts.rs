//! What changed reaches people: through each kind of channel, once, with who did it, and that it is over.
//!
//! The scanner is run as a timer would: a sweep, then `scanner alerts send`. The receivers are somebody
//! else's code (`receivers.rs`), and so is the queue behind SNS (`moto.rs`).

use std::time::Duration;

use serde_json::Value;

use crate::{
    moto::{ENVIRONMENT, Moto, python},
    receivers::{Receivers, SECRET},
    scanner::{Run, Shell, scenario},
};

pub(crate) const SLACK_PATH: &str = "/slack";

/// A configuration with a channel of each kind that needs no AWS.
pub(crate) fn configuration(receivers: &Receivers, author_wait: &str) -> String {
    format!(
        "[alerts]\n\
         public_url = \"https://scanner.example.com\"\n\
         author_wait = \"{author_wait}\"\n\
         [[channel]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"{hook}\"\nsecret_env = \"HOOK_SECRET\"\n\
         [[channel]]\nname = \"chat\"\ntype = \"slack\"\nurl_file = \"slack-url\"\n\
         [[channel]]\nname = \"pager\"\ntype = \"pagerduty\"\nurl = \"{pager}\"\nrouting_key_env = \"PAGER_KEY\"\n\
         [[channel]]\nname = \"mail\"\ntype = \"email\"\nhost = \"127.0.0.1\"\nport = {mail}\ntls = \"none\"\n\
         from = \"Scanner <scanner@example.com>\"\nto = [\"oncall@example.com\"]\n\
         [[route]]\nchannels = [\"hook\", \"chat\", \"pager\", \"mail\"]\nmin_severity = \"medium\"\n",
        hook = receivers.url("/hook"),
        pager = receivers.url("/pagerduty"),
        mail = receivers.mail_port,
    )
}

pub(crate) fn configured(shell: Shell, configuration: &str, receivers: &Receivers) -> Shell {
    std::fs::write(shell.path("scanner.toml"), configuration).unwrap();
    // As a mounted secret has it: with a line end.
    let url = format!("{}\n", receivers.url(SLACK_PATH));
    std::fs::write(shell.path("slack-url"), url).unwrap();
    shell
        .with("HOOK_SECRET", SECRET)
        .with("PAGER_KEY", "an-integration-key")
}

async fn sweep(shell: &Shell) -> Run {
    shell.once(&["--store", "scanner.db"]).await
}

async fn send(shell: &Shell) -> Run {
    let arguments = [
        "--log=debug",
        "alerts",
        "send",
        "--config=scanner.toml",
        "--store=scanner.db",
    ];
    let run = shell.run(&arguments).await;
    for secret in [SECRET, "an-integration-key", SLACK_PATH] {
        assert!(!run.stderr.contains(secret), "{}", run.stderr);
    }
    run
}

#[tokio::test]
async fn each_channel_is_told_once_who_broke_it_and_once_that_it_is_mended() {
    let receivers = Receivers::start().await;
    let simulator = scenario("timeline").await;
    let shell = Shell::at(&simulator).with("SCANNER_AUTHOR_WAIT", "10s");
    let shell = configured(shell, &configuration(&receivers, "0"), &receivers);
    sweep(&shell).await;
    let first = send(&shell).await;
    assert_eq!(first.code, 0, "{first:#?}");
    assert!(first.stderr.contains("0 new"), "{first:#?}");

    simulator.advance().unwrap();
    sweep(&shell).await;
    let sent = send(&shell).await;
    assert_eq!(sent.code, 0, "{sent:#?}");
    assert!(sent.stderr.contains("4 arrived"), "{sent:#?}");
    // Whoever sends again has nothing to send.
    assert!(send(&shell).await.stderr.contains("0 arrived"));

    let hook = &receivers.at("/hook", 1).await[0]["body"];
    assert_eq!(hook["form"], "opened");
    assert_eq!(hook["accounts"][0]["name"], "workload");
    assert_eq!(hook["reason"], "filter-incomplete");
    assert_eq!(hook["who"]["author"]["event_name"], "PutMetricFilter");
    let carol = "arn:aws:sts::111100000002:assumed-role/Developer/carol";
    assert_eq!(hook["who"]["author"]["actor"], carol);
    assert_eq!(hook["seal"]["sweep"], 2);
    let link = hook["links"]["dashboard"].as_str().unwrap();
    assert_eq!(
        link,
        format!(
            "https://scanner.example.com/drifts/{}",
            hook["drift_id"].as_str().unwrap()
        )
    );
    let chat = receivers.at(SLACK_PATH, 1).await[0]["body"].to_string();
    assert!(
        chat.contains("carol") && chat.contains("LeaveOrganization"),
        "{chat}"
    );
    let pager = &receivers.at("/pagerduty", 1).await[0]["body"];
    assert_eq!(
        (&pager["event_action"], &pager["payload"]["severity"]),
        (&"trigger".into(), &"error".into())
    );
    assert_eq!(pager["routing_key"], "an-integration-key");
    let mail = &receivers.at("mail", 1).await[0];
    assert_eq!(mail["to"], serde_json::json!(["oncall@example.com"]));
    assert!(
        mail["text"]
            .as_str()
            .unwrap()
            .contains("carol by PutMetricFilter"),
        "{mail:#}"
    );
    assert!(
        mail["html"].as_str().unwrap().contains("workload"),
        "{mail:#}"
    );

    simulator.advance().unwrap();
    sweep(&shell).await;
    assert!(send(&shell).await.stderr.contains("4 arrived"));
    let hooks = receivers.at("/hook", 2).await;
    assert_eq!(hooks[1]["body"]["form"], "recovered");
    assert_eq!(hooks[1]["body"]["id"], hooks[0]["body"]["id"]);
    assert_ne!(hooks[1]["key"], hooks[0]["key"]);
    let pager = receivers.at("/pagerduty", 2).await;
    assert_eq!(pager[1]["body"]["event_action"], "resolve");
    assert_eq!(pager[1]["body"]["dedup_key"], pager[0]["body"]["dedup_key"]);
    let mails = receivers.at("mail", 2).await;
    assert_eq!(mails[1]["headers"]["In-Reply-To"], mails[0]["key"]);
    receivers.at(SLACK_PATH, 2).await;

    let listed = shell
        .run(&["alerts", "list", "--all", "--format=json"])
        .await;
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(listed["alerts"].as_array().unwrap().len(), 1);
    assert_eq!(listed["alerts"][0]["lasts"], false);
    let states: Vec<&Value> = (listed["deliveries"].as_array().unwrap().iter())
        .map(|delivery| &delivery["state"])
        .collect();
    assert_eq!(states, ["delivered"; 8]);
    // Nothing of this is history.
    let exported = shell.run(&["store", "check", "--store=scanner.db"]).await;
    assert_eq!(exported.code, 0, "{exported:#?}");
}

#[tokio::test]
async fn who_is_killed_before_the_answer_sends_the_same_once_more() {
    let simulator = scenario("timeline").await;
    let shell = Shell::at(&simulator);
    sweep(&shell).await;
    simulator.advance().unwrap();
    sweep(&shell).await;

    // Every key begins with the name of its alert; the first of any is held back.
    let receivers = Receivers::holding_back("").await;
    let hook_only = format!(
        "[alerts]\nauthor_wait = \"0\"\n\
         [[channel]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"{}\"\nsecret_env = \"HOOK_SECRET\"\n",
        receivers.url("/hook")
    );
    let shell = configured(shell, &hook_only, &receivers);
    let arguments = [
        "alerts",
        "send",
        "--config=scanner.toml",
        "--store=scanner.db",
    ];
    let mut killed = shell.command(&arguments).spawn().unwrap();
    let held = receivers.at("/hook", 1).await;
    assert_eq!(held[0]["is_held"], true);
    killed.kill().await.unwrap();

    let sent = send(&shell).await;
    assert_eq!(sent.code, 0, "{sent:#?}");
    assert!(
        sent.stderr.contains("0 new") && sent.stderr.contains("1 arrived"),
        "{sent:#?}"
    );
    let arrived = receivers.at("/hook", 2).await;
    assert_eq!(arrived[1]["is_held"], false);
    assert_eq!(arrived[0]["key"], arrived[1]["key"]);
    assert_eq!(arrived[0]["body"], arrived[1]["body"]);
}

#[tokio::test]
async fn what_does_not_arrive_is_listed_and_sent_again() {
    let receivers = Receivers::start().await;
    let simulator = scenario("timeline").await;
    let shell = Shell::at(&simulator);
    sweep(&shell).await;
    simulator.advance().unwrap();
    sweep(&shell).await;
    let at = |path: &str| {
        format!(
            "[alerts]\nauthor_wait = \"0\"\n\
             [[channel]]\nname = \"hook\"\ntype = \"webhook\"\nurl_env = \"HOOK\"\nsecret_env = \"HOOK_SECRET\"\n\
             # {path}\n"
        )
    };
    let wrong =
        configured(shell, &at("wrong"), &receivers).with("HOOK", &receivers.url("/s3cret-path"));
    let sent = send(&wrong).await;
    assert_eq!(sent.code, 1, "{sent:#?}");
    assert!(sent.stderr.contains("1 were given up"), "{sent:#?}");
    assert!(!sent.stderr.contains("s3cret-path"), "{sent:#?}");
    let listed = wrong.run(&["alerts", "list"]).await.stdout;
    assert!(
        listed.contains("given up") && listed.contains("404"),
        "{listed}"
    );
    assert!(!listed.contains("s3cret-path"), "{listed}");

    let right = wrong.with("HOOK", &receivers.url("/hook"));
    assert!(send(&right).await.stderr.contains("0 arrived"));
    let retried = right.run(&["alerts", "retry", "--channel=hook"]).await;
    assert!(
        retried.stderr.contains("1 delivery is tried again"),
        "{retried:#?}"
    );
    assert!(send(&right).await.stderr.contains("1 arrived"));
    receivers.at("/hook", 1).await;
    let listed = right.run(&["alerts", "list"]).await.stdout;
    assert!(
        listed.contains("Everything that was told has arrived."),
        "{listed}"
    );
}

#[tokio::test]
async fn a_channel_is_tried_without_a_store() {
    let receivers = Receivers::start().await;
    let shell = configured(Shell::new(), &configuration(&receivers, "0"), &receivers);
    for (channel, place, messages) in [
        ("hook", "/hook", 1),
        ("chat", SLACK_PATH, 1),
        ("pager", "/pagerduty", 2),
        ("mail", "mail", 1),
    ] {
        let run = shell
            .run(&["alerts", "test", channel, "--config=scanner.toml"])
            .await;
        assert_eq!(run.code, 0, "{run:#?}");
        assert!(run.stderr.contains("was delivered"), "{run:#?}");
        let arrived = receivers.at(place, messages).await;
        assert!(arrived[0].to_string().contains("test"), "{arrived:#?}");
    }
    let run = shell
        .run(&["alerts", "test", "nobody", "--config=scanner.toml"])
        .await;
    assert_eq!(run.code, 2, "{run:#?}");
    assert!(
        run.stderr.contains("chat, hook, mail, pager")
            || run.stderr.contains("hook, chat, pager, mail"),
        "{run:#?}"
    );
}

#[tokio::test]
async fn a_topic_passes_it_on_to_its_queue() {
    let moto = Moto::start().await;
    let receivers = Receivers::start().await;
    let simulator = scenario("timeline").await;
    for topic in ["scanner-alerts", "scanner-alerts.fifo"] {
        let made = queue(&moto, &["make", topic]).await;
        let (arn, url) = made.trim().split_once(' ').unwrap();
        let configuration = format!(
            "[alerts]\nauthor_wait = \"0\"\n[[channel]]\nname = \"topic\"\ntype = \"sns\"\ntopic_arn = \"{arn}\"\n"
        );
        let shell = configured(moto.shell(), &configuration, &receivers);
        let tried = shell
            .run(&["alerts", "test", "topic", "--config=scanner.toml"])
            .await;
        assert_eq!(tried.code, 0, "{tried:#?}");
        let read = queue(&moto, &["read", url]).await;
        let envelope: Value = serde_json::from_str(read.lines().next().unwrap()).unwrap();
        assert_eq!(envelope["TopicArn"], arn);
        assert_eq!(envelope["MessageAttributes"]["form"]["Value"], "test");
        let document: Value = serde_json::from_str(envelope["Message"].as_str().unwrap()).unwrap();
        assert_eq!(
            (&document["schema"], &document["form"]),
            (&"scanner.alert/v1".into(), &"test".into())
        );
    }

    // A real alert: seen in the simulator, told through moto.
    let made = queue(&moto, &["make", "alerts"]).await;
    let (arn, url) = made.trim().split_once(' ').unwrap();
    let seeing = Shell::at(&simulator);
    sweep(&seeing).await;
    simulator.advance().unwrap();
    sweep(&seeing).await;
    let configuration = format!(
        "[alerts]\nauthor_wait = \"0\"\n[[channel]]\nname = \"topic\"\ntype = \"sns\"\ntopic_arn = \"{arn}\"\n"
    );
    let telling = configured(moto.shell(), &configuration, &receivers);
    std::fs::copy(seeing.path("scanner.db"), telling.path("scanner.db")).unwrap();
    let sent = send(&telling).await;
    assert_eq!(sent.code, 0, "{sent:#?}");
    let read = queue(&moto, &["read", url]).await;
    let lines: Vec<&str> = read.lines().collect();
    assert_eq!(lines.len(), 1, "{read}");
    let envelope: Value = serde_json::from_str(lines[0]).unwrap();
    assert!(
        envelope["Subject"]
            .as_str()
            .unwrap()
            .starts_with("[high] workload"),
        "{envelope:#}"
    );
    let document: Value = serde_json::from_str(envelope["Message"].as_str().unwrap()).unwrap();
    assert_eq!(document["reason"], "filter-incomplete");
}

async fn queue(moto: &Moto, arguments: &[&str]) -> String {
    let mut command = python("alerts/topic_queue.py");
    command
        .args(arguments)
        .env("AWS_ENDPOINT_URL", moto.endpoint())
        .envs(ENVIRONMENT)
        .kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_mins(2), command.output()).await;
    let output = output.expect("it ends in time").expect("it starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8(output.stdout).expect("text")
}

#[tokio::test]
async fn a_slip_in_the_configuration_is_said_before_anything_runs() {
    let shell = Shell::new();
    let rows = [
        (
            "[[channel]]\nname = \"a\"\ntype = \"slack\"\nurl = \"https://hooks.example.com/hunter2\"\n",
            "does not stand in this file",
        ),
        (
            "[[channel]]\nname = \"a\"\ntype = \"pagerduty\"\nrouting_key = \"hunter2\"\n",
            "routing_key_env",
        ),
        (
            "[[channel]]\nname = \"a\"\ntype = \"webhook\"\nurl = \"http://example.com/hunter2\"\nsecret_env = \"S\"\n",
            "https",
        ),
        (
            "[[channel]]\nname = \"a\"\ntype = \"pagerduty\"\nrouting_key_env = \"NOT_SET\"\n",
            "`NOT_SET` is not set",
        ),
        (
            "[[channel]]\nname = \"a\"\ntype = \"pagerduty\"\nrouting_key_file = \"missing\"\n",
            "cannot be read",
        ),
        (
            "[[channel]]\nname = \"a\"\ntype = \"pagerduty\"\npasword = \"hunter2\"\n",
            "pasword",
        ),
        ("[[route]]\nchannels = [\"nobody\"]\n", "`nobody`"),
    ];
    for (configuration, expected) in rows {
        std::fs::write(shell.path("scanner.toml"), configuration).unwrap();
        let run = shell
            .run(&["alerts", "send", "--config=scanner.toml"])
            .await;
        assert_eq!(run.code, 2, "{run:#?}");
        assert!(run.stderr.contains(expected), "{run:#?}");
        assert!(!run.stderr.contains("hunter2"), "{run:#?}");
    }
}
