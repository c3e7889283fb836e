//! Settings, and the one connection to AWS that everything shares.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_config::{BehaviorVersion, ConfigLoader, retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::Credentials;
use aws_smithy_http_client::{Builder as HttpClientBuilder, Connector, proxy::ProxyConfig, tls};
use aws_smithy_runtime_api::client::{
    orchestrator::HttpResponse, runtime_components::RuntimeComponents,
};
use aws_types::{SdkConfig, app_name::AppName};
use model::{AccountId, Arn, Clock, GapClass, Partition, Region};
use rand::{SeedableRng as _, rngs::StdRng};

use crate::{
    Api, CallCounts, CallError, CallStatistics, Clients, Target, call_error::Failure,
    credentials::Sessions, metrics::CallMetrics, rate_limit::RateLimits,
    retry_budget::RetryBudgets, session_policy,
};

/// How roles are assumed.
#[derive(Debug, Clone, PartialEq)]
pub struct RoleSettings {
    /// The role in each account: its name, with its path if it has one.
    pub role_name: String,
    /// Accounts whose role has another name. An entry for the account of the ambient credentials
    /// makes that one be entered through a role as well.
    pub overrides: BTreeMap<AccountId, String>,
    /// The external id that the trust policies ask for.
    pub external_id: Option<String>,
    /// The name under which CloudTrail shows the scanner's calls; stable for the process.
    pub session_name: String,
    /// The source identity, for trust policies that ask for one.
    pub source_identity: Option<String>,
    /// How long credentials last, in seconds: 900 to 43,200. Where AWS refuses more than an hour,
    /// it is an hour.
    pub session_seconds: i32,
}

/// Patience: timeouts, attempts and backoff.
#[derive(Debug, Clone, PartialEq)]
pub struct Timing {
    /// The time to connect.
    pub connect: Duration,
    /// The time for one attempt, from the first byte sent to the last byte read.
    pub attempt: Duration,
    /// How often a call is tried that was throttled, timed out or hit a server error.
    pub attempts: u32,
    /// The bound of the first backoff; it doubles with each attempt.
    pub backoff: Duration,
    /// The bound that backoff never exceeds.
    pub backoff_limit: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            attempt: Duration::from_secs(25),
            attempts: 5,
            backoff: Duration::from_millis(100),
            backoff_limit: Duration::from_secs(10),
        }
    }
}

/// Everything that decides how AWS is talked to.
#[derive(Debug, Clone, PartialEq)]
pub struct AwsSettings {
    /// How roles are assumed.
    pub role: RoleSettings,
    /// The calls that assumed sessions may make.
    pub session_apis: Vec<Api>,
    /// The part of each account's quotas that may be used, in (0, 1].
    pub quota_share: f64,
    /// Patience.
    pub timing: Timing,
    /// The profile to take credentials from, instead of the default one.
    pub profile: Option<String>,
    /// Where the jitter comes from.
    pub seed: u64,
    /// An endpoint and static credentials instead of what the environment says: the simulator's.
    pub simulator: Option<SimulatorAccess>,
}

/// How to reach a simulator in this process.
#[derive(Clone, PartialEq)]
pub struct SimulatorAccess {
    /// Its URL.
    pub endpoint_url: String,
    /// The caller's access key id.
    pub access_key_id: String,
    /// The caller's secret access key.
    pub secret_access_key: String,
    /// The region that the caller is set up for.
    pub region: Region,
}

impl fmt::Debug for SimulatorAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatorAccess")
            .field("endpoint_url", &self.endpoint_url)
            .finish_non_exhaustive()
    }
}

/// Why no connection could be set up.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nothing in the chain of credential providers gave credentials.
    #[error(
        "no AWS credentials were found or accepted\n  tried: environment variables, the profile{}, web identity, container and instance metadata\n  the AWS SDK said: {}\n  help: set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in with `aws sso login`; `scanner demo` needs no AWS account",
        .profile.as_ref().map(|name| format!(" `{name}`")).unwrap_or_default(), .failure.gap.sample.message
    )]
    NoCredentials {
        /// The profile that was asked for.
        profile: Option<String>,
        /// What the first call came to.
        failure: Box<CallError>,
    },
    /// STS could not be asked who we are.
    #[error("AWS could not be asked whose credentials these are: {0}")]
    CallerIdentity(#[source] CallError),
    /// STS answered something that names no account.
    #[error("sts:GetCallerIdentity named the account and ARN {0}, which cannot be understood")]
    UnreadableIdentity(String),
}

/// The connection: cheap to clone, shared by everything.
#[derive(Clone)]
pub struct Aws(Arc<Shared>);

struct Shared {
    settings: AwsSettings,
    clients: Clients,
    limits: RateLimits,
    retry_budgets: RetryBudgets,
    /// What assumed sessions are narrowed to.
    session_policy: String,
    sessions: Sessions,
    metrics: CallMetrics,
    clock: Arc<dyn Clock>,
    chance: Mutex<StdRng>,
    caller: Caller,
    sts_region: Region,
}

impl Aws {
    /// Loads the ambient credentials as the AWS CLI would, builds the clients, and asks STS whose
    /// credentials they are.
    pub async fn connect(
        settings: AwsSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConnectError> {
        let config = sdk_config(&settings).await;
        let clients = Clients::new(&config);
        let region = config
            .region()
            .and_then(|region| region.as_ref().parse().ok());
        let sts_region: Region = region.unwrap_or_else(|| Partition::new("aws").default_region());
        let caller = who_are_we(&clients, &sts_region, &settings).await?;
        Ok(Self(Arc::new(Shared {
            limits: RateLimits::new(settings.quota_share),
            retry_budgets: RetryBudgets::default(),
            session_policy: session_policy(&settings.session_apis),
            chance: Mutex::new(StdRng::seed_from_u64(settings.seed)),
            settings,
            clients,
            sessions: Sessions::default(),
            metrics: CallMetrics::default(),
            clock,
            caller,
            sts_region,
        })))
    }

    /// The account of the ambient credentials.
    pub fn caller(&self) -> AccountId {
        self.0.caller.account
    }

    /// Who the ambient credentials are, as an ARN.
    pub fn caller_arn(&self) -> &Arn {
        &self.0.caller.arn
    }

    /// The partition of the ambient credentials: roles cannot be assumed across partitions.
    pub fn partition(&self) -> Partition {
        self.0.caller.arn.partition()
    }

    /// Whether calls to this account are signed with the ambient credentials, which no session
    /// policy can narrow.
    pub fn uses_ambient_credentials(&self, account: AccountId) -> bool {
        account == self.caller() && !self.role_settings().overrides.contains_key(&account)
    }

    /// The role that is assumed in an account.
    pub fn role_arn(&self, account: AccountId) -> String {
        let role = self.role_settings();
        let name = role.overrides.get(&account).unwrap_or(&role.role_name);
        format!(
            "arn:{}:iam::{account}:role/{}",
            self.partition(),
            name.trim_start_matches('/')
        )
    }

    /// The SDK clients.
    pub fn clients(&self) -> &Clients {
        &self.0.clients
    }

    /// Attempts by operation and outcome, since the connection was made.
    pub fn call_counts(&self) -> CallCounts {
        self.0.metrics.counts()
    }

    /// What calls cost since the connection was made: outcomes, retries, waits, queues that AWS
    /// made slower.
    pub fn call_statistics(&self) -> CallStatistics {
        self.0.metrics.statistics(self.0.limits.slowed())
    }

    /// Shows in the metrics how much AWS has slowed the queues.
    pub fn show_pace(&self) {
        crate::metrics::show_pace(&self.0.limits.slowed());
    }

    /// How many attempts were sent in all.
    pub fn calls_sent(&self) -> u64 {
        self.0.metrics.total()
    }

    /// How many calls wait for a quota of the caller's that all accounts share. It is not their
    /// account that holds these up, and more of them would only wait longer.
    pub fn calls_in_shared_queues(&self) -> usize {
        self.0.metrics.in_shared_queues()
    }

    pub(crate) fn role_settings(&self) -> &RoleSettings {
        &self.0.settings.role
    }

    pub(crate) fn session_policy(&self) -> &str {
        &self.0.session_policy
    }

    pub(crate) fn timing(&self) -> &Timing {
        &self.0.settings.timing
    }

    pub(crate) fn retry_budgets(&self) -> &RetryBudgets {
        &self.0.retry_budgets
    }

    pub(crate) fn limits(&self) -> &RateLimits {
        &self.0.limits
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    pub(crate) fn metrics(&self) -> &CallMetrics {
        &self.0.metrics
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.0.clock.as_ref()
    }

    pub(crate) fn chance(&self) -> MutexGuard<'_, StdRng> {
        self.0.chance.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn sts_region(&self) -> &Region {
        &self.0.sts_region
    }
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws")
            .field("caller", &self.0.caller)
            .finish_non_exhaustive()
    }
}

/// The SDK's configuration: the environment's, with one HTTP client, our timeouts and no retries
/// of the SDK.
async fn sdk_config(settings: &AwsSettings) -> SdkConfig {
    let timing = &settings.timing;
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(timing.connect)
        .read_timeout(timing.attempt)
        .operation_attempt_timeout(timing.attempt)
        .operation_timeout(timing.attempt + timing.connect)
        .build();
    // The simulator is in this process: no proxy stands before it.
    let is_simulated = settings.simulator.is_some();
    let http = HttpClientBuilder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().proxy_config(if is_simulated {
            ProxyConfig::disabled()
        } else {
            ProxyConfig::from_env()
        });
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector
            .tls_provider(tls::Provider::Rustls(
                tls::rustls_provider::CryptoMode::AwsLc,
            ))
            .build()
    });
    let mut loader: ConfigLoader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts);
    if let Ok(name) = AppName::new("org-change-scanner") {
        loader = loader.app_name(name);
    }
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(simulator) = &settings.simulator {
        let region = aws_types::region::Region::new(simulator.region.as_str().to_owned());
        loader = loader
            .endpoint_url(&simulator.endpoint_url)
            .use_fips(false)
            .use_dual_stack(false)
            .region(region)
            .credentials_provider(Credentials::new(
                &simulator.access_key_id,
                &simulator.secret_access_key,
                None,
                None,
                "simulator",
            ));
    }
    loader.load().await
}

#[derive(Debug)]
struct Caller {
    account: AccountId,
    arn: Arn,
}

async fn who_are_we(
    clients: &Clients,
    region: &Region,
    settings: &AwsSettings,
) -> Result<Caller, ConnectError> {
    let target = Target {
        region: aws_types::region::Region::new(region.as_str().to_owned()),
        credentials: None,
    };
    let send = || {
        clients
            .sts
            .get_caller_identity()
            .customize()
            .config_override(target.sts())
            .send()
    };
    let mut answer = send().await;
    for _ in 1..settings.timing.attempts {
        match &answer {
            Err(error)
                if Failure::of(error)
                    .is_worth_retrying(error.raw_response().map(HttpResponse::status)) =>
            {
                tokio::time::sleep(settings.timing.backoff * 2).await;
                answer = send().await;
            }
            _ => break,
        }
    }
    let identity = answer.map_err(|error| {
        let source = CallError::new(
            Api::GetCallerIdentity,
            None,
            region,
            None,
            Failure::of(&error),
        );
        if source.class() == GapClass::CredentialsInvalid {
            ConnectError::NoCredentials {
                profile: settings.profile.clone(),
                failure: Box::new(source),
            }
        } else {
            ConnectError::CallerIdentity(source)
        }
    })?;
    let named = format!("{:?} {:?}", identity.account(), identity.arn());
    (identity.account.as_deref().and_then(|id| id.parse().ok()))
        .zip(identity.arn.as_deref().and_then(|arn| arn.parse().ok()))
        .map(|(account, arn)| Caller { account, arn })
        .ok_or(ConnectError::UnreadableIdentity(named))
}
