//! What is too large, too slow or too much ends there, and nobody else notices.

use std::time::Duration;

use model::TokenRole;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    client::{Answer, Ask, PATIENCE},
    server::Server,
};

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let server = Server::of(1).await;
    let token = server.token("operator", TokenRole::Operator, None).await;
    let ask = Ask::new("POST", "/api/v1/sweeps")
        .by(&token)
        .with("content-type", "application/json");
    let fits = format!("{{}}{}", " ".repeat(64 * 1024 - 2)).into_bytes();
    assert_eq!(server.ask(&ask.clone().saying(fits)).await.status, 202);
    let large = vec![b' '; 64 * 1024 + 1];
    let refused = server.ask(&ask.saying(large)).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (413, "body-too-large")
    );
    server.end().await;
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let server = Server::of(1).await;
    let mut many = Ask::get("/healthz");
    for number in 0..100 {
        many = many.with(&format!("x-{number}"), "x");
    }
    assert_eq!(server.ask(&many).await.status, 431);
    let large = Ask::get("/healthz").with("x", &"x".repeat(64 * 1024));
    assert_eq!(server.ask(&large).await.status, 431);
    let long = Ask::get(&format!("/healthz?{}", "x".repeat(64 * 1024)));
    let status = server.ask(&long).await.status;
    assert!([414, 431].contains(&status), "{status}");
    assert_eq!(server.get("/healthz").await.status, 200);
    server.end().await;
}

#[tokio::test]
async fn whoever_sends_a_head_drop_by_drop_is_cut_off() {
    let server = Server::of(1).await;
    let mut slow = TcpStream::connect(server.address).await.unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n")
        .await
        .unwrap();
    let mut drops = 0;
    let cut_off = async {
        let mut answer = Vec::new();
        loop {
            let drop = slow.write_all(format!("x-{drops}: x\r\n").as_bytes()).await;
            drops += 1;
            let read =
                tokio::time::timeout(Duration::from_secs(1), slow.read_buf(&mut answer)).await;
            if drop.is_err() || matches!(read, Ok(Ok(0) | Err(_))) {
                return;
            }
        }
    };
    // Others are served meanwhile.
    assert_eq!(server.get("/healthz").await.status, 200);
    tokio::time::timeout(PATIENCE, cut_off)
        .await
        .expect("it is cut off");
    server.end().await;
}

#[tokio::test]
async fn whoever_asks_and_does_not_finish_holds_up_no_stop() {
    let server = Server::of(1).await;
    let token = server.token("operator", TokenRole::Operator, None).await;
    let mut half = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST /api/v1/sweeps HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: 100\r\n\r\n{{"
    );
    half.write_all(head.as_bytes()).await.unwrap();
    let idle = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(server.get("/healthz").await.status, 200);
    server.end().await;
    drop((half, idle));
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let server = Server::of(1).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    for _ in 0..3 {
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .await
            .unwrap();
        let mut bytes = Vec::new();
        let whole = async {
            loop {
                stream.read_buf(&mut bytes).await.unwrap();
                if let Some(answer) = Answer::read(&bytes)
                    && answer.body.len().to_string() == answer.header("content-length")
                {
                    return answer;
                }
            }
        };
        let answer = tokio::time::timeout(PATIENCE, whole)
            .await
            .expect("an answer");
        assert_eq!(answer.status, 200);
    }
    drop(stream);
    server.end().await;
}
