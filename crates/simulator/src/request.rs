//! What a request asks for: service, operation, region, key and members.

use hyper::header::{AUTHORIZATION, HeaderMap};
use hyper::http::request::Parts;

use crate::service::Service;
use crate::wire::{Protocol, cbor, json, query};

/// A request, read but not yet judged.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) service: Service,
    pub(crate) operation: String,
    pub(crate) protocol: Protocol,
    pub(crate) region: String,
    pub(crate) access_key_id: Option<String>,
    pub(crate) token: Option<String>,
    /// `None` where the body is not what the protocol wants.
    pub(crate) members: Option<serde_json::Value>,
}

/// Nothing in the request says which service it is for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unroutable;

/// Where RPC v2 clients of CloudWatch send their calls.
const CLOUDWATCH_PATH: &str = "/service/GraniteServiceVersion20100801/operation/";

impl Request {
    pub(crate) fn read(parts: &Parts, body: &[u8]) -> Result<Self, Unroutable> {
        let scope = Scope::read(&parts.headers);
        let path = parts.uri.path();
        let target = header(&parts.headers, "x-amz-target");
        let (service, protocol, operation, members) =
            if let Some(operation) = path.strip_prefix(CLOUDWATCH_PATH) {
                let operation = operation.to_owned();
                (
                    Service::CloudWatch,
                    Protocol::Cbor,
                    operation,
                    cbor::decode(body),
                )
            } else if let Some((prefix, operation)) = target.and_then(|it| it.rsplit_once('.')) {
                let service = Service::targeted_by(prefix).ok_or(Unroutable)?;
                (
                    service,
                    Protocol::Json,
                    operation.to_owned(),
                    json::decode(body),
                )
            } else if path == "/listRegions" {
                let operation = "ListRegions".to_owned();
                (
                    Service::Account,
                    Protocol::RestJson,
                    operation,
                    json::decode(body),
                )
            } else {
                let service = scope.service.ok_or(Unroutable)?;
                if service == Service::Account {
                    let operation = path.trim_start_matches('/').to_owned();
                    (service, Protocol::RestJson, operation, json::decode(body))
                } else {
                    let form = query::decode(body);
                    let operation = form
                        .as_ref()
                        .and_then(|form| form.get("Action")?.as_str())
                        .unwrap_or_default()
                        .to_owned();
                    (service, Protocol::Query, operation, form)
                }
            };
        Ok(Self {
            service,
            operation,
            protocol,
            region: scope.region.unwrap_or_default(),
            access_key_id: scope.access_key_id,
            token: header(&parts.headers, "x-amz-security-token").map(str::to_owned),
            members,
        })
    }
}

impl Request {
    /// Whether it asks for a page that an earlier answer has named.
    pub(crate) fn names_a_page(&self) -> bool {
        let Some(members) = &self.members else {
            return false;
        };
        ["NextToken", "nextToken"].iter().any(|name| {
            members
                .get(name)
                .and_then(serde_json::Value::as_str)
                .is_some_and(|token| !token.is_empty())
        })
    }
}

/// What SigV4 says about the caller. The signature itself is not looked at.
#[derive(Debug, Default)]
struct Scope {
    access_key_id: Option<String>,
    region: Option<String>,
    service: Option<Service>,
}

impl Scope {
    fn read(headers: &HeaderMap) -> Self {
        Self::parse(headers).unwrap_or_default()
    }

    /// `AWS4-HMAC-SHA256 Credential=KEY/20260101/REGION/SERVICE/aws4_request, …`
    fn parse(headers: &HeaderMap) -> Option<Self> {
        let authorization = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (_, rest) = authorization.split_once("Credential=")?;
        let credential = rest.split([',', ' ']).next()?;
        let mut parts = credential.split('/');
        let access_key_id = parts.next().filter(|key| !key.is_empty())?.to_owned();
        let _date = parts.next()?;
        let region = parts.next()?.to_owned();
        let service = Service::signing_as(parts.next()?);
        Some(Self {
            access_key_id: Some(access_key_id),
            region: Some(region),
            service,
        })
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
