//! What alerts are sent to in tests: a webhook's receiver on a socket of its own.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use alerts::{Channel, ChannelSettings, Secret, WebhookSettings};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

/// A receiver that answers as it is told, and remembers the keys of what it took.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    taken: Arc<Mutex<Vec<String>>>,
    answers: Arc<Mutex<VecDeque<&'static str>>>,
    _task: tokio::task::JoinHandle<()>,
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
pub(crate) const BUSY: &str =
    "HTTP/1.1 503 Busy\r\nretry-after: 120\r\ncontent-length: 4\r\nconnection: close\r\n\r\nbusy";
pub(crate) const GONE: &str =
    "HTTP/1.1 410 Gone\r\ncontent-length: 12\r\nconnection: close\r\n\r\nno such hook";
pub(crate) const ELSEWHERE: &str = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

impl Receiver {
    pub(crate) async fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let taken: Arc<Mutex<Vec<String>>> = Arc::default();
        let answers: Arc<Mutex<VecDeque<&'static str>>> = Arc::default();
        let (keys, told) = (Arc::clone(&taken), Arc::clone(&answers));
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut read = Vec::new();
                let mut piece = [0; 4096];
                loop {
                    let count = stream.read(&mut piece).await.unwrap_or(0);
                    read.extend_from_slice(&piece[..count]);
                    if count == 0 || is_whole(&read) {
                        break;
                    }
                }
                let answer = told.lock().unwrap().pop_front().unwrap_or(OK);
                if answer == OK
                    && let Some(key) = header(&read, "idempotency-key")
                {
                    keys.lock().unwrap().push(key);
                }
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        Self {
            address,
            taken,
            answers,
            _task: task,
        }
    }

    pub(crate) async fn anywhere() -> Self {
        Self::at(([127, 0, 0, 1], 0).into()).await
    }

    pub(crate) fn will_answer(&self, answers: &[&'static str]) {
        self.answers.lock().unwrap().extend(answers);
    }

    pub(crate) fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }
}

fn header(request: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(request);
    let (head, _) = text.split_once("\r\n\r\n")?;
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name)
            .then(|| value.trim().to_owned())
    })
}

fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") else {
        return false;
    };
    let length = header(request, "content-length").and_then(|length| length.parse::<usize>().ok());
    request.len() >= end + 4 + length.unwrap_or(0)
}

/// A webhook there.
pub(crate) fn channel(name: &str, address: SocketAddr) -> Channel {
    Channel {
        name: name.to_owned(),
        settings: ChannelSettings::Webhook(WebhookSettings {
            url: Secret::new(format!("http://{address}/hook")),
            key: Secret::new("a key of sixteen and more".to_owned()),
        }),
    }
}

/// An address at which nobody listens.
pub(crate) async fn nobody() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    listener.local_addr().unwrap()
}
