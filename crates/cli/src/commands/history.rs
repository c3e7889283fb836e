//! `scanner history`: what past sweeps saw, now or as of any moment.

use std::{slice::from_mut, sync::Arc};

use clap::{Args, Subcommand};
use jiff::Timestamp;
use model::{AccountId, Clock as _, Exception, SystemClock, Verdict};
use report::PastFinding;
use store::{AccountQuery, FindingPages, FindingQuery, SweepQuery};

use crate::{
    commands::{
        asked::{self, OuId, Span, StoreOptions, When},
        drift_list,
        write_list::{Pages, Whole, write_list},
    },
    exit::Exit,
    output::ListFormat,
};

/// The flags of `scanner history`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The accounts, with the verdicts of each and when it was last looked at.
    Accounts(AccountOptions),
    /// The sweeps, the latest first.
    Sweeps(SweepOptions),
    /// What is known of each account and control, and since when.
    Findings(FindingOptions),
    /// What changed, the latest first.
    Drifts(drift_list::Options),
}

#[derive(Debug, Args)]
struct AccountOptions {
    /// This account.
    #[arg(long, value_name = "ID")]
    account: Option<AccountId>,
    /// Accounts that hung in this OU or root, directly or further down.
    #[arg(long, value_name = "ID")]
    ou: Option<OuId>,
    /// Count findings of this control alone, and list the accounts that have one.
    #[arg(long, value_name = "ID")]
    control: Option<String>,
    /// Accounts with a finding of this verdict.
    #[arg(long)]
    verdict: Option<Verdict>,
    /// No more than this many.
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u32>,
    /// Name, state and OU are as listed since a sweep that began in this span.
    #[command(flatten)]
    span: Span,
    #[command(flatten)]
    when: When,
    #[command(flatten)]
    form: Form,
}

#[derive(Debug, Args)]
struct SweepOptions {
    /// Sweeps that looked at this account.
    #[arg(long, value_name = "ID")]
    account: Option<AccountId>,
    /// Sweeps that looked at an account in this OU or root, directly or further down.
    #[arg(long, value_name = "ID")]
    ou: Option<OuId>,
    /// Sweeps that judged by this control.
    #[arg(long, value_name = "ID")]
    control: Option<String>,
    /// Sweeps that left a finding of this verdict.
    #[arg(long)]
    verdict: Option<Verdict>,
    /// No more than this many.
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    limit: u32,
    /// Sweeps that began in this span.
    #[command(flatten)]
    span: Span,
    #[command(flatten)]
    when: When,
    #[command(flatten)]
    form: Form,
}

#[derive(Debug, Args)]
struct FindingOptions {
    /// Of this account.
    #[arg(long, value_name = "ID")]
    account: Option<AccountId>,
    /// Of accounts that hung in this OU or root, directly or further down.
    #[arg(long, value_name = "ID")]
    ou: Option<OuId>,
    /// Of this control.
    #[arg(long, value_name = "ID")]
    control: Option<String>,
    /// With this verdict.
    #[arg(long)]
    verdict: Option<Verdict>,
    /// No more than this many.
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u32>,
    /// Findings that began with a sweep that began in this span.
    #[command(flatten)]
    span: Span,
    #[command(flatten)]
    when: When,
    #[command(flatten)]
    form: Form,
}

/// From where, and in which form.
#[derive(Debug, Args)]
pub(crate) struct Form {
    #[command(flatten)]
    pub(crate) store: StoreOptions,
    /// The form of the list.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ListFormat,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<Exit> {
    let now = SystemClock.now();
    match options.what {
        What::Accounts(options) => accounts(options, now).await?,
        What::Sweeps(options) => sweeps(options, now).await?,
        What::Findings(options) => findings(options, now).await?,
        What::Drifts(options) => drift_list::run(options, now).await?,
    }
    Ok(Exit::Success)
}

async fn accounts(options: AccountOptions, now: Timestamp) -> anyhow::Result<()> {
    let (since, until) = options.span.ends(now)?;
    let control = asked::control(options.control)?;
    let store = options.form.store.open().await?;
    let moment = options.when.moment(&store, now).await?;
    let query = AccountQuery {
        account: options.account,
        ou: options.ou.map(|ou| ou.0),
        control,
        verdict: options.verdict,
        since,
        until,
        sweep: moment.map(|moment| moment.sweep),
        after: None,
        limit: options.limit,
    };
    let rows = store.accounts(&query).await?;
    let accounts = Whole::of(rows.into_iter().map(answers::account).collect());
    let as_of = moment.as_ref().map(answers::line);
    write_list(accounts, as_of, options.form.format, |accounts, look| {
        report::history::render_accounts(&accounts, look)
    })
    .await
}

async fn sweeps(options: SweepOptions, now: Timestamp) -> anyhow::Result<()> {
    let (since, until) = options.span.ends(now)?;
    let control = asked::control(options.control)?;
    let store = options.form.store.open().await?;
    let moment = options.when.moment(&store, now).await?;
    let query = SweepQuery {
        account: options.account,
        ou: options.ou.map(|ou| ou.0),
        control,
        verdict: options.verdict,
        since,
        until,
        to_sweep: moment.map(|moment| moment.sweep),
        limit: Some(options.limit),
    };
    let entries = store.sweep_list(&query).await?;
    let sweeps = Whole::of(entries.into_iter().map(answers::sweep).collect());
    let as_of = moment.as_ref().map(answers::line);
    write_list(sweeps, as_of, options.form.format, |sweeps, look| {
        report::history::render_sweeps(&sweeps, look)
    })
    .await
}

async fn findings(options: FindingOptions, now: Timestamp) -> anyhow::Result<()> {
    let (since, until) = options.span.ends(now)?;
    let control = asked::control(options.control)?;
    let store = options.form.store.open().await?;
    let moment = options.when.moment(&store, now).await?;
    let format = options.form.format;
    let query = FindingQuery {
        account: options.account,
        ou: options.ou.map(|ou| ou.0),
        control,
        verdict: options.verdict,
        since,
        until,
        sweep: moment.map(|moment| moment.sweep),
        after: None,
        limit: options.limit,
        without_chains: matches!(format, ListFormat::Table | ListFormat::Csv),
    };
    let at = answers::exceptions_at(moment.as_ref(), now);
    let findings = Findings {
        exceptions: answers::in_force(&store.exceptions().await?, at),
        pages: store.finding_pages(&query).await?,
    };
    let as_of = moment.as_ref().map(answers::line);
    write_list(findings, as_of, format, |findings, look| {
        report::history::render_findings(&findings, look)
    })
    .await
}

/// Findings, and what accepts them.
struct Findings {
    pages: FindingPages,
    exceptions: Vec<Arc<Exception>>,
}

impl Pages for Findings {
    type Item = PastFinding;

    async fn next(&mut self) -> anyhow::Result<Option<Vec<PastFinding>>> {
        let Some(page) = self.pages.next().await? else {
            return Ok(None);
        };
        let findings = page.into_iter().map(|row| {
            let mut past = answers::finding(row);
            answers::accept(from_mut(&mut past.entry), &self.exceptions);
            past
        });
        Ok(Some(findings.collect()))
    }
}
