//! Alerts and their deliveries.

use model::DeliveryState;
use report::alerts::{PastAlert, PastDelivery};
use store::{AlertRow, Delivery};

/// An alert as reports tell it.
pub fn alert(row: AlertRow) -> PastAlert {
    PastAlert {
        lasts: row.lasts(),
        id: row.id,
        sweep: row.sweep,
        opened_at: row.opened_at,
        kind: row.kind,
        severity: row.severity,
        drift_id: row.drift,
        title: row.title,
        ended_at: row.ended_at,
        is_acknowledged: row.is_acknowledged,
        reminders: row.reminders,
        remind_at: row.remind_at,
        drifts: row.drifts,
        accounts: row.accounts,
    }
}

/// A delivery as reports tell it.
pub fn delivery(delivery: Delivery) -> PastDelivery {
    let is_pending = delivery.state == DeliveryState::Pending;
    PastDelivery {
        alert_id: delivery.alert,
        title: delivery.title,
        form: delivery.form,
        channel: delivery.channel,
        state: delivery.state,
        queued_at: delivery.queued_at,
        attempts: delivery.attempts,
        next_attempt_at: is_pending.then_some(delivery.next_attempt_at),
        last_error: delivery.last_error,
        delivered_at: delivery.delivered_at,
    }
}
