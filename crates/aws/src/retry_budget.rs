//! How many retries an account may cost.

use std::time::Duration;

use dashmap::DashMap;
use model::AccountId;

/// Retries that an account has at the start.
const CAPACITY: f64 = 10.0;
/// What each answer adds: one retry for ten answers.
const PER_ANSWER: f64 = 0.1;
/// What each minute adds, so that every sweep starts with a full budget.
const PER_MINUTE: f64 = 1.0;

/// The retries that are left, of accounts that lately needed some. An account that needed none has
/// no entry.
#[derive(Default)]
pub(crate) struct RetryBudgets {
    accounts: DashMap<AccountId, Budget>,
}

struct Budget {
    left: f64,
    at: Duration,
}

impl RetryBudgets {
    /// Takes one retry, if one is left.
    pub(crate) fn take(&self, account: AccountId, now: Duration) -> bool {
        let mut budget = self.accounts.entry(account).or_insert(Budget {
            left: CAPACITY,
            at: now,
        });
        budget.advance(now);
        let may = budget.left >= 1.0;
        if may {
            budget.left -= 1.0;
        }
        may
    }

    /// An answer came: a part of a retry is given back.
    pub(crate) fn earn(&self, account: AccountId, now: Duration) {
        self.accounts.remove_if_mut(&account, |_, budget| {
            budget.advance(now);
            budget.left += PER_ANSWER;
            budget.left >= CAPACITY
        });
    }
}

impl Budget {
    fn advance(&mut self, now: Duration) {
        let minutes = now.saturating_sub(self.at).as_secs_f64() / 60.0;
        self.left = (self.left + minutes * PER_MINUTE).min(CAPACITY);
        self.at = self.at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::ZERO;

    fn account(id: &str) -> AccountId {
        id.parse().unwrap()
    }

    fn retries_left(budgets: &RetryBudgets, account: AccountId, now: Duration) -> usize {
        (0..1000).take_while(|_| budgets.take(account, now)).count()
    }

    #[test]
    fn an_account_has_ten_retries_and_one_more_for_ten_answers() {
        let (one, other) = (account("111111111111"), account("222222222222"));
        let budgets = RetryBudgets::default();
        assert_eq!(retries_left(&budgets, one, START), 10);
        assert_eq!(retries_left(&budgets, other, START), 10, "its own");
        for _ in 0..31 {
            budgets.earn(one, START);
        }
        assert_eq!(retries_left(&budgets, one, START), 3);
    }

    #[test]
    fn a_budget_is_full_again_by_the_next_sweep_and_never_more_than_full() {
        let one = account("111111111111");
        let budgets = RetryBudgets::default();
        assert_eq!(retries_left(&budgets, one, START), 10);
        assert_eq!(retries_left(&budgets, one, Duration::from_hours(1)), 10);
    }

    #[test]
    fn an_account_that_recovered_leaves_nothing_behind() {
        let one = account("111111111111");
        let budgets = RetryBudgets::default();
        assert!(budgets.take(one, START));
        for _ in 0..11 {
            budgets.earn(one, START);
        }
        assert!(budgets.accounts.is_empty());
    }
}
