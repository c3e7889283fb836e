//! What is told: facts without markup, as the outbox keeps them until every channel has them.

use jiff::Timestamp;
use model::{
    AccountId, AlertId, ChainResource, ControlId, DriftId, DriftKind, DriftSide, NoticeForm,
    Reason, Severity, SweepId, Verdict,
};
use serde::{Deserialize, Serialize};

use crate::{Group, console_link::console_link, headline};

mod parts;
#[cfg(test)]
mod tests;

pub use parts::{Place, Resource, Seal, Since, Standing, Still, SweepTime, Who};

/// How many accounts, and how many controls, are named; the counts are told of all.
const NAMED: usize = 20;

/// The longest text that is taken from a drift.
const LONGEST: usize = 2000;

/// Something that people are told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// What it says of its alert.
    pub form: NoticeForm,
    /// The alert.
    pub alert: AlertId,
    /// When this was written.
    pub at: Timestamp,
    /// What kind of drift it is.
    pub kind: DriftKind,
    /// How much it matters.
    pub severity: Severity,
    /// What happened, in one line.
    pub title: String,
    /// What happened, in a sentence.
    pub message: String,
    /// The drift that stands for all.
    pub drift: DriftId,
    /// How many drifts there are.
    pub drifts: usize,
    /// How many accounts they are of.
    pub accounts: usize,
    /// Some of these accounts.
    pub places: Vec<Place>,
    /// How many controls they are of; 0 where it is about accounts as a whole.
    pub controls: usize,
    /// Some of these controls.
    pub named_controls: Vec<ControlId>,
    /// The resource at which the chain is broken, or that changed.
    pub resource: Option<Resource>,
    /// The verdict before; `None` where there was none.
    pub before: Option<Verdict>,
    /// The verdict now.
    pub after: Option<Verdict>,
    /// Why it is what it is now.
    pub reason: Option<Reason>,
    /// Between when and when it happened.
    pub since: Since,
    /// Who did it.
    pub who: Who,
    /// What still holds.
    pub standing: Option<Standing>,
    /// Whether it goes to and fro, so that it is told in a low voice.
    pub is_flapping: bool,
    /// How often people were reminded before, for a reminder.
    pub reminder: Option<u64>,
    /// What is left of it, for a reminder or when it is over.
    pub still: Option<Still>,
    /// Where the scanner itself shows it.
    pub dashboard: Option<String>,
    /// Where AWS's console shows the resource.
    pub console: Option<String>,
    /// The last seal when this was written: whoever notes it can tell later that history was not altered.
    pub seal: Option<Seal>,
}

/// What a notice of a new alert is made of, beside its drifts.
#[derive(Debug, Clone)]
pub struct Opening<'a> {
    /// When it is written.
    pub at: Timestamp,
    /// When the sweep of the drifts began.
    pub seen_at: Timestamp,
    /// Who did it.
    pub who: Who,
    /// What still holds.
    pub standing: Option<Standing>,
    /// The last seal.
    pub seal: Option<Seal>,
    /// Where the scanner can be reached.
    pub public_url: Option<&'a str>,
}

/// What an alert came to.
#[derive(Debug, Clone)]
pub struct Ended {
    /// When that is written.
    pub at: Timestamp,
    /// What became of its findings.
    pub still: Still,
    /// The last seal.
    pub seal: Option<Seal>,
}

impl Notice {
    /// The notice of a new alert. `place` knows the accounts.
    pub fn opened(group: &Group, opening: Opening<'_>, place: impl Fn(AccountId) -> Place) -> Self {
        let lead = &group.lead.drift;
        let after = finding(lead.after.as_ref());
        // The first change is the cause; where nothing changed along the chain, what is broken is named.
        let changed = lead.changes.first().map(|change| &change.of);
        let broken = after.and_then(|finding| {
            Some(ChainResource {
                link: finding.link?,
                resource: finding.resource.clone()?,
                account: None,
                region: None,
                within: None,
            })
        });
        let of = changed.or(broken.as_ref());
        let mut places: Vec<Place> = (lead.account.into_iter())
            .chain(
                group
                    .accounts
                    .iter()
                    .copied()
                    .filter(|id| Some(*id) != lead.account),
            )
            .take(NAMED)
            .map(place)
            .collect();
        for place in &mut places {
            place.name = shortened(&place.name);
        }
        let named_controls: Vec<ControlId> = group.controls.iter().cloned().collect();
        let controls = if group.is_of_whole_accounts {
            0
        } else {
            named_controls.len()
        };
        let title = headline::opened(
            lead.kind,
            lead.is_recovery(),
            after
                .map(|finding| finding.reason)
                .filter(|_| !lead.is_recovery()),
            (group.accounts.len(), places.first()),
            (controls, &named_controls),
        );
        let last_before = group.last_before;
        Self {
            form: NoticeForm::Opened,
            alert: group.id,
            at: opening.at,
            kind: lead.kind,
            severity: group.severity,
            title: shortened(&title),
            message: shortened(&lead.message),
            drift: lead.id,
            drifts: group.rows.len(),
            accounts: group.accounts.len(),
            places,
            controls,
            named_controls: named_controls.into_iter().take(NAMED).collect(),
            resource: of.map(|of| Resource {
                link: of.link,
                resource: shortened(&of.resource),
                account: of.account,
                region: of.region.clone(),
            }),
            before: finding(lead.before.as_ref()).map(|finding| finding.verdict),
            after: after.map(|finding| finding.verdict),
            reason: after.map(|finding| finding.reason),
            since: Since {
                not_before: last_before.map(|(sweep, at)| SweepTime { sweep, at }),
                seen: SweepTime {
                    sweep: group.sweep,
                    at: opening.seen_at,
                },
            },
            who: opening.who,
            standing: opening.standing,
            is_flapping: lead.is_flapping(),
            reminder: None,
            still: None,
            dashboard: opening
                .public_url
                .map(|url| format!("{}/drifts/{}", url.trim_end_matches('/'), lead.id)),
            console: of.and_then(console_link),
            seal: opening.seal,
        }
    }

    /// The same alert, when it still lasts.
    #[must_use]
    pub fn reminder(self, number: u64, still: Ended) -> Self {
        Self {
            form: NoticeForm::Reminder,
            reminder: Some(number),
            ..self.now_that_it_is(still)
        }
    }

    /// The same alert, when it is over.
    #[must_use]
    pub fn recovered(self, ended: Ended) -> Self {
        let is_well = ended.still.verdicts.contains_key(&Verdict::Pass);
        let kind = match self.kind {
            DriftKind::BecameUnknown => DriftKind::VisibleAgain,
            kind => kind,
        };
        let title = if is_well || kind == DriftKind::VisibleAgain {
            self.headline(kind, true)
        } else {
            format!("no longer looked at: {}", self.title)
        };
        Self {
            form: NoticeForm::Recovered,
            title: shortened(&title),
            ..self.now_that_it_is(ended)
        }
    }

    fn headline(&self, kind: DriftKind, is_recovery: bool) -> String {
        let kind = match kind {
            DriftKind::ExceptionExpired if is_recovery => DriftKind::VerdictChanged,
            kind => kind,
        };
        headline::opened(
            kind,
            is_recovery,
            self.reason.filter(|_| !is_recovery),
            (self.accounts, self.places.first()),
            (self.controls, &self.named_controls),
        )
    }

    /// The same, of as many accounts as it turned out to be.
    #[must_use]
    pub fn of_accounts(mut self, accounts: usize) -> Self {
        if accounts > 1 && accounts != self.accounts {
            self.accounts = accounts;
            self.title = shortened(&self.headline(self.kind, false));
        }
        self
    }

    /// What was so when it began, and is no longer known to be, is left out.
    fn now_that_it_is(self, now: Ended) -> Self {
        Self {
            at: now.at,
            still: Some(now.still),
            seal: now.seal,
            standing: None,
            ..self
        }
    }

    /// A notice by which somebody sees whether a channel works.
    pub fn test(channel: &str, at: Timestamp) -> Self {
        let drift = DriftId::of(DriftKind::VerdictChanged, None, None, SweepId(0), channel);
        Self {
            form: NoticeForm::Test,
            alert: AlertId::of(&("test", channel, at)),
            at,
            kind: DriftKind::VerdictChanged,
            severity: Severity::Info,
            title: format!("the channel `{channel}` of the scanner works"),
            message: "Somebody asked the scanner for this test. Nothing happened, and there is \
                      nothing to do."
                .to_owned(),
            drift,
            drifts: 0,
            accounts: 0,
            places: Vec::new(),
            controls: 0,
            named_controls: Vec::new(),
            resource: None,
            before: None,
            after: None,
            reason: None,
            since: Since {
                not_before: None,
                seen: SweepTime {
                    sweep: SweepId(0),
                    at,
                },
            },
            who: Who::Nobody,
            standing: None,
            is_flapping: false,
            reminder: None,
            still: None,
            dashboard: None,
            console: None,
            seal: None,
        }
    }

    /// What to do about it, in one sentence; `None` where there is nothing to do.
    pub fn next_step(&self) -> Option<&'static str> {
        if matches!(self.form, NoticeForm::Recovered | NoticeForm::Test) {
            return None;
        }
        (self.reason.map(Reason::next_step)).filter(|step| !step.is_empty())
    }
}

/// What tells a notice on a channel from all others, for ever: who is told twice can tell.
pub fn idempotency_key(
    alert: AlertId,
    form: NoticeForm,
    reminder: Option<u64>,
    channel: &str,
) -> String {
    match reminder {
        Some(number) => format!("{alert}.{form}-{number}.{channel}"),
        None => format!("{alert}.{form}.{channel}"),
    }
}

fn finding(side: Option<&DriftSide>) -> Option<&model::FindingSide> {
    match side {
        Some(DriftSide::Finding(finding)) => Some(finding),
        _ => None,
    }
}

/// A text that fits into every channel. What acts on a screen is made harmless when it is shown.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
