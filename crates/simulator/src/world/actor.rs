//! Who makes a change.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Partition;
use crate::chance::Draw;

/// Who calls, from where and with what. What is left out is that of an administrator.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Actor {
    /// Of a user, a session of a role, or the root user; the session of an administrator of the
    /// account in which the call is recorded when not set.
    pub arn: Option<String>,
    /// The role behind a session; the one that its ARN names when not set.
    pub session_issuer: Option<String>,
    pub source_ip: Option<String>,
    pub user_agent: Option<String>,
    /// The service of AWS that calls for somebody; without an ARN, it calls by itself.
    pub invoked_by: Option<String>,
}

/// An actor as an event tells of it.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// `userIdentity`.
    pub(super) identity: Value,
    pub(super) source_ip: String,
    pub(super) user_agent: String,
    pub(super) username: Option<String>,
    pub(super) access_key_id: Option<String>,
}

const SOURCE_IP: &str = "203.0.113.24";
const USER_AGENT: &str =
    "aws-cli/2.31.4 md/awscrt#0.27.6 ua/2.1 os/linux#6.8.0 md/arch#x86_64 lang/python#3.13.7";

impl Actor {
    /// Somebody with this ARN.
    pub fn with_arn(arn: impl Into<String>) -> Self {
        Self {
            arn: Some(arn.into()),
            ..Self::default()
        }
    }

    /// The actor as CloudTrail writes it in an event of `account`.
    pub(super) fn caller(&self, partition: Partition, account: &str) -> Caller {
        let service = self.invoked_by.as_deref();
        let source_ip = self.source_ip.as_deref().or(service).unwrap_or(SOURCE_IP);
        let user_agent = self.user_agent.as_deref().or(service).unwrap_or(USER_AGENT);
        let caller = |identity, username: Option<&str>, access_key_id| Caller {
            identity,
            source_ip: source_ip.to_owned(),
            user_agent: user_agent.to_owned(),
            username: username.map(str::to_owned),
            access_key_id,
        };
        let arn = match (&self.arn, service) {
            (Some(arn), _) => arn.clone(),
            (None, Some(service)) => {
                let identity = json!({ "type": "AWSService", "invokedBy": service });
                return caller(identity, None, None);
            }
            (None, None) => format!(
                "arn:{}:sts::{account}:assumed-role/Administrator/alice",
                partition.name()
            ),
        };
        let owner = arn.split(':').nth(4).unwrap_or(account).to_owned();
        let principal = arn.splitn(6, ':').nth(5).unwrap_or_default();
        let mut draw = Draw::new(0, &["principal", &arn]);
        let mut identity = json!({ "arn": arn, "accountId": owner });
        if let Some(service) = service {
            identity["invokedBy"] = json!(service);
        }
        if let Some(session) = principal.strip_prefix("assumed-role/") {
            let (role, name) = session.split_once('/').unwrap_or((session, "session"));
            let issuer = self
                .session_issuer
                .clone()
                .unwrap_or_else(|| format!("arn:{}:iam::{owner}:role/{role}", partition.name()));
            let role_id = format!("AROA{}", draw.key_text(17));
            let key = format!("ASIA{}", draw.key_text(16));
            identity["type"] = json!("AssumedRole");
            identity["principalId"] = json!(format!("{role_id}:{name}"));
            identity["accessKeyId"] = json!(key);
            identity["sessionContext"] = json!({
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": role_id,
                    "arn": issuer,
                    "accountId": owner,
                    "userName": role,
                },
                "attributes": { "mfaAuthenticated": "false" },
            });
            return caller(identity, Some(name), Some(key));
        }
        if principal == "root" {
            identity["type"] = json!("Root");
            identity["principalId"] = json!(owner);
            return caller(identity, Some("root"), None);
        }
        let name = principal.rsplit('/').next().unwrap_or(principal);
        let key = format!("AKIA{}", draw.key_text(16));
        identity["type"] = json!("IAMUser");
        identity["principalId"] = json!(format!("AIDA{}", draw.key_text(17)));
        identity["userName"] = json!(name);
        identity["accessKeyId"] = json!(key);
        caller(identity, Some(name), Some(key))
    }
}
