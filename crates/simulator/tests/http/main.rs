//! The simulator over its socket, asked by a client that knows HTTP and nothing of AWS.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot talk to the simulator has failed"
)]

mod answers;
mod event_history;
mod faults;
mod load;
mod notification;
mod pages;
mod permissions;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HeaderMap;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use simulator::{Simulator, SimulatorOptions, World};
use tokio::net::TcpStream;

const ROLE: &str = "OrganizationAccountAccessRole";

/// What came back.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap().to_str().unwrap()
    }

    /// The text of the first XML element of that name.
    fn element(&self, name: &str) -> String {
        let text = self.text();
        let (_, rest) = text.split_once(&format!("<{name}>")).unwrap();
        rest.split_once(&format!("</{name}>")).unwrap().0.to_owned()
    }
}

/// A key with its token, as a client holds them.
#[derive(Clone)]
struct Key {
    id: String,
    token: Option<String>,
}

/// Someone who asks: a simulator, a key and a region.
struct Client<'a> {
    simulator: &'a Simulator,
    key: Key,
    region: &'a str,
}

impl<'a> Client<'a> {
    /// With the key of the management account.
    fn caller(simulator: &'a Simulator) -> Self {
        let id = simulator.caller_credentials().access_key_id;
        Self {
            simulator,
            key: Key { id, token: None },
            region: "us-east-1",
        }
    }

    /// With a session in the account of that name.
    async fn member(simulator: &'a Simulator, name: &str, policy: Option<&str>) -> Client<'a> {
        let caller = Self::caller(simulator);
        let answer = caller.assume(name, policy, &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        Self {
            key: session_key(&answer),
            ..caller
        }
    }

    async fn assume(&self, name: &str, policy: Option<&str>, more: &[(&str, &str)]) -> Answer {
        let account = self.simulator.world().named(name).unwrap().id.clone();
        let role = format!("arn:aws:iam::{account}:role/{ROLE}");
        let mut members = vec![
            ("RoleArn", role.as_str()),
            ("RoleSessionName", "scanner-test"),
        ];
        members.extend(policy.map(|policy| ("Policy", policy)));
        members.extend(more);
        self.query("sts", "AssumeRole", &members).await
    }

    async fn query(&self, scope: &str, operation: &str, members: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", operation)
            .extend_pairs(members)
            .finish();
        self.send(scope, "/", &[], body.into_bytes()).await
    }

    async fn json(&self, scope: &str, target: &str, members: Value) -> Answer {
        self.send(
            scope,
            "/",
            &[("x-amz-target", target)],
            members.to_string().into_bytes(),
        )
        .await
    }

    async fn organizations(&self, operation: &str, members: Value) -> Answer {
        let target = format!("AWSOrganizationsV20161128.{operation}");
        self.json("organizations", &target, members).await
    }

    async fn cloudtrail(&self, operation: &str, members: Value) -> Answer {
        self.json(
            "cloudtrail",
            &format!("CloudTrail_20131101.{operation}"),
            members,
        )
        .await
    }

    async fn logs(&self, operation: &str, members: Value) -> Answer {
        self.json("logs", &format!("Logs_20140328.{operation}"), members)
            .await
    }

    async fn events(&self, operation: &str, members: Value) -> Answer {
        self.json("events", &format!("AWSEvents.{operation}"), members)
            .await
    }

    async fn alarms(&self, operation: &str, members: Value) -> (Answer, ciborium::Value) {
        let mut body = Vec::new();
        ciborium::into_writer(&members, &mut body).unwrap();
        let path = format!("/service/GraniteServiceVersion20100801/operation/{operation}");
        let headers = [
            ("smithy-protocol", "rpc-v2-cbor"),
            ("content-type", "application/cbor"),
        ];
        let answer = self.send("monitoring", &path, &headers, body).await;
        let value = ciborium::from_reader(answer.body.as_slice()).unwrap();
        (answer, value)
    }

    async fn send(
        &self,
        scope: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        self.try_send(scope, path, headers, body).await.unwrap()
    }

    async fn try_send(
        &self,
        scope: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> hyper::Result<Answer> {
        let credential = format!(
            "{}/20260101/{}/{scope}/aws4_request",
            self.key.id, self.region
        );
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=00");
        let mut request = hyper::Request::post(path)
            .header("host", "aws")
            .header("authorization", authorization);
        if let Some(token) = &self.key.token {
            request = request.header("x-amz-security-token", token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        exchange(
            self.simulator,
            request.body(Full::new(Bytes::from(body))).unwrap(),
        )
        .await
    }
}

/// One request over a connection of its own.
async fn exchange(
    simulator: &Simulator,
    request: hyper::Request<Full<Bytes>>,
) -> hyper::Result<Answer> {
    let url = simulator.endpoint_url();
    let stream = TcpStream::connect(url.trim_start_matches("http://"))
        .await
        .unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let (parts, body) = sender.send_request(request).await?.into_parts();
    let body = body.collect().await?.to_bytes().to_vec();
    Ok(Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body,
    })
}

fn session_key(answer: &Answer) -> Key {
    Key {
        id: answer.element("AccessKeyId"),
        token: Some(answer.element("SessionToken")),
    }
}

async fn start(scenario: &str) -> Simulator {
    let world = World::from_toml(scenario).unwrap();
    Simulator::start(world, SimulatorOptions::default())
        .await
        .unwrap()
}

/// The member of a CBOR map.
fn member<'a>(value: &'a ciborium::Value, name: &str) -> Option<&'a ciborium::Value> {
    let (_, member) = value
        .as_map()?
        .iter()
        .find(|(key, _)| key.as_text() == Some(name))?;
    Some(member)
}

/// The texts under `name` in each item of a JSON list, in the order of the list.
fn texts(list: &Value, name: &str) -> Vec<String> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|it| it[name].as_str().unwrap().to_owned())
        .collect()
}

fn nothing() -> Value {
    json!({})
}
