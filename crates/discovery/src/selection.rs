//! Which accounts are in scope.

use std::{fmt, str::FromStr};

use globset::{GlobBuilder, GlobMatcher};
use model::{Account, AccountId};

/// One condition on an account, as the user writes it.
///
/// Twelve digits are an account id, `ou-…` or `r-…` an OU or root (with everything below it),
/// `tag:KEY=VALUE` a tag, anything else a glob over the account's name.
#[derive(Debug, Clone)]
pub enum Selector {
    /// This account.
    Account(AccountId),
    /// Accounts in this OU or root, directly or further down.
    Ou(String),
    /// Accounts with this tag.
    Tag {
        /// The key.
        key: String,
        /// The value.
        value: String,
    },
    /// Accounts whose name fits.
    Name(Box<GlobMatcher>),
}

/// A selector that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// `--account` was given something else.
    #[error("`{0}` is not an account id: expected twelve digits")]
    AccountId(String),
    /// `--ou` was given something else.
    #[error("`{0}` is not the id of an OU or root: expected ou-xxxx-xxxxxxxx or r-xxxx")]
    Ou(String),
    /// `--tag` was given something else.
    #[error("`{0}` is not a tag: expected KEY=VALUE")]
    Tag(String),
    /// The glob is malformed.
    #[error("`{text}` is not a glob over account names: {why}")]
    Glob {
        /// The glob as given.
        text: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Selector {
    /// Reads an account id.
    pub fn account(text: &str) -> Result<Self, SelectionError> {
        text.parse()
            .map(Self::Account)
            .map_err(|_| SelectionError::AccountId(shown(text)))
    }

    /// Reads the id of an OU or root.
    pub fn ou(text: &str) -> Result<Self, SelectionError> {
        let is_id = |prefix: &str| {
            text.strip_prefix(prefix).is_some_and(|rest| {
                rest.len() >= 4
                    && rest
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            })
        };
        if is_id("ou-") || is_id("r-") {
            Ok(Self::Ou(text.to_owned()))
        } else {
            Err(SelectionError::Ou(shown(text)))
        }
    }

    /// Reads `KEY=VALUE`.
    pub fn tag(text: &str) -> Result<Self, SelectionError> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok(Self::Tag {
                key: key.to_owned(),
                value: value.to_owned(),
            }),
            _ => Err(SelectionError::Tag(shown(text))),
        }
    }

    /// Reads a glob over account names.
    pub fn name(text: &str) -> Result<Self, SelectionError> {
        let error = |why: String| SelectionError::Glob {
            text: shown(text),
            why,
        };
        if text.is_empty() {
            return Err(error("it is empty".to_owned()));
        }
        GlobBuilder::new(text)
            .build()
            .map(|glob| Self::Name(Box::new(glob.compile_matcher())))
            .map_err(|failure| error(failure.kind().to_string()))
    }

    /// Whether it takes a question to AWS to decide.
    fn needs_tags(&self) -> bool {
        matches!(self, Self::Tag { .. })
    }

    fn takes(&self, account: &Account) -> bool {
        match self {
            Self::Account(id) => account.id == *id,
            Self::Ou(ou) => account
                .ou_path
                .as_ref()
                .is_some_and(|path| path.is_within(ou)),
            Self::Tag { key, value } => {
                (account.tags.as_ref()).is_some_and(|tags| tags.get(key) == Some(value))
            }
            Self::Name(glob) => glob.is_match(&account.name),
        }
    }
}

impl FromStr for Selector {
    type Err = SelectionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(tag) = text.strip_prefix("tag:") {
            return Self::tag(tag);
        }
        // A number that is no account id is a slip, not a name.
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Self::account(text);
        }
        Self::ou(text).or_else(|_| Self::name(text))
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(id) => id.fmt(f),
            Self::Ou(ou) => f.write_str(ou),
            Self::Tag { key, value } => write!(f, "tag:{key}={value}"),
            Self::Name(glob) => f.write_str(glob.glob().glob()),
        }
    }
}

fn shown(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}

/// The scope: accounts that at least one selector of each kind takes and no exclusion does.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Accounts to look at; empty means all.
    pub include: Vec<Selector>,
    /// Accounts to leave out.
    pub exclude: Vec<Selector>,
    /// The part of all that somebody wants to have looked at now: accounts that one of these takes,
    /// of whatever kind; empty means all of it.
    pub only: Vec<Selector>,
}

impl Selection {
    /// The same scope, and of it only what one of these takes.
    #[must_use]
    pub fn narrowed_to(&self, only: Vec<Selector>) -> Self {
        Self {
            only,
            ..self.clone()
        }
    }

    /// Accounts that are named by id: those that are wanted now, or else those of the scope.
    pub fn named_accounts(&self) -> impl Iterator<Item = AccountId> + '_ {
        let named = if self.only.is_empty() {
            &self.include
        } else {
            &self.only
        };
        named.iter().filter_map(|selector| match selector {
            Selector::Account(id) => Some(*id),
            _ => None,
        })
    }

    /// Whether nothing but accounts that are named by id is wanted, so that nobody else need be listed.
    pub(crate) fn is_of_named_accounts_only(&self) -> bool {
        !self.only.is_empty()
            && (self.only.iter()).all(|selector| matches!(selector, Selector::Account(_)))
    }

    /// Whether OU paths are needed to decide.
    pub fn asks_about_ous(&self) -> bool {
        (self.selectors()).any(|selector| matches!(selector, Selector::Ou(_)))
    }

    fn selectors(&self) -> impl Iterator<Item = &Selector> {
        self.include.iter().chain(&self.exclude).chain(&self.only)
    }

    /// Whether what is remembered of an account decides: its id and its name.
    ///
    /// Where accounts hang and what they are tagged with is only asked on demand, so it is not
    /// remembered reliably.
    pub fn decides_from_memory(&self) -> bool {
        self.selectors()
            .all(|selector| matches!(selector, Selector::Account(_) | Selector::Name(_)))
    }

    /// Whether an account's tags are needed to decide: what else is known of it does not do.
    pub(crate) fn needs_tags_of(&self, account: &Account) -> bool {
        let undecided = self.include.iter().any(Selector::needs_tags)
            || self.exclude.iter().any(Selector::needs_tags);
        // With every tag selector taken to fit, and none of the exclusions by tag.
        undecided && self.in_scope(account, Selector::needs_tags)
    }

    /// Whether the account is in scope, as far as its tags were read.
    pub fn takes(&self, account: &Account) -> bool {
        self.in_scope(account, |selector| {
            selector.needs_tags() && selector.takes(account)
        }) && !self
            .exclude
            .iter()
            .any(|selector| selector.needs_tags() && selector.takes(account))
    }

    fn in_scope(&self, account: &Account, tag_fits: impl Fn(&Selector) -> bool) -> bool {
        let takes = |selector: &Selector| {
            if selector.needs_tags() {
                tag_fits(selector)
            } else {
                selector.takes(account)
            }
        };
        let kinds = self.include.iter().map(std::mem::discriminant);
        let each_kind_fits = kinds.clone().all(|kind| {
            self.include
                .iter()
                .filter(|s| std::mem::discriminant(*s) == kind)
                .any(takes)
        });
        let excluded = self
            .exclude
            .iter()
            .any(|s| !s.needs_tags() && s.takes(account));
        let is_wanted = self.only.is_empty() || self.only.iter().any(takes);
        each_kind_fits && !excluded && is_wanted
    }

    /// The scope as the user wrote it; exclusions carry a `!`, and the part that is wanted now a `&`.
    pub fn describe(&self) -> Vec<String> {
        (self.include.iter().map(ToString::to_string))
            .chain(self.exclude.iter().map(|selector| format!("!{selector}")))
            .chain(self.only.iter().map(|selector| format!("&{selector}")))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{AccountState, OuPath};

    fn account(id: &str, name: &str, path: &[&str]) -> Account {
        Account {
            id: id.parse().unwrap(),
            name: name.to_owned(),
            state: AccountState::Active,
            ou_path: Some(OuPath(path.iter().map(ToString::to_string).collect())),
            tags: None,
        }
    }

    fn selection(include: &[&str], exclude: &[&str]) -> Selection {
        let parse = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        Selection {
            include: parse(include),
            exclude: parse(exclude),
            only: Vec::new(),
        }
    }

    #[test]
    fn a_selector_is_told_by_its_shape() {
        assert!(matches!("111111111111".parse(), Ok(Selector::Account(_))));
        assert!(matches!("ou-ab12-cdef3456".parse(), Ok(Selector::Ou(_))));
        assert!(matches!("r-ab12".parse(), Ok(Selector::Ou(_))));
        assert!(matches!("tag:env=prod".parse(), Ok(Selector::Tag { .. })));
        assert!(matches!("prod-*".parse(), Ok(Selector::Name(_))));
        for wrong in ["1234", "tag:novalue", "", "[a"] {
            assert!(wrong.parse::<Selector>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn kinds_narrow_each_other_and_one_kind_widens() {
        let a = account("111111111111", "prod-a", &["r-ab12", "ou-ab12-prod0000"]);
        let b = account("222222222222", "dev-b", &["r-ab12", "ou-ab12-dev00000"]);
        let both = selection(&["111111111111", "222222222222"], &[]);
        assert!(both.takes(&a) && both.takes(&b));
        let narrowed = selection(&["111111111111", "222222222222", "prod-*"], &[]);
        assert!(narrowed.takes(&a) && !narrowed.takes(&b));
        let excluded = selection(&["r-ab12"], &["ou-ab12-dev00000"]);
        assert!(excluded.takes(&a) && !excluded.takes(&b));
    }

    #[test]
    fn a_part_of_the_scope_is_never_more_than_the_scope() {
        let a = account("111111111111", "prod-a", &["r-ab12", "ou-ab12-prod0000"]);
        let b = account("222222222222", "dev-b", &["r-ab12", "ou-ab12-dev00000"]);
        let scope = selection(&["prod-*"], &[]);
        let parse = |text: &str| text.parse::<Selector>().unwrap();
        let part = scope.narrowed_to(vec![parse("222222222222"), parse("ou-ab12-prod0000")]);
        assert!(part.takes(&a) && !part.takes(&b));
        assert_eq!(
            part.describe(),
            ["prod-*", "&222222222222", "&ou-ab12-prod0000"]
        );
        assert_eq!(part.named_accounts().count(), 1);
        assert!(part.asks_about_ous() && !part.is_of_named_accounts_only());
        let one = scope.narrowed_to(vec![parse("111111111111")]);
        assert!(one.takes(&a) && one.is_of_named_accounts_only());
        assert!(!scope.is_of_named_accounts_only());
    }

    #[test]
    fn tags_are_asked_for_only_where_they_decide() {
        let a = account("111111111111", "prod-a", &[]);
        let by_tag = selection(&["prod-*", "tag:env=prod"], &["tag:skip=yes"]);
        assert!(by_tag.needs_tags_of(&a));
        assert!(!by_tag.needs_tags_of(&account("222222222222", "dev-b", &[])));
        assert!(!selection(&["prod-*"], &[]).needs_tags_of(&a));
        let tagged = |tags: &[(&str, &str)]| {
            let tags = tags
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            Account {
                tags: Some(tags.collect()),
                ..a.clone()
            }
        };
        assert!(by_tag.takes(&tagged(&[("env", "prod")])));
        assert!(!by_tag.takes(&a));
        assert!(!by_tag.takes(&tagged(&[])));
        assert!(!by_tag.takes(&tagged(&[("env", "prod"), ("skip", "yes")])));
    }
}
