//! What makes a simulated AWS as slow and as strict as the real one: quotas, latency, and accounts
//! that are worse than the rest.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

use crate::chance::Draw;
use crate::latency::Latency;
use crate::service::Service;

/// Everything is off at first: answers come at once and as often as they are asked for.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Load {
    /// Enforces AWS's quotas, rates and bursts multiplied by this.
    pub quotas: Option<f64>,
    /// What every answer takes.
    pub latency: Option<Latency>,
    /// What the answers of a service take instead, by its IAM prefix: `logs`.
    pub latency_of: BTreeMap<String, Latency>,
    /// Accounts whose own answers take longer. Entering them does not: STS answers that.
    pub slow_accounts: Option<SlowAccounts>,
    /// The share of accounts that answer everything with a throttling error, once entered.
    pub throttling_accounts: f64,
}

/// A share of the accounts, and what their answers take: `0.2:2s`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct SlowAccounts {
    /// From 0 to 1. Which accounts they are depends on the seed.
    pub share: f64,
    pub latency: Latency,
}

/// A text that says no slow accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a share and a time such as 0.2:2s")]
pub struct SlowAccountsError;

impl FromStr for SlowAccounts {
    type Err = SlowAccountsError;

    fn from_str(text: &str) -> Result<Self, SlowAccountsError> {
        let (share, latency) = text.split_once(':').ok_or(SlowAccountsError)?;
        let share = share.parse().map_err(|_| SlowAccountsError)?;
        if !(0.0..=1.0).contains(&share) {
            return Err(SlowAccountsError);
        }
        let latency = latency.parse().map_err(|_| SlowAccountsError)?;
        Ok(Self { share, latency })
    }
}

impl TryFrom<String> for SlowAccounts {
    type Error = SlowAccountsError;

    fn try_from(text: String) -> Result<Self, SlowAccountsError> {
        text.parse()
    }
}

impl Load {
    /// Quotas as AWS has them, and answers that take 50 ms, one in a hundred more than 150 ms.
    pub fn realistic() -> Self {
        Self {
            quotas: Some(1.0),
            latency: Some(Latency {
                median: Duration::from_millis(50),
                p99: Duration::from_millis(150),
            }),
            ..Self::default()
        }
    }

    /// How long this answer takes.
    pub(crate) fn delay(
        &self,
        seed: u64,
        service: Service,
        signer: &Signer<'_>,
        draw: &Draw,
    ) -> Duration {
        let slow = self
            .slow_accounts
            .filter(|slow| signer.is_among(seed, "slow accounts", slow.share));
        let latency = slow
            .map(|slow| slow.latency)
            .or_else(|| self.latency_of.get(service.name()).copied())
            .or(self.latency);
        latency.map_or(Duration::ZERO, |latency| {
            latency.draw(&mut draw.fork("latency"))
        })
    }

    /// Whether the signer's account throttles whatever it is asked.
    pub(crate) fn throttles(&self, seed: u64, signer: &Signer<'_>) -> bool {
        signer.is_among(seed, "throttling accounts", self.throttling_accounts)
    }
}

/// Whose credentials signed a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signer<'a> {
    pub(crate) account: &'a str,
    /// The caller's own account is as good as any: without it there would be no sweep at all.
    pub(crate) is_caller: bool,
}

impl Signer<'_> {
    fn is_among(&self, seed: u64, what: &str, share: f64) -> bool {
        share > 0.0 && !self.is_caller && Draw::new(seed, &[what, self.account]).fraction() < share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_the_share_of_the_accounts_is_slow_and_always_the_same_ones() {
        let load = Load {
            slow_accounts: Some("0.2:2s".parse().unwrap()),
            ..Load::default()
        };
        let is_slow = |number: u32, is_caller| {
            let account = format!("{number:012}");
            let signer = Signer {
                account: &account,
                is_caller,
            };
            let delay = load.delay(1, Service::Logs, &signer, &Draw::new(number.into(), &[]));
            assert!(delay.is_zero() || delay == Duration::from_secs(2));
            !delay.is_zero()
        };
        let count = (0..10_000).filter(|number| is_slow(*number, false)).count();
        assert!((1_850..2_150).contains(&count), "{count}");
        assert!((0..100).all(|number| is_slow(number, false) == is_slow(number, false)));
        assert!(!(0..1_000).any(|number| is_slow(number, true)));
    }

    #[test]
    fn a_service_may_answer_at_its_own_pace() {
        let fixed = |milliseconds| Latency::fixed(Duration::from_millis(milliseconds));
        let load = Load {
            latency: Some(fixed(50)),
            latency_of: BTreeMap::from([("logs".to_owned(), fixed(80))]),
            ..Load::default()
        };
        let signer = Signer {
            account: "111111111111",
            is_caller: true,
        };
        let delay = |service| load.delay(1, service, &signer, &Draw::new(1, &[]));
        assert_eq!(delay(Service::Logs), Duration::from_millis(80));
        assert_eq!(delay(Service::Sns), Duration::from_millis(50));
    }

    #[test]
    fn a_share_is_between_none_and_all() {
        for text in ["0.2", "1.1:2s", "-0.1:2s", "NaN:2s", "0.2:soon"] {
            assert_eq!(text.parse::<SlowAccounts>(), Err(SlowAccountsError));
        }
    }
}
