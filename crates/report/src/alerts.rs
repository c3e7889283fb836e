//! Alerts: what people were told, and what did not reach them.

use comfy_table::Cell;
use jiff::Timestamp;
use model::{AlertId, DeliveryState, DriftId, DriftKind, NoticeForm, Severity, SweepId};
use serde::Serialize;

use crate::{
    Options, PastDrift,
    json::{self, Listed},
    list_table::{lines, table},
    text::{NAME_WIDTH, counted, moment, safe, sentence},
};

/// An alert as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PastAlert {
    /// Its name.
    pub id: AlertId,
    /// The sweep that saw its drifts.
    pub sweep: SweepId,
    /// When it was made.
    pub opened_at: Timestamp,
    /// The kind of the drift that stands for all.
    pub kind: DriftKind,
    /// The highest severity of its drifts.
    pub severity: Severity,
    /// The drift that stands for all.
    pub drift_id: DriftId,
    /// What happened, in one line.
    pub title: String,
    /// Whether something is still to be mended.
    pub lasts: bool,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// Whether somebody has seen it.
    pub is_acknowledged: bool,
    /// How often people were reminded.
    pub reminders: u64,
    /// When they are next.
    pub remind_at: Option<Timestamp>,
    /// How many drifts it tells of.
    pub drifts: u64,
    /// How many accounts these are of.
    pub accounts: u64,
}

/// A delivery as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PastDelivery {
    /// The alert.
    pub alert_id: AlertId,
    /// The alert in one line.
    pub title: String,
    /// What was said of it.
    pub form: NoticeForm,
    /// The channel.
    pub channel: String,
    /// How far it is.
    pub state: DeliveryState,
    /// When it was put into the outbox.
    pub queued_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next; `None` unless it is pending.
    pub next_attempt_at: Option<Timestamp>,
    /// Why the last attempt came to nothing.
    pub last_error: Option<String>,
    /// When the channel took it.
    pub delivered_at: Option<Timestamp>,
}

impl Listed for PastAlert {
    const LIST: &'static str = "alerts";
    const ITEM: &'static str = "alert";

    fn shape(&self) -> impl Serialize + '_ {
        self
    }
}

impl Listed for PastDelivery {
    const LIST: &'static str = "deliveries";
    const ITEM: &'static str = "delivery";

    fn shape(&self) -> impl Serialize + '_ {
        self
    }
}

#[derive(Serialize)]
struct AlertsShape<'a> {
    schema_version: u32,
    alerts: &'a [PastAlert],
    deliveries: &'a [PastDelivery],
}

/// Renders alerts, and below them deliveries, in the order given.
pub fn render(alerts: &[PastAlert], deliveries: &[PastDelivery], options: &Options) -> String {
    let mut out = String::new();
    if alerts.is_empty() {
        out.push_str("No alert lasts.\n");
    } else {
        let mut table = table(options);
        table.set_header(["ALERT", "SINCE", "SEVERITY", "STATE", "WHAT"]);
        for alert in alerts {
            table.add_row(vec![
                Cell::new(alert.id),
                Cell::new(moment(alert.opened_at)),
                Cell::new(alert.severity),
                Cell::new(state(alert)),
                Cell::new(format!(
                    "{}\n{}, {}; drift {}",
                    sentence(&alert.title),
                    counted(alert.drifts, "drift"),
                    counted(alert.accounts, "account"),
                    alert.drift_id
                )),
            ]);
        }
        out.push_str(&lines(table));
    }
    if deliveries.is_empty() {
        out.push_str("Everything that was told has arrived.\n");
        return out;
    }
    out.push('\n');
    let mut table = table(options);
    table.set_header(["ALERT", "CHANNEL", "FORM", "DELIVERY", "WHY"]);
    for delivery in deliveries {
        let when = match (delivery.state, delivery.next_attempt_at) {
            (DeliveryState::Pending, Some(next)) => format!("pending, next {}", moment(next)),
            (DeliveryState::Delivered, _) => "delivered".to_owned(),
            (DeliveryState::Pending, None) => "pending".to_owned(),
            (DeliveryState::Dead, _) => "given up".to_owned(),
        };
        table.add_row(vec![
            Cell::new(delivery.alert_id),
            Cell::new(safe(&delivery.channel, NAME_WIDTH)),
            Cell::new(delivery.form),
            Cell::new(format!(
                "{when}\n{}",
                counted(u64::from(delivery.attempts), "attempt")
            )),
            Cell::new(sentence(delivery.last_error.as_deref().unwrap_or("-"))),
        ]);
    }
    out.push_str(&lines(table));
    out
}

fn state(alert: &PastAlert) -> &'static str {
    match (alert.lasts, alert.is_acknowledged) {
        (true, true) => "lasts, seen",
        (true, false) => "lasts",
        (false, _) => "over",
    }
}

/// The same as JSON.
pub fn render_json(alerts: &[PastAlert], deliveries: &[PastDelivery]) -> String {
    let shape = AlertsShape {
        schema_version: json::SCHEMA_VERSION,
        alerts,
        deliveries,
    };
    json::rendered(|out| json::write_document(&shape, out))
}

#[derive(Serialize)]
struct OneAlertShape<'a, D> {
    schema_version: u32,
    alert: &'a PastAlert,
    drifts: Vec<D>,
    deliveries: &'a [PastDelivery],
}

/// One alert as the API answers it, with what it tells of and who was told.
pub fn one_in_json(
    alert: &PastAlert,
    drifts: &[PastDrift],
    deliveries: &[PastDelivery],
) -> Vec<u8> {
    json::compact(&OneAlertShape {
        schema_version: json::SCHEMA_VERSION,
        alert,
        drifts: drifts.iter().map(Listed::shape).collect(),
        deliveries,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(title: &str) -> PastAlert {
        PastAlert {
            id: "0123456789abcdef".parse().unwrap(),
            sweep: SweepId(7),
            opened_at: "2026-10-01T12:00:00Z".parse().unwrap(),
            kind: DriftKind::VerdictChanged,
            severity: Severity::Critical,
            drift_id: "14f44d9d2eb8617f".parse().unwrap(),
            title: title.to_owned(),
            lasts: true,
            ended_at: None,
            is_acknowledged: true,
            reminders: 1,
            remind_at: None,
            drifts: 20_000,
            accounts: 10_000,
        }
    }

    fn delivery(error: &str) -> PastDelivery {
        PastDelivery {
            alert_id: "0123456789abcdef".parse().unwrap(),
            title: "x".to_owned(),
            form: NoticeForm::Opened,
            channel: "on-call".to_owned(),
            state: DeliveryState::Dead,
            queued_at: "2026-10-01T12:00:00Z".parse().unwrap(),
            attempts: 7,
            next_attempt_at: None,
            last_error: Some(error.to_owned()),
            delivered_at: None,
        }
    }

    #[test]
    fn alerts_and_what_did_not_arrive_are_listed() {
        let options = Options::default();
        insta::assert_snapshot!(render(
            &[alert("10,000 accounts: 2 controls fail")],
            &[delivery(
                "the receiver refused it with 404 Not Found: no_service"
            )],
            &options
        ));
        assert_eq!(
            render(&[], &[], &options),
            "No alert lasts.\nEverything that was told has arrived.\n"
        );
    }

    #[test]
    fn lists_fit_the_terminal() {
        let alerts = [alert("10,000 accounts: 2 controls fail")];
        let deliveries = [delivery(
            "the receiver refused it with 404 Not Found: no_service",
        )];
        crate::fixture::assert_fits(
            |look| render(&alerts, &deliveries, look),
            &["0123456789abcdef", "14f44d9d2eb8617f", "critical"],
        );
    }

    #[test]
    fn what_others_wrote_is_harmless() {
        let text = render(
            &[alert("\u{1b}[31mred\u{202e}")],
            &[delivery("\u{7}\r\nx")],
            &Options::default(),
        );
        assert!(
            !text.contains(['\u{1b}', '\u{202e}', '\u{7}', '\r']),
            "{text}"
        );
        let json = render_json(&[alert("\u{1b}[31m")], &[]);
        assert!(!json.contains('\u{1b}'), "{json}");
    }
}
