//! A running API over the store of a test, and a plain client.

use std::{process::Stdio, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    process::Child,
};

use crate::scanner::{Shell, program};

/// Nothing that is asked takes longer, on any machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// The API in a process of its own. It ends with this value, by the id of its own process; it also ends by
/// itself when its standard input, which this value holds, is closed.
pub(crate) struct WebServer {
    pub(crate) address: String,
    _process: Child,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl WebServer {
    /// Serves the API over a store of this shell.
    pub(crate) async fn over(shell: &Shell, store: &str) -> Self {
        let store = format!("store={}", shell.path(store).display());
        let mut process = tokio::process::Command::new(program("serve_store"))
            .arg(store)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        let stdout = process.stdout.take().expect("it is a pipe");
        let mut address = String::new();
        let mut first_line = BufReader::new(stdout);
        let read = tokio::time::timeout(PATIENCE, first_line.read_line(&mut address)).await;
        read.expect("it starts in time").expect("a line of text");
        let address = address.trim().to_owned();
        assert!(
            !address.is_empty(),
            "it says on stderr why it does not listen"
        );
        Self {
            address,
            _process: process,
        }
    }

    pub(crate) async fn get(&self, path: &str, token: Option<&str>) -> Answer {
        let authorization = token.map(|token| format!("authorization: Bearer {token}"));
        request(
            &self.address,
            &format!("GET {path}"),
            authorization.as_slice(),
        )
        .await
    }
}

/// Sends a request without a body, such as `GET /healthz`, and reads the answer to its end.
pub(crate) async fn request(address: &str, what: &str, headers: &[String]) -> Answer {
    request_with(address, what, headers, "").await
}

/// The same with a body.
pub(crate) async fn request_with(
    address: &str,
    what: &str,
    headers: &[String],
    body: &str,
) -> Answer {
    let mut lines = vec![format!("{what} HTTP/1.1"), "host: localhost".to_owned()];
    lines.extend_from_slice(headers);
    lines.push(format!("content-length: {}", body.len()));
    lines.extend(["connection: close", "", body].map(str::to_owned));
    let head = lines.join("\r\n");
    let asking = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    };
    let text = tokio::time::timeout(PATIENCE, asking)
        .await
        .expect("an answer");
    let (head, body) = text.split_once("\r\n\r\n").expect("a whole answer");
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        body: body.to_owned(),
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}
