//! Tags of accounts that decide nothing, read to be remembered.

use aws::CallError;
use model::{AccountId, GapClass};

/// Whose tags are read. Each account takes a call of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReadTags {
    /// Those of accounts that are in scope or not by their tags.
    #[default]
    WhereTheyDecide,
    /// Those of every account in scope.
    OfAllInScope,
}

/// How reading them goes.
#[derive(Debug)]
pub(crate) struct TagReading {
    wanted: ReadTags,
    /// How many accounts could not be asked about, or were not any more.
    unread: u64,
    first: Option<(AccountId, CallError)>,
}

impl TagReading {
    pub(crate) fn of(wanted: ReadTags) -> Self {
        Self {
            wanted,
            unread: 0,
            first: None,
        }
    }

    /// Whether the next account is to be asked about. Who may not read those of one account may not read
    /// those of ten thousand, each with a call of its own.
    pub(crate) fn is_wanted(&mut self) -> bool {
        if self.wanted == ReadTags::WhereTheyDecide {
            return false;
        }
        let is_denied =
            (self.first.as_ref()).is_some_and(|(_, error)| error.class() == GapClass::AccessDenied);
        self.unread += u64::from(is_denied);
        !is_denied
    }

    /// Notes that the tags of an account could not be read.
    pub(crate) fn failed(&mut self, account: AccountId, error: CallError) {
        self.unread += 1;
        self.first.get_or_insert((account, error));
    }

    /// What is to be said of it, if anything is.
    pub(crate) fn notice(&self) -> Option<String> {
        let (account, error) = self.first.as_ref()?;
        let whose = match self.unread {
            1 => format!("the tags of account {account}"),
            several => format!("the tags of {several} accounts, such as {account},"),
        };
        Some(format!(
            "{whose} could not be read, and stay what they were when they last could: {error}"
        ))
    }
}
