//! What every question about the past may say: which store, which span, as of when.

use std::{path::PathBuf, str::FromStr};

use answers::MomentError;
use clap::Args;
use discovery::Selector;
use jiff::Timestamp;
use model::{ControlId, WrittenMoment, WrittenTime};
use store::{Moment, Store};

use crate::{
    exit::BadInput,
    settings::{DEFAULT_STORE, controls},
};

/// The id of an OU or root.
#[derive(Debug, Clone)]
pub(crate) struct OuId(pub(crate) String);

impl FromStr for OuId {
    type Err = discovery::SelectionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Selector::ou(text).map(|_| Self(text.to_owned()))
    }
}

/// Which store.
#[derive(Debug, Args)]
pub(crate) struct StoreOptions {
    /// The store.
    #[arg(long, value_name = "PATH", env = "SCANNER_STORE", default_value = DEFAULT_STORE)]
    pub(crate) store: PathBuf,
    /// Refuse a store that holds the history of another organization than this one.
    #[arg(long, value_name = "ID", env = "SCANNER_ORGANIZATION")]
    organization: Option<String>,
}

impl StoreOptions {
    /// Opens it, if it is the right one.
    pub(crate) async fn open(&self) -> anyhow::Result<Store> {
        let store = Store::open_reader(&self.store).await?;
        self.check(&store).await?;
        Ok(store)
    }

    /// Refuses the store of another organization.
    pub(crate) async fn check(&self, store: &Store) -> anyhow::Result<()> {
        if let Some(organization) = &self.organization {
            store.check_organization(organization).await?;
        }
        Ok(())
    }
}

/// Between which times.
#[derive(Debug, Args)]
pub(crate) struct Span {
    /// From this time on: RFC 3339, a day, or an age such as 2h or 7d.
    #[arg(long, value_name = "TIME")]
    since: Option<WrittenTime>,
    /// Until this time; a day counts as a whole.
    #[arg(long, value_name = "TIME")]
    until: Option<WrittenTime>,
}

impl Span {
    /// Both ends, where they are given.
    pub(crate) fn ends(
        &self,
        now: Timestamp,
    ) -> anyhow::Result<(Option<Timestamp>, Option<Timestamp>)> {
        let since = self.since.map(|time| time.beginning(now)).transpose();
        let until = self.until.map(|time| time.end(now)).transpose();
        let (since, until) = (since.map_err(BadInput::of)?, until.map_err(BadInput::of)?);
        if let Some(since) = since.filter(|since| *since > now) {
            return Err(BadInput::of(format!(
                "--since {since:.0} lies in the future"
            )));
        }
        if let (Some(since), Some(until)) = (since, until)
            && since > until
        {
            return Err(BadInput::of(format!(
                "--since {since:.0} is later than --until {until:.0}: nothing lies between them"
            )));
        }
        Ok((since, until))
    }
}

/// As of when.
#[derive(Debug, Args)]
pub(crate) struct When {
    /// As it was at the end of this sweep, or of the last sweep that had finished by this time: the
    /// number of a sweep, RFC 3339, a day, or an age such as 2h or 7d [default: now].
    #[arg(long, value_name = "TIME|SWEEP")]
    as_of: Option<WrittenMoment>,
}

impl When {
    /// The moment, where one is named.
    pub(crate) async fn moment(
        &self,
        store: &Store,
        now: Timestamp,
    ) -> anyhow::Result<Option<Moment>> {
        match self.as_of {
            Some(written) => Ok(Some(moment(store, written, now).await?)),
            None => Ok(None),
        }
    }
}

/// The moment that is meant by what was written.
pub(crate) async fn moment(
    store: &Store,
    written: WrittenMoment,
    now: Timestamp,
) -> anyhow::Result<Moment> {
    (answers::moment(store, written, now).await).map_err(|error| match error {
        MomentError::Store(error) => error.into(),
        other => BadInput::of(other),
    })
}

/// The control that is meant, if one is named.
pub(crate) fn control(name: Option<String>) -> anyhow::Result<Option<ControlId>> {
    match name {
        Some(name) => Ok(controls(&[name])?.pop().map(|control| control.id)),
        None => Ok(None),
    }
}
