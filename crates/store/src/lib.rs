#![doc = include_str!("../README.md")]

mod account_list;
mod accounts;
mod advice;
mod alert_outbox;
mod alert_standing;
mod alerts;
mod backup;
mod changed;
mod check;
mod column;
mod coverage;
mod database;
mod departures;
mod differences;
mod drift_pages;
mod drifts;
mod earlier_sweeps;
mod error;
mod evidence;
mod exceptions;
mod export;
mod finding_counts;
mod finding_query;
mod findings;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod history_fixture;
mod info;
mod journal;
#[cfg(test)]
mod killed;
mod leaves;
mod memory;
mod metrics;
mod migrate;
mod moments;
#[cfg(test)]
mod naive_history;
mod newest;
mod owner;
#[cfg(test)]
mod pages_tests;
mod progress;
#[cfg(test)]
mod refusals_tests;
mod remembered;
mod restore;
mod retention;
mod sealed_header;
mod seals;
mod sweep_list;
mod sweeps;
mod tokens;
mod verify;
mod waiting_drifts;

pub use account_list::{AccountQuery, AccountRow};
pub use alert_outbox::{
    AlertQueue, Attempt, Delivery, DeliveryQuery, DueDelivery, NewNotice, Recipient, Resend,
    ToldOfAlert,
};
pub use alert_standing::{Standing, StillBroken};
pub use alerts::{AlertQuery, AlertRow, NewAlert};
pub use backup::Backup;
pub use check::{CheckReport, Problem};
pub use database::{Store, Sweeper};
pub use departures::Departure;
pub use differences::{Differences, TwoStates};
pub use drift_pages::DriftPages;
pub use drifts::{DriftQuery, DriftRow};
pub use earlier_sweeps::EarlierSweeps;
pub use error::Error;
pub use exceptions::ExceptionRow;
pub use finding_counts::FindingCounts;
pub use finding_query::{FindingPages, FindingQuery, FindingRow};
pub use info::{StoreInfo, TableSize};
pub use journal::{Journal, JournalKind, JournalRecord};
pub use metrics::{METRICS, VerdictCounts, register_metrics};
pub use migrate::Migrated;
pub use moments::{AsOf, Moment};
pub use newest::Newest;
pub use progress::{OvertakenSweep, ResumedSweep};
pub use restore::Restored;
pub use retention::{KeepFrom, Pruned};
pub use seals::SealRow;
pub use sweep_list::{SweepEntry, SweepQuery};
pub use sweeps::{JudgedAccount, SweepRow};
pub use tokens::{TokenFound, TokenHash, TokenRow, TokenToAdd};
pub use verify::VerifiedStore;
pub use waiting_drifts::{WaitingDrift, WaitingSweep};
