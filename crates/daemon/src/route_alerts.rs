//! Decides who is told of what: drifts that wait become alerts, alerts that are over say so, and what lasts
//! is called to mind.
//!
//! Nothing is handed in but the settings: what waits is what the store says, so that it may be stopped and
//! begun anew at any time. Each alert and the marks on its drifts are one transaction.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use alerts::{Groups, Notice, Seal, SeenDrift};
use drift::FlapRule;
use jiff::Timestamp;
use model::{AlertId, AuthorOutcome, Clock, DriftId};
use serde::Deserialize as _;
use store::{DriftQuery, JournalKind, Store, Sweeper, WaitingDrift, WaitingSweep};

use crate::AlertSettings;

mod decide;
mod follow_up;
mod open_alert;
#[cfg(test)]
mod tests;

use decide::{Decider, Decision};

/// What deciding takes.
pub struct RouteAlerts {
    /// What decides.
    pub settings: Arc<AlertSettings>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// What a run came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Routed {
    /// How many alerts were written.
    pub alerts: usize,
    /// How many drifts they tell of, or belong to what was told before.
    pub told: usize,
    /// How many drifts nobody is to be told of.
    pub untold: usize,
    /// How many drifts go to and fro and wait to come to rest.
    pub resting: usize,
    /// How many drifts wait for the end of their sweep or for their author.
    pub waiting: usize,
    /// How many alerts are over.
    pub recovered: usize,
    /// How many reminders were written.
    pub reminders: usize,
    /// When there is more to decide; `None` where that is not known.
    pub next_at: Option<Timestamp>,
}

impl Routed {
    /// Whether anything was decided. What waits or comes to rest is counted anew every time, for as long as
    /// it does.
    fn is_news(&self) -> bool {
        self.alerts + self.told + self.untold + self.recovered + self.reminders > 0
    }

    fn look_again_at(&mut self, at: Timestamp) {
        self.next_at = Some(self.next_at.map_or(at, |next| next.min(at)));
    }
}

/// Drifts on their way into alerts.
#[derive(Default)]
struct Gathered {
    groups: Groups,
    /// The channels that each group goes to.
    channels: BTreeMap<AlertId, BTreeSet<String>>,
    attached: BTreeMap<i64, Vec<i64>>,
    untold: Vec<i64>,
    resting: Vec<i64>,
}

impl RouteAlerts {
    /// Decides what there is to decide.
    pub async fn run(&self, store: &Sweeper) -> Result<Routed, store::Error> {
        let now = self.clock.now();
        let mut routed = Routed::default();
        let waiting = store.store().waiting_sweeps().await?;
        let resting = store.store().resting_drifts(0).await?;
        if !waiting.is_empty() || !resting.is_empty() {
            let decider = Decider::read(store.store(), &self.settings, now).await?;
            for sweep in waiting {
                self.route_sweep(store, &decider, &sweep, &mut routed)
                    .await?;
            }
            self.route_resting(store, &decider, resting, &mut routed)
                .await?;
        }
        self.end_what_is_over(store, now, &mut routed).await?;
        self.remind(store, now, &mut routed).await?;
        if routed.is_news() {
            tracing::info!(
                alerts = routed.alerts,
                drifts.told = routed.told,
                drifts.untold = routed.untold,
                drifts.resting = routed.resting,
                drifts.waiting = routed.waiting,
                recovered = routed.recovered,
                reminders = routed.reminders,
                "decided what to tell",
            );
        }
        Ok(routed)
    }

    /// Tells what a sweep found, once it has ended or took longer than the patience for it.
    async fn route_sweep(
        &self,
        store: &Sweeper,
        decider: &Decider<'_>,
        sweep: &WaitingSweep,
        routed: &mut Routed,
    ) -> Result<(), store::Error> {
        let now = decider.now;
        let after = |time: Timestamp, wait| time.saturating_add(wait).unwrap_or(Timestamp::MAX);
        // One whose process died has no end; a later one says that it is over.
        let is_over = sweep.finished_at.is_some() || decider.latest_sweep > sweep.sweep;
        let tell_at = after(sweep.started_at, self.settings.group_wait);
        if !is_over && now < tell_at {
            routed.waiting += usize::try_from(sweep.drifts).unwrap_or(usize::MAX);
            routed.look_again_at(tell_at);
            return Ok(());
        }
        let is_forgotten = after(sweep.started_at, self.settings.forget_after) <= now;
        let mut gathered = Gathered::default();
        let mut last = 0;
        loop {
            let page = store.store().waiting_drifts(sweep.sweep, last).await?;
            let Some(end) = page.last() else { break };
            last = end.row;
            let mut acts = acts(store.store(), &page).await?;
            for waiting in page {
                let act = acts.remove(&waiting.row);
                let decision = if is_forgotten {
                    Decision::Untold
                } else {
                    decider.decide(&waiting, is_over)
                };
                gathered.take(waiting, act, decision, routed);
            }
        }
        if is_forgotten {
            tracing::warn!(
                sweep.id = sweep.sweep.0,
                drifts = sweep.drifts,
                "what this sweep found is not told: it is too long ago",
            );
        }
        // Who did it is looked for when a sweep has ended.
        let ended_at = sweep.finished_at.filter(|_| is_over);
        let wait_until = ended_at.map(|ended_at| after(ended_at, self.settings.author_wait));
        self.settle(store, decider, gathered, wait_until, routed)
            .await
    }

    /// Tells what went to and fro and came to rest as it stays.
    async fn route_resting(
        &self,
        store: &Sweeper,
        decider: &Decider<'_>,
        mut page: Vec<WaitingDrift>,
        routed: &mut Routed,
    ) -> Result<(), store::Error> {
        let mut gathered = Gathered {
            groups: Groups::of_settled(),
            ..Gathered::default()
        };
        while let Some(last) = page.last().map(|last| last.row) {
            let mut acts = acts(store.store(), &page).await?;
            for mut waiting in page {
                if !waiting.is_last {
                    // What came after it says how things stay.
                    gathered.untold.push(waiting.row);
                    continue;
                }
                if flaps(store.store(), &waiting, decider.now).await? {
                    routed.resting += 1;
                    continue;
                }
                waiting.drift.drift = drift::settled(waiting.drift.drift);
                let decision = decider.decide(&waiting, true);
                let act = acts.remove(&waiting.row);
                gathered.take(waiting, act, decision, routed);
            }
            page = store.store().resting_drifts(last).await?;
        }
        // Nobody looks for the author of what is so long ago.
        self.settle(store, decider, gathered, None, routed).await
    }

    /// Writes what was decided.
    async fn settle(
        &self,
        store: &Sweeper,
        decider: &Decider<'_>,
        gathered: Gathered,
        wait_until: Option<Timestamp>,
        routed: &mut Routed,
    ) -> Result<(), store::Error> {
        let Gathered {
            groups,
            mut channels,
            attached,
            mut untold,
            resting,
        } = gathered;
        for group in groups.into_groups() {
            let channels = channels.remove(&group.id).unwrap_or_default();
            if channels.is_empty() {
                untold.extend(group.rows);
                continue;
            }
            let told = self
                .open_alert(store, decider, &group, &channels, wait_until)
                .await?;
            if told {
                routed.alerts += 1;
                routed.told += group.rows.len();
            } else {
                routed.waiting += group.rows.len();
                if let Some(until) = wait_until {
                    routed.look_again_at(until);
                }
            }
        }
        for (alert, rows) in attached {
            store.attach_drifts(alert, &rows).await?;
            routed.told += rows.len();
        }
        routed.untold += untold.len();
        store.leave_untold(&untold).await?;
        routed.resting += resting.len();
        store.let_rest(&resting).await
    }
}

impl Gathered {
    fn take(
        &mut self,
        waiting: WaitingDrift,
        act: Option<String>,
        decision: Decision,
        routed: &mut Routed,
    ) {
        match decision {
            Decision::Tell(channels) => {
                let seen = SeenDrift {
                    drift: waiting.drift.drift,
                    seen_at: waiting.drift.seen_at,
                    last_before_at: waiting.drift.last_before_at,
                    act,
                };
                let group = self.groups.add(waiting.row, seen);
                self.channels.entry(group).or_default().extend(channels);
            }
            Decision::Attach(alert) => self.attached.entry(alert).or_default().push(waiting.row),
            Decision::Untold => self.untold.push(waiting.row),
            Decision::Rest => self.resting.push(waiting.row),
            Decision::Wait => routed.waiting += 1,
        }
    }
}

/// The acts behind drifts, by their rows, where each is an act of its own.
async fn acts(store: &Store, page: &[WaitingDrift]) -> Result<BTreeMap<i64, String>, store::Error> {
    let drifts = page.iter().map(|waiting| &waiting.drift.drift);
    let ids: Vec<DriftId> = drifts
        .filter(|drift| drift::act(drift, None).is_some())
        .map(|drift| drift.id)
        .collect();
    let authors = store.journal_of_drifts(JournalKind::Author, &ids).await?;
    let act = |waiting: &WaitingDrift| {
        let drift = &waiting.drift.drift;
        let record = authors.get(&drift.id);
        let outcome = record.and_then(|record| AuthorOutcome::deserialize(&record.body).ok());
        let author = outcome.as_ref().and_then(AuthorOutcome::author);
        Some((waiting.row, drift::act(drift, author)?))
    };
    Ok(page.iter().filter_map(act).collect())
}

/// Whether the finding that a drift is about still goes to and fro.
async fn flaps(
    store: &Store,
    waiting: &WaitingDrift,
    now: Timestamp,
) -> Result<bool, store::Error> {
    let rule = FlapRule::default();
    let drift = &waiting.drift.drift;
    let query = DriftQuery {
        account: drift.account,
        control: drift.control.clone(),
        kind: Some(drift.kind),
        since: waiting.drift.seen_at.saturating_sub(rule.within).ok(),
        ..DriftQuery::default()
    };
    let times: Vec<Timestamp> = (store.drifts(&query).await?.iter())
        .map(|row| row.seen_at)
        .collect();
    Ok(drift::is_flapping(&rule, now, &times))
}

/// The last seal, so that each alert carries the head of history.
async fn seal(store: &Store) -> Result<Option<Seal>, store::Error> {
    Ok(store.head().await?.map(|row| Seal {
        sweep: row.seal.sweep,
        hash: row.seal.hash.to_string(),
    }))
}

fn in_json(notice: &Notice) -> serde_json::Value {
    serde_json::to_value(notice).unwrap_or_default()
}
