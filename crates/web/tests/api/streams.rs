//! Events as they happen, and what ends a stream.

use std::net::SocketAddr;

use daemon::{RunningSweep, ServiceEvent, SweepRequest};
use model::{Clock as _, SweepId, TokenRole};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    client::{Ask, PATIENCE},
    server::Server,
    world::noon,
};

struct Stream {
    socket: TcpStream,
    seen: String,
}

impl Stream {
    async fn open(address: SocketAddr, ask: &Ask) -> Self {
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(&ask.bytes()).await.unwrap();
        Self {
            socket,
            seen: String::new(),
        }
    }

    /// Reads until this is there.
    async fn until(&mut self, text: &str) {
        let reading = async {
            while !self.seen.contains(text) {
                let mut bytes = Vec::new();
                let read = self.socket.read_buf(&mut bytes).await.unwrap();
                assert!(read > 0, "it ended without {text}: {}", self.seen);
                self.seen.push_str(&String::from_utf8_lossy(&bytes));
            }
        };
        tokio::time::timeout(PATIENCE, reading)
            .await
            .unwrap_or_else(|_| panic!("no {text}"));
    }

    async fn ends(mut self) {
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(PATIENCE, self.socket.read_to_end(&mut rest)).await;
        let _ = ended.expect("the stream ends");
    }
}

fn progress(judged: usize) -> ServiceEvent {
    ServiceEvent::Progress(RunningSweep {
        id: Some(SweepId(3)),
        started_at: noon(),
        request: SweepRequest::default(),
        accounts: 100,
        judged,
    })
}

#[tokio::test]
async fn a_stream_begins_with_the_status_goes_on_with_events_and_ends_with_the_service() {
    let server = Server::of(1).await;
    let mut stream = Stream::open(server.address, &Ask::get("/api/v1/events")).await;
    stream.until("event: status\ndata: {").await;
    assert!(
        stream.seen.contains("content-type: text/event-stream"),
        "{}",
        stream.seen
    );
    server.events.send(progress(1)).unwrap();
    stream
        .until("event: progress\ndata: {\"event\":\"progress\"")
        .await;
    stream.until("\"judged\":1}").await;
    let failed = "a \u{1b} b\nc".to_owned();
    server
        .events
        .send(ServiceEvent::SweepFailed { error: failed })
        .unwrap();
    stream.until("event: sweep_failed\ndata: {").await;
    assert!(!stream.seen.contains('\u{1b}'), "{}", stream.seen);
    let ended = tokio::join!(server.end(), stream.ends());
    assert_eq!(ended, ((), ()));
}

#[tokio::test]
async fn a_reader_that_is_too_slow_is_told_what_it_missed() {
    let server = Server::of(1).await;
    let mut stream = Stream::open(server.address, &Ask::get("/api/v1/events")).await;
    stream.until("event: status").await;
    // Nothing is read in between: on one thread, nobody else runs before the next await.
    for judged in 0..1000 {
        server.events.send(progress(judged)).unwrap();
    }
    stream.until("event: missed\ndata: {\"events\":744}").await;
    stream.until("\"judged\":999}").await;
    server.end().await;
}

#[tokio::test]
async fn so_many_may_listen_and_no_more() {
    let server = Server::of(1).await;
    let ask = Ask::get("/api/v1/events");
    let mut streams = Vec::new();
    for _ in 0..64 {
        let mut stream = Stream::open(server.address, &ask).await;
        stream.until("event: status").await;
        streams.push(stream);
    }
    let refused = server.ask(&ask).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (503, "too-many-streams")
    );
    assert!(!refused.header("retry-after").is_empty());
    // Whoever leaves makes room.
    streams.pop();
    let mut patience = 200;
    loop {
        server.events.send(progress(1)).unwrap();
        let mut stream = Stream::open(server.address, &ask).await;
        stream.until("\r\n\r\n").await;
        if stream.seen.starts_with("HTTP/1.1 200") {
            break;
        }
        patience -= 1;
        assert!(patience > 0, "no place becomes free");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    server.end().await;
}

#[tokio::test]
async fn a_stream_ends_when_its_token_does() {
    let server = Server::of(1).await;
    let token = server.token("viewer", TokenRole::Viewer, None).await;
    let mut stream = Stream::open(server.address, &Ask::get("/api/v1/events").by(&token)).await;
    stream.until("event: status").await;
    server
        .journal
        .revoke_token(server.clock.now(), "viewer")
        .await
        .unwrap();
    stream.ends().await;
    server.end().await;
}
