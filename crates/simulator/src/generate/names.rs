//! Names for accounts and units: plausible, and obviously nobody's.

use std::collections::HashMap;

use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use crate::world::{ChainNames, Naming};

pub(super) const TEAMS: [&str; 8] = [
    "atlas", "beacon", "cedar", "delta", "ember", "falcon", "grove", "harbor",
];

const PURPOSES: [&str; 20] = [
    "payments",
    "ledger",
    "checkout",
    "catalog",
    "search",
    "identity",
    "billing",
    "analytics",
    "warehouse",
    "mobile",
    "messaging",
    "fraud",
    "pricing",
    "partners",
    "support",
    "reporting",
    "media",
    "logistics",
    "loyalty",
    "platform",
];

/// Where accounts live, with how often: each entry is one share.
const STAGES: [(&str, &str); 8] = [
    ("production", "Workloads/Production"),
    ("production", "Workloads/Production"),
    ("production", "Workloads/Production"),
    ("staging", "Workloads/Staging"),
    ("staging", "Workloads/Staging"),
    ("development", "Workloads/Development"),
    ("development", "Workloads/Development"),
    ("sandbox", "Sandbox"),
];

/// All units of a generated organization, used or not.
pub(super) const UNITS: [&str; 7] = [
    "Security",
    "Infrastructure",
    "Workloads/Production",
    "Workloads/Staging",
    "Workloads/Development",
    "Sandbox",
    "Suspended",
];

/// Text that must be shown, never obeyed.
pub(super) const HOSTILE: [&str; 7] = [
    "\u{1b}[2J\u{1b}[31mred\u{1b}[0m ",
    "\u{1b}]0;title\u{7}",
    "<script>alert(1)</script> ",
    "\"quoted\", 'single' \\ `tick` ; DROP TABLE findings; -- ",
    "=HYPERLINK(\"http://example.com\") ",
    "\u{202e}reversed\u{202c} \u{200b}",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\
     aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

/// Gives every account a name of its own.
#[derive(Debug, Default)]
pub(super) struct Namer {
    given: HashMap<String, u32>,
}

impl Namer {
    /// The next name, and the unit that an account of that name lives in.
    pub(super) fn next(&mut self, rng: &mut ChaCha8Rng) -> (String, &'static str) {
        let team = TEAMS.choose(rng).copied().unwrap_or("team");
        let purpose = PURPOSES.choose(rng).copied().unwrap_or("workload");
        let (stage, unit) = STAGES
            .choose(rng)
            .copied()
            .unwrap_or(("sandbox", "Sandbox"));
        let name = format!("{team}-{purpose}-{stage}");
        let times = self.given.entry(name.clone()).or_insert(0);
        *times += 1;
        if *times == 1 {
            (name, unit)
        } else {
            (format!("{name}-{times}"), unit)
        }
    }
}

/// Naming schemes as real accounts have them, several in one organization.
pub(super) fn conventions(number: usize) -> ChainNames {
    match number {
        0 => ChainNames::default(),
        1 => ChainNames {
            trail: "account-trail".to_owned(),
            log_group: "CloudTrail/DefaultLogGroup".to_owned(),
            namespace: "LogMetrics".to_owned(),
            topic: "cloudtrail-alarms".to_owned(),
            naming: Naming::Suffixes,
        },
        _ => ChainNames {
            trail: "cis-trail".to_owned(),
            log_group: "/security/cloudtrail".to_owned(),
            namespace: "cis_benchmark".to_owned(),
            topic: "cis-alarms".to_owned(),
            naming: Naming::Numbers,
        },
    }
}
