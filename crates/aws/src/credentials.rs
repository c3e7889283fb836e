//! The credentials of assumed roles: in memory only, for as long as they last.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use aws_credential_types::Credentials;
use dashmap::{DashMap, DashSet};
use jiff::{SignedDuration, Timestamp};
use model::AccountId;

use crate::CallError;

/// Credentials are renewed at least this long before they expire, so that no call outlives them.
const RENEW_BEFORE_EXPIRY: SignedDuration = SignedDuration::from_mins(5);
/// They are renewed up to this much earlier, by chance: what was issued in one rush is not renewed
/// in one.
const RENEWAL_SPREAD: SignedDuration = SignedDuration::from_mins(5);
/// How often what has expired is looked for.
const CLEANING: SignedDuration = SignedDuration::from_mins(10);
/// What AWS always grants, and the most that it grants to a role assumed by a role.
const ONE_HOUR: i32 = 3600;

/// One account's credentials. Whoever comes second waits for the first to get them.
type Slot = Arc<tokio::sync::Mutex<Option<Issued>>>;

/// Credentials by account, across sweeps.
#[derive(Default)]
pub(crate) struct Sessions {
    by_account: DashMap<AccountId, Slot>,
    cleaned: Mutex<Timestamp>,
    /// Accounts whose role does not allow sessions as long as configured.
    short: DashSet<AccountId>,
    /// AWS said that the caller is a role itself, whose sessions in other roles last an hour.
    is_chained: AtomicBool,
}

/// Credentials, and until when they are good.
#[derive(Clone)]
pub(crate) struct Issued {
    pub(crate) credentials: Credentials,
    expires: Timestamp,
    renew_at: Timestamp,
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued")
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

impl Issued {
    /// `chance` in [0, 1] decides how early within the spread they are renewed.
    pub(crate) fn new(credentials: Credentials, expires: Timestamp, chance: f64) -> Self {
        let earlier = SignedDuration::try_from_secs_f64(RENEWAL_SPREAD.as_secs_f64() * chance);
        let before = RENEW_BEFORE_EXPIRY + earlier.unwrap_or_default();
        Self {
            credentials,
            expires,
            renew_at: expires.checked_sub(before).unwrap_or(expires),
        }
    }

    pub(crate) fn is_good(&self, now: Timestamp) -> bool {
        now < self.renew_at
    }
}

impl Sessions {
    pub(crate) fn slot(&self, account: AccountId) -> Slot {
        Arc::clone(&self.by_account.entry(account).or_default())
    }

    /// How long a session to ask for.
    pub(crate) fn seconds(&self, account: AccountId, wanted: i32) -> i32 {
        if wanted > ONE_HOUR && (self.is_chained.load(Relaxed) || self.short.contains(&account)) {
            ONE_HOUR
        } else {
            wanted
        }
    }

    /// Remembers a refusal of a long session. Returns whether there is a shorter one to ask for.
    ///
    /// AWS gives one code for all invalid parameters; only its message tells which.
    pub(crate) fn is_too_long(&self, account: AccountId, asked: i32, error: &CallError) -> bool {
        let message = &error.gap.sample.message;
        if asked <= ONE_HOUR
            || error.code.as_deref() != Some("ValidationError")
            || !message.contains("DurationSeconds exceeds")
        {
            return false;
        }
        if message.contains("role chaining") {
            if !self.is_chained.swap(true, Relaxed) {
                tracing::debug!("sessions last an hour: the caller is an assumed role itself");
            }
        } else if self.short.insert(account) {
            tracing::debug!(account.id = %account, "sessions last an hour here: the role allows no longer ones");
        }
        true
    }

    /// Lets go of credentials that have expired, now and then.
    pub(crate) fn clean(&self, now: Timestamp) {
        {
            let mut cleaned = self.cleaned.lock().unwrap_or_else(PoisonError::into_inner);
            if now.duration_since(*cleaned) < CLEANING {
                return;
            }
            *cleaned = now;
        }
        self.by_account.retain(|_, slot| {
            // Who holds the slot is about to use it or to fill it.
            Arc::strong_count(slot) > 1
                || slot
                    .try_lock()
                    .is_ok_and(|held| held.as_ref().is_some_and(|issued| now < issued.expires))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Api, call_error::Failure};
    use model::GapClass;

    fn account(id: &str) -> AccountId {
        id.parse().unwrap()
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    fn issued(expires: Timestamp, chance: f64) -> Issued {
        let token = Some("TOKEN".to_owned());
        let credentials = Credentials::new("AKID", "SECRET", token, None, "test");
        Issued::new(credentials, expires, chance)
    }

    fn refusal(message: &str) -> CallError {
        let failure = Failure {
            class: GapClass::Other,
            code: Some("ValidationError".to_owned()),
            message: message.to_owned(),
            request_id: None,
            retry_after: None,
        };
        let region = "us-east-1".parse().unwrap();
        CallError::new(Api::AssumeRole, None, &region, None, failure)
    }

    #[test]
    fn credentials_are_renewed_before_they_expire_and_not_all_at_once() {
        let (late, early) = (issued(at(60), 0.0), issued(at(60), 1.0));
        assert!(late.is_good(at(54)) && !late.is_good(at(55)));
        assert!(early.is_good(at(49)) && !early.is_good(at(50)));
    }

    #[test]
    fn a_role_that_allows_an_hour_is_asked_for_an_hour_from_then_on() {
        let sessions = Sessions::default();
        let (one, other) = (account("111111111111"), account("222222222222"));
        assert_eq!(sessions.seconds(one, 43_200), 43_200);
        let error = refusal(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        );
        assert!(sessions.is_too_long(one, 43_200, &error));
        assert_eq!(sessions.seconds(one, 43_200), 3600);
        assert_eq!(sessions.seconds(one, 900), 900);
        assert_eq!(sessions.seconds(other, 43_200), 43_200);
        assert!(
            !sessions.is_too_long(one, 3600, &error),
            "no shorter one to try"
        );
    }

    #[test]
    fn role_chaining_caps_the_sessions_of_all_accounts() {
        let sessions = Sessions::default();
        let error = refusal(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        );
        assert!(sessions.is_too_long(account("111111111111"), 7200, &error));
        assert_eq!(sessions.seconds(account("222222222222"), 7200), 3600);
    }

    #[test]
    fn another_invalid_parameter_says_nothing_of_the_duration() {
        let sessions = Sessions::default();
        let error = refusal("1 validation error detected: Value 'x' at 'externalId'");
        assert!(!sessions.is_too_long(account("111111111111"), 7200, &error));
    }

    #[tokio::test]
    async fn what_has_expired_is_let_go() {
        let sessions = Sessions::default();
        for (id, expires) in [("111111111111", 60), ("222222222222", 720)] {
            *sessions.slot(account(id)).lock().await = Some(issued(at(expires), 0.0));
        }
        let held = sessions.slot(account("333333333333"));
        sessions.clean(at(100));
        assert!(!sessions.by_account.contains_key(&account("111111111111")));
        assert!(sessions.by_account.contains_key(&account("222222222222")));
        assert!(sessions.by_account.contains_key(&account("333333333333")));
        drop(held);
    }

    #[test]
    fn secrets_do_not_show() {
        let issued = issued(at(60), 0.0);
        let target = crate::Target {
            region: aws_types::region::Region::new("us-east-1"),
            credentials: Some(issued.credentials.clone()),
        };
        for shown in [format!("{issued:?}"), format!("{target:?}")] {
            assert!(
                !shown.contains("SECRET") && !shown.contains("TOKEN"),
                "{shown}"
            );
        }
    }
}
