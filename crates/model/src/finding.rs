//! A finding: the answer for one account and control, with everything that led to it.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{AccountId, Arn, ControlId, Gap, Link, Reason, Region, Verdict};

/// How one node of the walked chain stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// It does its part.
    Holds,
    /// It does not.
    Broken,
    /// It could not be read or decided.
    Unknown,
}

/// One candidate for a link of the chain: everything that was tried is kept.
///
/// The nodes of a finding form a tree, stored in the order of the walk: `parent` is the index of
/// the node that named this one.
#[derive(Debug, Clone, PartialEq, Hash, Serialize, Deserialize)]
pub struct ChainNode {
    /// Which link it would be.
    pub link: Link,
    /// The index of the node that led here; `None` for a trail.
    pub parent: Option<usize>,
    /// The ARN, or the name where AWS gives it no ARN of its own.
    pub resource: String,
    /// The account in which it lives.
    pub account: Option<AccountId>,
    /// The region in which it lives.
    pub region: Option<Region>,
    /// How it stands.
    pub state: NodeState,
    /// Why it does not hold.
    pub reason: Option<Reason>,
    /// One sentence on its state.
    pub message: String,
    /// What was read of it: the fields that the verdict rests on.
    pub read: serde_json::Value,
}

/// The chain that makes an account pass.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CoveredBy {
    /// The trail at its start.
    pub trail: Arn,
    /// The account that owns the trail.
    pub account: AccountId,
    /// Whether it is the organization's trail.
    pub is_organization_trail: bool,
}

macro_rules! advice_codes {
    ($($variant:ident, $code:literal, $meaning:literal;)*) => {
        /// What kind of advice is given: a closed list, stable across versions.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum AdviceCode {
            $(
                #[doc = $meaning]
                #[serde(rename = $code)]
                $variant,
            )*
        }

        impl AdviceCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The code as it is written in reports.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            /// What it means, in one sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning),* }
            }
        }
    };
}

advice_codes! {
    Noise, "noise", "The filter also matches events that nobody asked for.";
    ReliesOnReadOnly, "relies-on-read-only", "The filter tells writes by `readOnly`, which AWS calls optional.";
    FiresLate, "fires-late", "The alarm fires some periods late.";
    DeliveryDegraded, "delivery-degraded", "The trail's delivery to CloudWatch Logs shows an error or is old.";
    WritesSuffice, "writes-suffice", "The trail records writes only, which is enough for these events but not for the benchmark.";
    EventSourceExcluded, "event-source-excluded", "The trail leaves out a service whose events the control would count as well.";
    AlarmSlow, "alarm-slow", "The alarm looks so far back, or in such long periods, that it tells late or rarely.";
    AlarmMuted, "alarm-muted", "A mute rule silences the alarm at times.";
    TellsThroughComposite, "tells-through-composite", "The alarm tells through a composite alarm, which other alarms can hold in ALARM.";
    CustomerKeyNotRead, "customer-key-not-read", "The topic is encrypted with a customer key, whose policy was not read.";
    FifoTopic, "fifo-topic", "The topic is a FIFO topic, to which no mailbox and no telephone can subscribe.";
    EventBridgeRule, "event-bridge-rule", "An EventBridge rule sends the events somewhere: worth knowing, but not what the benchmark asks.";
    OrganizationTrailShouldCover, "organization-trail-should-cover", "The account was not entered, but the organization's trail should cover it.";
}

/// Something worth knowing that does not change the verdict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Advice {
    /// What kind of advice it is.
    pub code: AdviceCode,
    /// The advice in one sentence.
    pub message: String,
}

/// A filter whose chain nearly reaches somebody for every required event.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NearMiss {
    /// The index of the filter's node in the chain.
    pub node: usize,
    /// Its name.
    pub filter: String,
    /// What it lacks, each in a sentence, in the order of the chain.
    pub lacks: Vec<String>,
}

/// The answer for one account and control.
///
/// What many accounts have in common is one judgement, which they share.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The account that was judged.
    pub account: AccountId,
    /// The control it was judged by.
    pub control: ControlId,
    /// The answer.
    pub judgement: Arc<Judgement>,
}

/// An answer with everything that led to it, whichever account it is for.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Judgement {
    /// Why; the verdict follows from it.
    pub reason: Reason,
    /// The link that is broken or could not be read.
    pub link: Option<Link>,
    /// The index in `chain` of the node that is broken or could not be read; for something that is
    /// absent, of the node below which it would be.
    pub node: Option<usize>,
    /// One sentence that a human would say.
    pub message: String,
    /// The chain that holds, for a PASS.
    pub covered_by: Option<CoveredBy>,
    /// What is worth knowing beside the verdict.
    pub advice: Vec<Advice>,
    /// What could not be read on the way; for UNKNOWN, what would have decided comes first.
    pub gaps: Vec<Gap>,
    /// Filters that nearly do, for a FAIL or UNKNOWN: the one that lacks least comes first.
    pub near_misses: Vec<NearMiss>,
    /// Every candidate that was walked. What many accounts share is one list.
    pub chain: Arc<[ChainNode]>,
}

impl Judgement {
    /// A judgement that says why in one sentence, and nothing else.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            link: None,
            node: None,
            message: message.into(),
            covered_by: None,
            advice: Vec::new(),
            gaps: Vec::new(),
            near_misses: Vec::new(),
            chain: [].into(),
        }
    }

    /// The verdict.
    pub fn verdict(&self) -> Verdict {
        self.reason.verdict()
    }

    /// What to do next, in one sentence; `None` where there is nothing to do.
    pub fn next_step(&self) -> Option<&'static str> {
        Some(self.reason.next_step()).filter(|step| !step.is_empty())
    }
}

impl Deref for Finding {
    type Target = Judgement;

    fn deref(&self) -> &Judgement {
        &self.judgement
    }
}

impl DerefMut for Finding {
    /// The judgement of this finding alone: what others share is copied before it is changed.
    fn deref_mut(&mut self) -> &mut Judgement {
        Arc::make_mut(&mut self.judgement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn advice_codes_are_unique_and_read_back() {
        let codes: BTreeSet<_> = AdviceCode::ALL.iter().map(|advice| advice.code()).collect();
        assert_eq!(codes.len(), AdviceCode::ALL.len());
        for advice in AdviceCode::ALL {
            let written = serde_json::to_value(advice).unwrap();
            assert_eq!(written, advice.code());
            let read: AdviceCode = serde_json::from_value(written).unwrap();
            assert_eq!(read, *advice);
        }
    }
}
