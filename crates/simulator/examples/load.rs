//! Asks a running simulator as fast as it answers, over raw sockets: a client of the SDK would be
//! the bottleneck. Start `cargo run --release -p simulator --example serve -- 10000 1` on one core
//! and this on another:
//! `cargo run --release -p simulator --example load -- 127.0.0.1:PORT [CONNECTIONS [REGIONS]]`.
//!
//! It lists the accounts, enters each of them, and asks each for its trails in a few regions; then
//! it says how many calls a second that was, and how much CPU time the simulator took for a call.

use std::collections::VecDeque;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

type Outcome<T> = Result<T, Box<dyn Error>>;

const KEY: &str = "AKIASIMULATEDCALLER7";
const REGIONS: [&str; 4] = ["us-east-1", "us-west-2", "eu-west-1", "ap-south-1"];
/// As long as one that a scanner sends.
const POLICY: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22\
    Allow%22%2C%22Action%22%3A%5B%22cloudtrail%3ADescribeTrails%22%2C%22cloudtrail%3AGetTrailStatus\
    %22%2C%22cloudtrail%3AGetEventSelectors%22%2C%22logs%3ADescribeLogGroups%22%2C%22logs%3A\
    DescribeMetricFilters%22%2C%22cloudwatch%3ADescribeAlarms%22%2C%22sns%3AGetTopicAttributes%22%5D\
    %2C%22Resource%22%3A%22%2A%22%7D%5D%7D";

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "an example tells what it measured")]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("give the address, host:port")?;
    let connections = arguments.next().map_or(Ok(64), |it| it.parse())?;
    let regions = arguments.next().map_or(Ok(2), |it| it.parse::<usize>())?;

    let listed = Phase::begin(&address).await?;
    let (accounts, pages) = list_accounts(&address).await?;
    println!("{}", listed.end(&address, "ListAccounts", pages).await?);

    let entered = Phase::begin(&address).await?;
    let requests = accounts.iter().map(|account| assume_role(account));
    let sessions = run(&address, connections, requests.collect(), |answer| {
        let part = |name: &str| {
            let (_, rest) = answer.split_once(&format!("<{name}>"))?;
            Some(rest.split_once('<')?.0.to_owned())
        };
        Some((part("AccessKeyId")?, part("SessionToken")?))
    })
    .await?;
    println!(
        "{}",
        entered.end(&address, "AssumeRole", accounts.len()).await?
    );

    let described = Phase::begin(&address).await?;
    let requests: Vec<Vec<u8>> = REGIONS
        .iter()
        .take(regions)
        .flat_map(|region| sessions.iter().map(move |it| describe_trails(it, region)))
        .collect();
    let count = requests.len();
    run(&address, connections, requests, |_| Some(())).await?;
    println!(
        "{}",
        described.end(&address, "DescribeTrails", count).await?
    );
    Ok(())
}

/// A stretch of time, and what the simulator had used of the CPU when it began.
struct Phase {
    begun: Instant,
    cpu: f64,
}

impl Phase {
    async fn begin(address: &str) -> Outcome<Self> {
        Ok(Self {
            cpu: cpu_seconds(address).await?,
            begun: Instant::now(),
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of calls are small")]
    async fn end(self, address: &str, what: &str, calls: usize) -> Outcome<String> {
        let wall = self.begun.elapsed().as_secs_f64();
        let cpu = cpu_seconds(address).await? - self.cpu;
        let calls = calls.max(1) as f64;
        Ok(format!(
            "{what}: {calls} calls in {wall:.2} s, {:.0} calls/s; the simulator took {:.1} us of CPU \
             for a call, which is {:.0} calls/s on one core",
            calls / wall,
            cpu / calls * 1e6,
            calls / cpu.max(1e-9)
        ))
    }
}

async fn cpu_seconds(address: &str) -> Outcome<f64> {
    let mut connection = Connection::open(address).await?;
    let request = b"GET /_simulator/report HTTP/1.1\r\nhost: simulator\r\n\r\n";
    let (_, body) = connection.exchange(request).await?;
    let report: serde_json::Value = serde_json::from_str(&body)?;
    Ok(report["process_cpu_seconds"].as_f64().unwrap_or_default())
}

async fn list_accounts(address: &str) -> Outcome<(Vec<String>, usize)> {
    let mut connection = Connection::open(address).await?;
    let (mut accounts, mut pages, mut token) = (Vec::new(), 0, None::<String>);
    loop {
        let body = token.map_or("{}".to_owned(), |token| {
            format!(r#"{{"NextToken":"{token}"}}"#)
        });
        let target = "AWSOrganizationsV20161128.ListAccounts";
        let request = json_request("organizations", target, KEY, None, "us-east-1", &body);
        let (status, body) = connection.exchange(&request).await?;
        if status != 200 {
            return Err(body.into());
        }
        let page: serde_json::Value = serde_json::from_str(&body)?;
        let ids = page["Accounts"].as_array().into_iter().flatten();
        accounts.extend(ids.filter_map(|it| it["Id"].as_str().map(str::to_owned)));
        pages += 1;
        token = page["NextToken"].as_str().map(str::to_owned);
        if token.is_none() {
            return Ok((accounts, pages));
        }
    }
}

fn assume_role(account: &str) -> Vec<u8> {
    let body = format!(
        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A{account}%3Arole%2F\
         OrganizationAccountAccessRole&RoleSessionName=load&Policy={POLICY}"
    );
    request(
        "sts",
        KEY,
        "us-east-1",
        "content-type: application/x-www-form-urlencoded\r\n",
        &body,
    )
}

fn describe_trails((key, token): &(String, String), region: &str) -> Vec<u8> {
    let target = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.DescribeTrails";
    json_request(
        "cloudtrail",
        target,
        key,
        Some(token),
        region,
        r#"{"includeShadowTrails":true}"#,
    )
}

fn json_request(
    scope: &str,
    target: &str,
    key: &str,
    token: Option<&str>,
    region: &str,
    body: &str,
) -> Vec<u8> {
    let token = token.map_or(String::new(), |it| {
        format!("x-amz-security-token: {it}\r\n")
    });
    let more =
        format!("content-type: application/x-amz-json-1.1\r\nx-amz-target: {target}\r\n{token}");
    request(scope, key, region, &more, body)
}

/// With the headers that the SDK sends, so that reading them costs what it costs in a sweep.
fn request(scope: &str, key: &str, region: &str, more: &str, body: &str) -> Vec<u8> {
    format!(
        "POST / HTTP/1.1\r\n{more}content-length: {}\r\n\
         user-agent: aws-sdk-rust/1.3 ua/2.1 api/any/1.130 os/linux lang/rust/1.95 m/E,b\r\n\
         x-amz-user-agent: aws-sdk-rust/1.3 ua/2.1 api/any/1.130 os/linux lang/rust/1.95 m/E,b\r\n\
         amz-sdk-request: attempt=1; max=1\r\namz-sdk-invocation-id: \
         8a1ec0b7-0d3e-4d0c-9df7-5dd7e3cd5a11\r\nx-amz-date: 20260101T000000Z\r\nauthorization: \
         AWS4-HMAC-SHA256 Credential={key}/20260101/{region}/{scope}/aws4_request, \
         SignedHeaders=content-length;content-type;host;x-amz-date;x-amz-user-agent, Signature=\
         0f3c1d5e7a9b8c6d4e2f0a1b3c5d7e9f8a6b4c2d0e1f3a5b7c9d8e6f4a2b0c1d\r\n\
         host: simulator\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Sends all requests over a number of connections, and keeps what `read` finds in good answers.
async fn run<T: Send + 'static>(
    address: &str,
    connections: usize,
    requests: Vec<Vec<u8>>,
    read: fn(&str) -> Option<T>,
) -> Outcome<Vec<T>> {
    let queue = Arc::new(Mutex::new(VecDeque::from(requests)));
    let next = |queue: &Mutex<VecDeque<Vec<u8>>>| {
        queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    };
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let (queue, address) = (Arc::clone(&queue), address.to_owned());
        tasks.spawn(async move {
            let mut connection = Connection::open(&address).await?;
            let mut found = Vec::new();
            while let Some(request) = next(&queue) {
                let (status, body) = connection.exchange(&request).await?;
                if status == 200 {
                    found.extend(read(&body));
                }
            }
            std::io::Result::Ok(found)
        });
    }
    let mut found = Vec::new();
    for part in tasks.join_all().await {
        found.append(&mut part?);
    }
    Ok(found)
}

/// One connection that is kept.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(address: &str) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(1 << 15),
        })
    }

    /// Sends the request and reads its answer: the status and the body.
    async fn exchange(&mut self, request: &[u8]) -> std::io::Result<(u16, String)> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let Some(end) = self.buffer.windows(4).position(|it| it == b"\r\n\r\n") else {
                continue;
            };
            let (head, body) = self.buffer.split_at(end + 4);
            let head = String::from_utf8_lossy(head);
            let length = head
                .split("\r\n")
                .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
                .unwrap_or(0);
            if body.len() >= length {
                let status = head.get(9..12).and_then(|it| it.parse().ok()).unwrap_or(0);
                return Ok((status, String::from_utf8_lossy(body).into_owned()));
            }
        }
    }
}
