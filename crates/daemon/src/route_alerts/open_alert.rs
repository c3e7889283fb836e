//! An alert that begins: who did it, what still stands, who is told.

use std::collections::BTreeSet;

use alerts::{Group, Notice, Opening, Standing, Who, idempotency_key};
use jiff::{SignedDuration, Timestamp};
use model::{AlertId, AuthorOutcome, NoticeForm, SweepState, Verdict};
use serde::Deserialize as _;
use store::{AlertQuery, AlertRow, JournalKind, NewAlert, NewNotice, Recipient, Store, Sweeper};

use super::{Decider, RouteAlerts, in_json, seal};

/// How long after a sweep's end CloudTrail may still show an event: by AWS's word a quarter of an hour and
/// seldom more.
const EVENTS_ARRIVE_WITHIN: SignedDuration = SignedDuration::from_mins(20);

impl RouteAlerts {
    /// Writes an alert with its notice, unless it still waits for its author. `wait_until` says until when;
    /// `None` where nobody is looked for.
    pub(super) async fn open_alert(
        &self,
        store: &Sweeper,
        decider: &Decider<'_>,
        group: &Group,
        channels: &BTreeSet<String>,
        wait_until: Option<Timestamp>,
    ) -> Result<bool, store::Error> {
        let now = decider.now;
        let who = self.who(store.store(), decider, group, wait_until).await?;
        let may_still_be_told = wait_until.is_some_and(|until| now < until);
        if who == Who::NotYet && may_still_be_told {
            return Ok(false);
        }
        let before = self.of_this_name(store.store(), group.id).await?;
        // One that is over, and whose sweep was resumed after that, begins anew.
        let (id, before) = match before {
            Some(row) if row.ended_at.is_some() && row.lasts_while.is_some() => {
                (AlertId::of(&(group.id, row.number)), None)
            }
            before => (group.id, before),
        };
        let told: BTreeSet<String> = match &before {
            Some(row) => {
                let told = store.store().told_of_alert(row.number).await?;
                (told.channels.into_iter())
                    .map(|(channel, _)| channel)
                    .collect()
            }
            None => BTreeSet::new(),
        };
        let recipients: Vec<Recipient> = (channels.difference(&told))
            .map(|channel| Recipient {
                channel: channel.clone(),
                idempotency_key: idempotency_key(id, NoticeForm::Opened, None, channel),
            })
            .collect();
        let opening = Opening {
            at: now,
            seen_at: group.lead.seen_at,
            who,
            standing: standing(store.store(), group).await?,
            seal: seal(store.store()).await?,
            public_url: self.settings.public_url.as_deref(),
        };
        let lead = &group.lead.drift;
        let place = |account| decider.place(account, group.sides.get(&account));
        let notice = Notice {
            alert: id,
            ..Notice::opened(group, opening, place)
        };
        let remind_at = (self.settings.reminder_interval)
            .filter(|_| group.lasts_while.is_some())
            .and_then(|interval| now.saturating_add(interval).ok());
        let alert = NewAlert {
            id,
            sweep: group.sweep,
            at: now,
            kind: lead.kind,
            severity: (before.map(|row| row.severity))
                .map_or(group.severity, |severity| severity.max(group.severity)),
            drift: lead.id,
            title: notice.title.clone(),
            lasts_while: group.lasts_while,
            remind_at,
            rows: group.rows.clone(),
            notice: (!recipients.is_empty()).then(|| NewNotice {
                form: NoticeForm::Opened,
                body: in_json(&notice),
                recipients,
            }),
        };
        store.tell_alert(&alert).await?;
        Ok(true)
    }

    async fn of_this_name(
        &self,
        store: &Store,
        id: AlertId,
    ) -> Result<Option<AlertRow>, store::Error> {
        let query = AlertQuery {
            id: Some(id),
            ..AlertQuery::default()
        };
        Ok(store.alerts(&query).await?.pop())
    }

    /// Who did it, as far as the journal says by now. Drifts that are told
    /// together have one author.
    async fn who(
        &self,
        store: &Store,
        decider: &Decider<'_>,
        group: &Group,
        wait_until: Option<Timestamp>,
    ) -> Result<Who, store::Error> {
        let lead = &group.lead.drift;
        if drift::suspects(lead, decider.organization.as_ref()).is_empty() {
            return Ok(Who::Nobody);
        }
        let mut records = (store.journal_of_drifts(JournalKind::Author, &[lead.id])).await?;
        let outcome = (records.remove(&lead.id))
            .and_then(|record| AuthorOutcome::deserialize(record.body).ok());
        let events_arrive_until = wait_until
            .and_then(|until| until.checked_sub(self.settings.author_wait).ok())
            .and_then(|ended_at| ended_at.saturating_add(EVENTS_ARRIVE_WITHIN).ok());
        Ok(match outcome {
            // What was looked for too early may still show up.
            Some(AuthorOutcome::NotFound { looked_until, .. })
                if events_arrive_until.is_some_and(|until| looked_until < until) =>
            {
                Who::NotYet
            }
            Some(outcome) => outcome.into(),
            None => Who::NotYet,
        })
    }
}

/// What held when the sweep that saw it had ended: of an account its other controls, of a control the other
/// accounts.
async fn standing(store: &Store, group: &Group) -> Result<Option<Standing>, store::Error> {
    let mut accounts = group.accounts.iter();
    let (account, control, is_of_accounts) =
        match (accounts.next(), accounts.next(), group.controls.first()) {
            (Some(account), None, _) => (Some(*account), None, false),
            (Some(_), Some(_), Some(control)) if group.controls.len() == 1 => {
                (None, Some(control), true)
            }
            _ => return Ok(None),
        };
    // Of a sweep under way nobody knows yet what it leaves standing.
    let seen_by = store.sweep(group.sweep).await?;
    if seen_by.is_none_or(|sweep| sweep.state == SweepState::Running) {
        return Ok(None);
    }
    let verdicts = store.verdicts_as_of(group.sweep, account, control).await?;
    let of = |verdict| verdicts.get(&verdict).copied().unwrap_or_default();
    let hold = of(Verdict::Pass);
    let of = hold + of(Verdict::Fail) + of(Verdict::Unknown);
    // Of a single one there is no rest.
    Ok((of > 1).then_some(Standing {
        hold,
        of,
        is_of_accounts,
    }))
}
