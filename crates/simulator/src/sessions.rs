//! Who signed: the caller's static key, and the keys that AssumeRole handed out.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::permissions::Policy;
use crate::world::World;

/// A session that AssumeRole opened, as a test may look at it. Keys and tokens are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    pub account: String,
    /// With its path, if it has one.
    pub role: String,
    pub session_name: String,
    pub source_identity: Option<String>,
    pub external_id: Option<String>,
    /// The policy that the caller narrowed the session with, as it was sent.
    pub policy: Option<Arc<str>>,
    pub issued: Timestamp,
    pub expires: Timestamp,
}

/// A session with its secrets.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) record: SessionRecord,
    pub(crate) token: String,
    pub(crate) policy: Option<Arc<Policy>>,
    pub(crate) principal_arn: String,
    pub(crate) role_id: String,
}

/// Who signed a request.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) account: String,
    pub(crate) arn: String,
    pub(crate) user_id: String,
    pub(crate) session: Option<Arc<Session>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotIdentified {
    Unknown,
    Expired,
}

#[derive(Debug, Default)]
pub(crate) struct Sessions {
    by_key: HashMap<String, Arc<Session>>,
    /// Thousands of sessions share one policy text.
    policies: HashMap<Arc<str>, Arc<Policy>>,
    purge_at: usize,
}

impl Sessions {
    pub(crate) fn open(&mut self, access_key_id: String, session: Session, now: Timestamp) {
        // An expired key is kept for a while, so that its holder is told why it fails.
        const REMEMBERED_SECONDS: i64 = 3600;
        if self.by_key.len() >= self.purge_at.max(1024) {
            self.by_key.retain(|_, session| {
                session.record.expires.as_second() + REMEMBERED_SECONDS > now.as_second()
            });
            self.purge_at = self.by_key.len().saturating_mul(2);
        }
        self.by_key.insert(access_key_id, Arc::new(session));
    }

    /// Reads a session policy, or finds it read already.
    pub(crate) fn policy(&mut self, text: &str) -> Result<(Arc<str>, Arc<Policy>), String> {
        if let Some((text, policy)) = self.policies.get_key_value(text) {
            return Ok((Arc::clone(text), Arc::clone(policy)));
        }
        let (text, policy) = (Arc::<str>::from(text), Arc::new(Policy::parse(text)?));
        self.policies.insert(Arc::clone(&text), Arc::clone(&policy));
        Ok((text, policy))
    }

    pub(crate) fn identify(
        &self,
        world: &World,
        access_key_id: &str,
        token: Option<&str>,
        now: Timestamp,
    ) -> Result<Identity, NotIdentified> {
        if let Some(session) = self.by_key.get(access_key_id) {
            if token != Some(session.token.as_str()) {
                return Err(NotIdentified::Unknown);
            }
            if session.record.expires <= now {
                return Err(NotIdentified::Expired);
            }
            return Ok(Identity {
                account: session.record.account.clone(),
                arn: session.principal_arn.clone(),
                user_id: format!("{}:{}", session.role_id, session.record.session_name),
                session: Some(Arc::clone(session)),
            });
        }
        let caller = &world.caller;
        if access_key_id != caller.access_key_id || token.is_some() {
            return Err(NotIdentified::Unknown);
        }
        let service = if caller.principal.starts_with("assumed-role/") {
            "sts"
        } else {
            "iam"
        };
        Ok(Identity {
            account: caller.account.clone(),
            arn: format!(
                "arn:{}:{service}::{}:{}",
                world.partition.name(),
                caller.account,
                caller.principal
            ),
            user_id: "AIDASIMULATEDCALLER77".to_owned(),
            session: None,
        })
    }

    pub(crate) fn records(&self) -> Vec<SessionRecord> {
        let mut records: Vec<_> = self
            .by_key
            .values()
            .map(|session| session.record.clone())
            .collect();
        records.sort_by(|a, b| (a.issued, &a.account).cmp(&(b.issued, &b.account)));
        records
    }
}
