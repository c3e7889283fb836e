//! `scanner simulate`: a world as a process of its own, which a shell moves on.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

use crate::{
    scanner::{Shell, root},
    web_server::request,
};

#[tokio::test]
async fn a_scenario_is_served_and_moved_on_from_outside() {
    let shell = Shell::new();
    let scenario = root().join("tests/scenarios/timeline.toml");
    let scenario = scenario.to_str().unwrap();
    let mut simulate = shell
        .command(&["simulate", "--scenario", scenario])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(simulate.stdout.take().unwrap());
    let mut exported = std::collections::BTreeMap::new();
    while exported.len() < 4 {
        let mut line = String::new();
        let read = stdout.read_line(&mut line).await.unwrap();
        assert_ne!(read, 0, "it says on stderr why it does not begin");
        if let Some((name, value)) = line
            .trim()
            .strip_prefix("export ")
            .and_then(|it| it.split_once('='))
        {
            exported.insert(name.to_owned(), value.to_owned());
        }
    }
    let seeing =
        (exported.iter()).fold(Shell::new(), |shell, (name, value)| shell.with(name, value));
    assert_eq!(seeing.once(&[]).await.code, 0);
    let address = exported["AWS_ENDPOINT_URL"].trim_start_matches("http://");
    let advance = "POST /_simulator/advance";
    let made = request(address, advance, &[]).await.json();
    assert_eq!(made["changes"][0]["operation"], "PutMetricFilter");
    assert_eq!(seeing.once(&[]).await.code, 3);

    let pid = simulate.id().unwrap().to_string();
    let sent = tokio::process::Command::new("kill")
        .args(["-INT", &pid])
        .status();
    assert!(sent.await.unwrap().success());
    assert!(simulate.wait().await.unwrap().success());
    let mut report = String::new();
    stdout.read_to_string(&mut report).await.unwrap();
    assert!(report.contains("DescribeTrails"), "{report}");

    let both = ["simulate", "--scenario", scenario, "--accounts", "3"];
    assert_eq!(shell.run(&both).await.code, 2);
    let missing = shell.run(&["simulate", "--scenario", "missing.toml"]).await;
    assert_eq!(missing.code, 2, "{missing:#?}");
    assert!(missing.stderr.contains("missing.toml"), "{missing:#?}");
}
