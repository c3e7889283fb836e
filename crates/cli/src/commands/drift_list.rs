//! `scanner history drifts` and `scanner drift list`: what changed.

use clap::Args;
use jiff::Timestamp;
use model::{AccountId, DriftKind, Severity, Verdict};
use report::{PastDrift, Who};
use store::{DriftPages, DriftQuery, Store};

use crate::commands::{
    asked::{self, OuId, Span, When},
    history::Form,
    write_list::{Pages, write_list},
};

/// The flags of `scanner drift list`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Of this account.
    #[arg(long, value_name = "ID")]
    account: Option<AccountId>,
    /// Of accounts that hung in this OU or root, before or after.
    #[arg(long, value_name = "ID")]
    ou: Option<OuId>,
    /// Of this control.
    #[arg(long, value_name = "ID")]
    control: Option<String>,
    /// After which the verdict is this one.
    #[arg(long)]
    verdict: Option<Verdict>,
    /// Of this kind, such as verdict-changed.
    #[arg(long)]
    kind: Option<DriftKind>,
    /// At least this severe: info, low, medium, high or critical.
    #[arg(long)]
    severity: Option<Severity>,
    /// No more than this many.
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u32>,
    /// Seen by sweeps that began in this span.
    #[command(flatten)]
    span: Span,
    /// Seen until then. Who did them and who has seen them is told as it is known now.
    #[command(flatten)]
    when: When,
    #[command(flatten)]
    form: Form,
}

pub(crate) async fn run(options: Options, now: Timestamp) -> anyhow::Result<()> {
    let (since, until) = options.span.ends(now)?;
    let control = asked::control(options.control)?;
    let store = options.form.store.open().await?;
    let moment = options.when.moment(&store, now).await?;
    let query = DriftQuery {
        account: options.account,
        ou: options.ou.map(|ou| ou.0),
        control,
        kind: options.kind,
        severity: options.severity,
        verdict: options.verdict,
        since,
        until,
        to_sweep: moment.map(|moment| moment.sweep),
        limit: options.limit,
        ..DriftQuery::default()
    };
    let drifts = Drifts {
        pages: store.drift_pages(&query).await?,
        store: &store,
    };
    let as_of = moment.as_ref().map(answers::line);
    write_list(drifts, as_of, options.form.format, |drifts, look| {
        let author = |past: &PastDrift| match &past.who {
            Some(Who::Found(author)) => drift::act(&past.drift, Some(author)),
            _ => drift::act(&past.drift, None),
        };
        let groups = drift::groups(drifts, |past| &past.drift, author);
        report::history::render_drifts(groups, look)
    })
    .await
}

struct Drifts<'a> {
    pages: DriftPages,
    store: &'a Store,
}

impl Pages for Drifts<'_> {
    type Item = PastDrift;

    async fn next(&mut self) -> anyhow::Result<Option<Vec<PastDrift>>> {
        match self.pages.next().await? {
            Some(page) => Ok(Some(answers::with_journal(self.store, page).await?)),
            None => Ok(None),
        }
    }
}
