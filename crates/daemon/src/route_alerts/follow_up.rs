//! What is told of an alert after it was told first: that it is over, and that it lasts.

use alerts::{Ended, Notice, Still, idempotency_key};
use jiff::Timestamp;
use model::{DeliveryState, NoticeForm};
use serde::Deserialize as _;
use store::{AlertQuery, AlertRow, NewNotice, Recipient, Store, Sweeper};

use super::{Decider, RouteAlerts, Routed, in_json, seal};

impl RouteAlerts {
    /// Says of alerts that nothing is left to mend, to those who were told that there was.
    pub(super) async fn end_what_is_over(
        &self,
        store: &Sweeper,
        now: Timestamp,
        routed: &mut Routed,
    ) -> Result<(), store::Error> {
        for alert in lasting(store.store()).await? {
            let Some(while_) = alert.lasts_while else {
                continue;
            };
            if store.store().alert_lasts(alert.number, while_).await? {
                continue;
            }
            let notice = self
                .follow_up(store.store(), &alert, NoticeForm::Recovered, now)
                .await?;
            if store.end_alert(alert.number, now, notice.as_ref()).await? {
                routed.recovered += 1;
            }
        }
        Ok(())
    }

    /// Calls to mind what lasts and nobody said to have seen.
    pub(super) async fn remind(
        &self,
        store: &Sweeper,
        now: Timestamp,
        routed: &mut Routed,
    ) -> Result<(), store::Error> {
        for alert in lasting(store.store()).await? {
            let Some(due) = alert.remind_at else { continue };
            if now < due {
                routed.look_again_at(due);
                continue;
            }
            let next = (self.settings.reminder_interval)
                .and_then(|interval| now.saturating_add(interval).ok())
                .filter(|_| !alert.is_acknowledged);
            let is_wanted = next.is_some() && !self.is_accepted(store.store(), &alert, now).await?;
            let notice = if is_wanted {
                self.follow_up(store.store(), &alert, NoticeForm::Reminder, now)
                    .await?
            } else {
                None
            };
            routed.reminders += usize::from(notice.is_some());
            store
                .remind_of_alert(alert.number, now, next, notice.as_ref())
                .await?;
        }
        Ok(())
    }

    /// Whether all that is left of an alert is accepted by exceptions.
    async fn is_accepted(
        &self,
        store: &Store,
        alert: &AlertRow,
        now: Timestamp,
    ) -> Result<bool, store::Error> {
        let decider = Decider::read(store, &self.settings, now).await?;
        let Some(while_) = alert.lasts_while.filter(|_| decider.has_exceptions()) else {
            return Ok(false);
        };
        let left = store.still_broken(alert.number, while_).await?;
        Ok(left.iter().all(|finding| {
            decider.is_accepted(
                finding.account,
                Some(&finding.control),
                Some(finding.reason),
            )
        }))
    }

    /// What is told of an alert after it was told first, to those who were; `None` where nobody was.
    async fn follow_up(
        &self,
        store: &Store,
        alert: &AlertRow,
        form: NoticeForm,
        now: Timestamp,
    ) -> Result<Option<NewNotice>, store::Error> {
        let told = store.told_of_alert(alert.number).await?;
        // What a later version wrote, it follows up.
        let Some(opened) = (told.body).and_then(|body| Notice::deserialize(body).ok()) else {
            return Ok(None);
        };
        let number = (form == NoticeForm::Reminder).then_some(alert.reminders + 1);
        let recipients: Vec<Recipient> = (told.channels.into_iter())
            .filter(|(_, state)| *state != DeliveryState::Dead)
            .map(|(channel, _)| Recipient {
                idempotency_key: idempotency_key(alert.id, form, number, &channel),
                channel,
            })
            .collect();
        let Some(while_) = alert.lasts_while.filter(|_| !recipients.is_empty()) else {
            return Ok(None);
        };
        let standing = store.alert_standing(alert.number, while_).await?;
        let accounts = usize::try_from(alert.accounts).unwrap_or(usize::MAX);
        let now_it_is = Ended {
            at: now,
            still: Still {
                accounts: standing.accounts.len(),
                verdicts: standing.verdicts,
                opened_at: alert.opened_at,
            },
            seal: seal(store).await?,
        };
        let opened = opened.of_accounts(accounts);
        let notice = match number {
            Some(number) => opened.reminder(number, now_it_is),
            None => opened.recovered(now_it_is),
        };
        Ok(Some(NewNotice {
            form,
            body: in_json(&notice),
            recipients,
        }))
    }
}

/// The alerts that last, the first one first.
async fn lasting(store: &Store) -> Result<Vec<AlertRow>, store::Error> {
    let query = AlertQuery {
        lasts: Some(true),
        ..AlertQuery::default()
    };
    let mut alerts = store.alerts(&query).await?;
    alerts.reverse();
    Ok(alerts)
}
