//! STS: who am I, and let me be somebody else.

use jiff::{SignedDuration, Timestamp};

use super::{ArnParts, Call};
use crate::answer::lock;
use crate::api_error::ApiError;
use crate::chance::Draw;
use crate::permissions::find_role;
use crate::service::Service;
use crate::sessions::{Session, SessionRecord};
use crate::value::Fields;
use crate::world::{Account, AccountState, Role};

const SHORTEST_SESSION: i64 = 900;
const LONGEST_SESSION: i64 = 43_200;
/// What AWS caps a session at that another session opened.
const LONGEST_CHAINED_SESSION: i64 = 3600;
const DEFAULT_SESSION: i64 = 3600;
const LONGEST_POLICY: usize = 2048;

pub(super) fn answer(operation: &str, call: &Call<'_>) -> Result<Fields, ApiError> {
    match operation {
        // AWS asks for no permission here.
        "GetCallerIdentity" => Ok(Fields::new()
            .with("UserId", &call.identity.user_id)
            .with("Account", &call.identity.account)
            .with("Arn", &call.identity.arn)),
        "AssumeRole" => assume_role(call),
        other => Err(Service::Sts.unknown_operation(other)),
    }
}

fn assume_role(call: &Call<'_>) -> Result<Fields, ApiError> {
    let wish = Wish::read(call)?;
    call.authorize("sts:AssumeRole", Some(wish.role_arn))?;
    let (account, role) = enter(call, &wish).ok_or_else(|| {
        // AWS says the same whether the account, the role or the trust is missing.
        Service::Sts.access_denied(format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {}",
            call.identity.arn, wish.role_arn
        ))
    })?;
    check_duration(call, role, wish.seconds)?;

    let policy = match wish.policy {
        Some(text) => {
            let read = lock(call.sessions).policy(text);
            Some(read.map_err(|message| ApiError::new(400, "MalformedPolicyDocument", message))?)
        }
        None => None,
    };
    let mut draw = call.draw.fork("credentials");
    let access_key_id = format!("ASIA{}", draw.key_text(16));
    let secret = draw.key_text(40);
    let token = format!("FwoGZXIvYXdzE{}", draw.key_text(160));
    let role_id = format!(
        "AROA{}",
        Draw::new(0, &[&account.id, &role.name]).key_text(17)
    );
    let name = role.name.rsplit('/').next().unwrap_or(&role.name);
    let principal_arn = format!(
        "arn:{}:sts::{}:assumed-role/{name}/{}",
        call.world.partition.name(),
        account.id,
        wish.session_name
    );
    let expires = call
        .now
        .checked_add(SignedDuration::from_secs(wish.seconds))
        .unwrap_or(Timestamp::MAX);
    let fields = Fields::new()
        .with(
            "Credentials",
            Fields::new()
                .with("AccessKeyId", &access_key_id)
                .with("SecretAccessKey", secret)
                .with("SessionToken", &token)
                .with("Expiration", expires),
        )
        .with(
            "AssumedRoleUser",
            Fields::new()
                .with("AssumedRoleId", format!("{role_id}:{}", wish.session_name))
                .with("Arn", &principal_arn),
        )
        .maybe("PackedPolicySize", wish.policy.map(packed_size))
        .maybe("SourceIdentity", wish.source_identity.map(str::to_owned));
    let session = Session {
        record: SessionRecord {
            account: account.id.clone(),
            role: role.name.clone(),
            session_name: wish.session_name.to_owned(),
            source_identity: wish.source_identity.map(str::to_owned),
            external_id: wish.external_id.map(str::to_owned),
            policy: policy.as_ref().map(|(text, _)| text.clone()),
            issued: call.now,
            expires,
        },
        token,
        policy: policy.map(|(_, policy)| policy),
        principal_arn,
        role_id,
    };
    lock(call.sessions).open(access_key_id, session, call.now);
    Ok(fields)
}

/// What the request asks for, each member within its own bounds.
struct Wish<'a> {
    role_arn: &'a str,
    session_name: &'a str,
    external_id: Option<&'a str>,
    source_identity: Option<&'a str>,
    policy: Option<&'a str>,
    seconds: i64,
}

impl<'a> Wish<'a> {
    fn read(call: &'a Call<'_>) -> Result<Self, ApiError> {
        let params = call.params;
        let wish = Self {
            role_arn: params.required("RoleArn")?,
            session_name: params.required("RoleSessionName")?,
            external_id: params.text("ExternalId")?,
            source_identity: params.text("SourceIdentity")?,
            policy: params.text("Policy")?,
            seconds: params
                .integer("DurationSeconds")?
                .unwrap_or(DEFAULT_SESSION),
        };
        constrain("roleArn", wish.role_arn, 20..=2048, |_| true)?;
        let name = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        constrain("roleSessionName", wish.session_name, 2..=64, name)?;
        if let Some(source) = wish.source_identity {
            constrain("sourceIdentity", source, 2..=64, name)?;
        }
        if let Some(external_id) = wish.external_id {
            constrain("externalId", external_id, 2..=1224, |c| {
                name(c) || ":/".contains(c)
            })?;
        }
        if let Some(policy) = wish.policy {
            constrain("policy", policy, 1..=LONGEST_POLICY, |_| true)?;
        }
        Ok(wish)
    }
}

fn constrain(
    name: &str,
    value: &str,
    length: std::ops::RangeInclusive<usize>,
    letter: impl Fn(char) -> bool,
) -> Result<(), ApiError> {
    if length.contains(&value.chars().count()) && value.chars().all(letter) {
        return Ok(());
    }
    Err(Service::Sts.invalid(format!(
        "1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: \
         Member must satisfy its pattern and have length between {} and {}",
        length.start(),
        length.end()
    )))
}

/// The account and role behind the ARN, if the signer may enter.
fn enter<'a>(call: &Call<'a>, wish: &Wish<'_>) -> Option<(&'a Account, &'a Role)> {
    let arn = ArnParts::parse(wish.role_arn)?;
    if arn.partition != call.world.partition.name()
        || arn.service != "iam"
        || !arn.region.is_empty()
    {
        return None;
    }
    let account = call.world.account(arn.account)?;
    if account.state != AccountState::Active {
        return None;
    }
    let role = find_role(account, arn.resource.strip_prefix("role/")?)?;
    let is_trusted = if role.trusted_accounts.is_empty() {
        account.is_member && call.account.is_member || account.id == call.account.id
    } else {
        role.trusted_accounts.contains(&call.account.id)
    };
    let knows_id = role.external_id.is_none() || role.external_id.as_deref() == wish.external_id;
    (is_trusted && knows_id).then_some((account, role))
}

fn check_duration(call: &Call<'_>, role: &Role, seconds: i64) -> Result<(), ApiError> {
    let message = if !(SHORTEST_SESSION..=LONGEST_SESSION).contains(&seconds) {
        format!(
            "1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to \
             satisfy constraint: Member must have value between {SHORTEST_SESSION} and \
             {LONGEST_SESSION}"
        )
    } else if seconds > role.max_session_seconds {
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.".to_owned()
    } else if seconds > LONGEST_CHAINED_SESSION && is_chained(call) {
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role \
         chaining"
            .to_owned()
    } else {
        return Ok(());
    };
    Err(Service::Sts.invalid(message))
}

/// The caller's own credentials are a session too, where its principal is an assumed role.
fn is_chained(call: &Call<'_>) -> bool {
    call.identity.session.is_some() || call.world.caller.principal.starts_with("assumed-role/")
}

/// AWS packs a policy before it compares it with a limit that it does not tell; percent of it.
fn packed_size(policy: &str) -> i64 {
    i64::try_from(policy.len() * 100 / LONGEST_POLICY).unwrap_or(100)
}
