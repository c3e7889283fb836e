//! What alerts are sent to: `tests/alerts/receivers.py`, an HTTP server and a mail server that check what
//! arrives.

use std::{
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout},
    time::Instant,
};

use crate::{moto::python, scanner::root};

/// Importing jsonschema takes a second on a cold disk.
const PATIENCE: Duration = Duration::from_mins(1);

/// The secret that the webhook is signed with.
pub(crate) const SECRET: &str = "0123456789abcdef-and-more";

/// Running receivers. They end with this value.
pub(crate) struct Receivers {
    pub(crate) http_port: u16,
    pub(crate) mail_port: u16,
    arrived: Arc<Mutex<Vec<Value>>>,
    _process: Child,
}

impl Receivers {
    pub(crate) async fn start() -> Self {
        Self::holding_back("-").await
    }

    /// The first notice whose key begins like this is never answered.
    pub(crate) async fn holding_back(key: &str) -> Self {
        let mut process = python("alerts/receivers.py")
            .arg(SECRET)
            .arg(root().join("docs/alert-webhook.schema.json"))
            .arg(key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("python3 is installed");
        let stdout = process.stdout.take().expect("it is a pipe");
        let mut lines = BufReader::new(stdout).lines();
        let first = tokio::time::timeout(PATIENCE, lines.next_line()).await;
        let first = first
            .expect("it starts in time")
            .expect("text")
            .unwrap_or_default();
        let ports: Vec<u16> = (first.split(' '))
            .filter_map(|port| port.parse().ok())
            .collect();
        let [http_port, mail_port] = ports[..] else {
            panic!("the receivers do not start, for the reason above on stderr");
        };
        let arrived: Arc<Mutex<Vec<Value>>> = Arc::default();
        tokio::spawn(note(lines, Arc::clone(&arrived)));
        Self {
            http_port,
            mail_port,
            arrived,
            _process: process,
        }
    }

    /// What arrived there so far, once it is so much; nothing is wrong with any of it.
    pub(crate) async fn at(&self, place: &str, count: usize) -> Vec<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let arrived: Vec<Value> = (self.arrived.lock().unwrap().iter())
                .filter(|one| one["at"] == place)
                .cloned()
                .collect();
            for one in &arrived {
                assert_eq!(one["problems"], serde_json::json!([]), "{one:#}");
            }
            if arrived.len() >= count {
                assert_eq!(arrived.len(), count, "{arrived:#?}");
                return arrived;
            }
            assert!(
                Instant::now() < deadline,
                "{count} at {place}: {arrived:#?}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.http_port)
    }
}

async fn note(mut lines: Lines<BufReader<ChildStdout>>, arrived: Arc<Mutex<Vec<Value>>>) {
    while let Ok(Some(line)) = lines.next_line().await {
        let one = serde_json::from_str(&line).expect("a JSON line");
        arrived.lock().unwrap().push(one);
    }
}
