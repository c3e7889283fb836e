//! From a request to its answer: who asks, may they, what is it, how is it spelled.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};

use crate::advance::Waiting;
use crate::api_error::ApiError;
use crate::calls::{CallLog, CallNumbers, Ending};
use crate::chance::Draw;
use crate::faults::{FaultKind, Faults, Subject};
use crate::load::Signer;
use crate::load_report::LoadReport;
use crate::params::Params;
use crate::permissions::{Permit, find_role};
use crate::process_cpu::ProcessCpu;
use crate::quotas::{Quota, Scope};
use crate::request::Request;
use crate::service::Service;
use crate::services::{self, Call};
use crate::sessions::{Identity, NotIdentified, Sessions};
use crate::token_buckets::{BucketKey, Draught, TokenBuckets};
use crate::value::Fields;
use crate::wire::{Protocol, cbor, json, query};
use crate::world::World;

/// In the key of a token bucket: whoever calls, or wherever.
const ANY: u32 = u32::MAX;

/// Everything that requests share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) seed: u64,
    pub(crate) clock: Arc<dyn model::Clock>,
    pub(crate) world: RwLock<World>,
    pub(crate) sessions: Mutex<Sessions>,
    pub(crate) calls: Mutex<CallLog>,
    buckets: Mutex<TokenBuckets>,
    /// What the process had used of the CPU at the last reset.
    cpu: Mutex<ProcessCpu>,
    /// Quotas are kept in real time, whatever clock the answers show.
    started: Instant,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) withheld: RwLock<Vec<String>>,
    pub(crate) waiting: Waiting,
    unroutable: AtomicU64,
}

/// What the server does with a request.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) delay: Option<Duration>,
    pub(crate) action: Action,
}

#[derive(Debug)]
pub(crate) enum Action {
    Send(Response<Vec<u8>>),
    /// Say how long the answer is, send half of it and hang up.
    BreakOff(Response<Vec<u8>>),
    NeverAnswer,
}

impl Shared {
    pub(crate) fn new(seed: u64, clock: Arc<dyn model::Clock>, mut world: World) -> Self {
        let mut faults = Faults::default();
        for rule in world.faults.drain(..) {
            faults.add(rule);
        }
        world.start_timeline(clock.now());
        Self {
            seed,
            clock,
            waiting: Waiting::new(&world),
            world: RwLock::new(world),
            sessions: Mutex::default(),
            calls: Mutex::default(),
            buckets: Mutex::default(),
            cpu: Mutex::new(ProcessCpu::now()),
            started: Instant::now(),
            faults: Mutex::new(faults),
            withheld: RwLock::default(),
            unroutable: AtomicU64::new(0),
        }
    }

    /// Answers one request. Total: whatever comes in, something a client understands goes out.
    pub(crate) fn answer(&self, parts: &Parts, body: &[u8]) -> Reply {
        let Ok(mut request) = Request::read(parts, body) else {
            let number = self.unroutable.fetch_add(1, Ordering::Relaxed).to_string();
            let id = Draw::new(self.seed, &["unroutable", &number]).uuid();
            return send(plain(
                404,
                "text/plain",
                b"no AWS service is asked here".to_vec(),
                &id,
            ));
        };
        self.let_time_pass();
        let asked_at = self.started.elapsed();
        let world = read(&self.world);
        let identity = self.identify(&world, &request);
        let account = identity
            .as_ref()
            .map_or("", |identity| identity.account.as_str());
        let signer = Signer {
            account,
            is_caller: account.is_empty() || account == world.caller.account,
        };
        let (numbers, count) = lock(&self.calls).record(
            request.service,
            &request.operation,
            account,
            &request.region,
        );
        let mut draw = Draw::new(
            self.seed,
            &[
                request.service.name(),
                &request.operation,
                account,
                &request.region,
                &count.to_string(),
            ],
        );
        let request_id = draw.uuid();
        let mut fault = self.strike(&request, account);
        if fault.is_none() && self.exceeds(&world, &request, signer, numbers, asked_at) {
            fault = Some(FaultKind::Throttled);
        }
        let delay = world
            .load
            .delay(self.seed, request.service, &signer, &draw)
            .saturating_add(fault.and_then(FaultKind::delay).unwrap_or_default());
        let ending = Ending {
            asked_at,
            delay,
            is_throttled: fault == Some(FaultKind::Throttled),
            goes_on: request.names_a_page(),
        };
        lock(&self.calls).settle(numbers, ending);
        let delay = Some(delay).filter(|delay| !delay.is_zero());
        if fault == Some(FaultKind::Silence) {
            return Reply {
                delay,
                action: Action::NeverAnswer,
            };
        }
        let outcome = match fault {
            Some(FaultKind::Throttled) => Err(request.service.throttled()),
            Some(FaultKind::InternalError) => Err(request.service.internal_error()),
            Some(FaultKind::ExpiredToken) => Err(request.service.expired_token()),
            _ => self.serve(&world, &mut request, identity, draw, fault),
        };
        drop(world);
        let response = respond(&request, outcome, &request_id);
        let action = match fault {
            Some(FaultKind::Malformed) => Action::Send(half(response)),
            Some(FaultKind::Disconnect) => Action::BreakOff(response),
            _ => Action::Send(response),
        };
        Reply { delay, action }
    }

    /// Whether the call comes too soon after others, or its account throttles everything.
    fn exceeds(
        &self,
        world: &World,
        request: &Request,
        signer: Signer<'_>,
        numbers: CallNumbers,
        now: Duration,
    ) -> bool {
        // Whoever AWS does not know is charged to nobody.
        if signer.account.is_empty() {
            return false;
        }
        if world.load.throttles(self.seed, &signer) {
            return true;
        }
        let Some(factor) = world.load.quotas else {
            return false;
        };
        let draughts: Vec<Draught> = Quota::of(request.service, &request.operation)
            .map(|(place, quota)| {
                let (account, region) = match quota.scope {
                    Scope::AccountRegion => (numbers.account, numbers.region),
                    Scope::Account => (numbers.account, ANY),
                    Scope::Organization => (ANY, ANY),
                };
                let key = BucketKey {
                    quota: place,
                    account,
                    region,
                };
                Draught::new(key, quota.per_second * factor, quota.burst * factor)
            })
            .collect();
        !draughts.is_empty() && !lock(&self.buckets).take(&draughts, now)
    }

    /// What was asked since the last reset, and how fast that could have been.
    pub(crate) fn load_report(&self) -> LoadReport {
        let load = read(&self.world).load.clone();
        let cpu = lock(&self.cpu).since();
        LoadReport::of(&lock(&self.calls), &load, cpu)
    }

    /// Forgets what was asked, and fills all token buckets.
    pub(crate) fn reset(&self) {
        lock(&self.calls).reset();
        lock(&self.buckets).fill();
        *lock(&self.cpu) = ProcessCpu::now();
    }

    fn identify(&self, world: &World, request: &Request) -> Result<Identity, ApiError> {
        let service = request.service;
        let key = request
            .access_key_id
            .as_deref()
            .ok_or_else(|| service.unsigned())?;
        lock(&self.sessions)
            .identify(world, key, request.token.as_deref(), self.clock.now())
            .map_err(|reason| match reason {
                NotIdentified::Unknown => service.unknown_key(),
                NotIdentified::Expired => service.expired_token(),
            })
    }

    fn strike(&self, request: &Request, signer: &str) -> Option<FaultKind> {
        let target = (request.operation == "AssumeRole")
            .then(|| {
                request
                    .members
                    .as_ref()?
                    .get("RoleArn")?
                    .as_str()?
                    .split(':')
                    .nth(4)
            })
            .flatten();
        lock(&self.faults).strike(Subject {
            service: request.service,
            operation: &request.operation,
            signer,
            target,
            region: &request.region,
        })
    }

    fn serve(
        &self,
        world: &World,
        request: &mut Request,
        identity: Result<Identity, ApiError>,
        draw: Draw,
        fault: Option<FaultKind>,
    ) -> Result<Fields, ApiError> {
        let service = request.service;
        let identity = identity?;
        let account = world
            .account(&identity.account)
            .ok_or_else(|| service.unknown_key())?;
        if !account.has_region(world.partition, &request.region) {
            return Err(service.unknown_key());
        }
        let members = request
            .members
            .take()
            .ok_or_else(|| service.malformed_body())?;
        let params = Params::new(service, members);
        let withheld = read(&self.withheld);
        let session = identity.session.as_deref();
        let permit = Permit {
            world,
            account,
            region: &request.region,
            role: session.and_then(|session| find_role(account, &session.record.role)),
            is_session: session.is_some(),
            session_policy: session.and_then(|session| session.policy.as_deref()),
            withheld: &withheld,
            principal_arn: &identity.arn,
        };
        let now = self.clock.now();
        let call = Call {
            service,
            world,
            account,
            identity: &identity,
            region: &request.region,
            params: &params,
            permit,
            is_refused: fault == Some(FaultKind::AccessDenied),
            now,
            waited_until: self.waiting.waited_until(now),
            draw,
            sessions: &self.sessions,
        };
        services::answer(&request.operation, &call)
    }
}

fn respond(
    request: &Request,
    outcome: Result<Fields, ApiError>,
    request_id: &str,
) -> Response<Vec<u8>> {
    let protocol = request.protocol;
    match outcome {
        Ok(fields) => {
            let body = match protocol {
                Protocol::Query => query::encode(
                    &request.operation,
                    request.service.xml_namespace(),
                    &fields,
                    request_id,
                ),
                Protocol::Json | Protocol::RestJson => json::encode(&fields),
                Protocol::Cbor => cbor::encode(&fields),
            };
            let mut response = plain(200, protocol.content_type(), body, request_id);
            mark_cbor(protocol, &mut response);
            response
        }
        Err(error) => respond_error(request, &error, request_id),
    }
}

fn respond_error(request: &Request, error: &ApiError, request_id: &str) -> Response<Vec<u8>> {
    let (protocol, service) = (request.protocol, request.service);
    let body = match protocol {
        Protocol::Query => query::encode_error(
            service.xml_namespace(),
            error.kind(),
            &error.code,
            &error.message,
            request_id,
        ),
        Protocol::Json => json::encode(&error_fields(error, error.code.to_string(), service)),
        Protocol::RestJson => {
            json::encode(&Fields::new().with("message", error.message.to_string()))
        }
        Protocol::Cbor => {
            let name = format!("{}#{}", service.shape_namespace(), shape_name(&error.code));
            cbor::encode(&error_fields(error, name, service))
        }
    };
    let mut response = plain(error.status, protocol.content_type(), body, request_id);
    mark_cbor(protocol, &mut response);
    let headers = response.headers_mut();
    if protocol == Protocol::RestJson
        && let Ok(code) = HeaderValue::from_str(&error.code)
    {
        headers.insert("x-amzn-errortype", code);
    }
    if service == Service::CloudWatch && protocol != Protocol::Query {
        // The service once spoke the query protocol, and clients still go by that error's code.
        let code = format!("{};{}", error.code, error.kind());
        if let Ok(code) = HeaderValue::from_str(&code) {
            headers.insert("x-amzn-query-error", code);
        }
    }
    response
}

fn error_fields(error: &ApiError, name: String, service: Service) -> Fields {
    let message = match service {
        Service::Organizations | Service::CloudTrail => "Message",
        _ => "message",
    };
    let mut fields = Fields::new().with("__type", name);
    if !error.message.is_empty() {
        fields = fields.with(message, error.message.to_string());
    }
    for (name, value) in error.members.iter() {
        fields = fields.with(name, value.clone());
    }
    fields
}

/// CloudWatch's model names some errors otherwise than its query protocol does.
fn shape_name(code: &str) -> &str {
    match code {
        "InvalidParameterValue" => "InvalidParameterValueException",
        "MissingParameter" => "MissingRequiredParameterException",
        "InternalServiceError" => "InternalServiceFault",
        other => other,
    }
}

fn mark_cbor(protocol: Protocol, response: &mut Response<Vec<u8>>) {
    if protocol == Protocol::Cbor {
        let name = HeaderValue::from_static("rpc-v2-cbor");
        response.headers_mut().insert("smithy-protocol", name);
    }
}

fn plain(
    status: u16,
    content_type: &'static str,
    body: Vec<u8>,
    request_id: &str,
) -> Response<Vec<u8>> {
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(request_id) = HeaderValue::from_str(request_id) {
        headers.insert("x-amzn-requestid", request_id);
    }
    response
}

fn send(response: Response<Vec<u8>>) -> Reply {
    Reply {
        delay: None,
        action: Action::Send(response),
    }
}

fn half(mut response: Response<Vec<u8>>) -> Response<Vec<u8>> {
    let length = response.body().len() / 2;
    response.body_mut().truncate(length.max(1));
    response
}

/// A panic in a test's closure must not make every later request fail as well.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}
