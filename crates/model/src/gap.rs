//! Evidence that could not be read.

use std::{
    fmt,
    hash::{Hash, Hasher},
};

use serde::{Deserialize, Serialize};

use crate::{AccountId, Region};

/// Why a call gave no answer, as far as the reader acts differently on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapClass {
    /// The role's or the caller's own policies do not allow the call.
    AccessDenied,
    /// A service or resource control policy of the organization forbids it.
    DeniedByOrganizationPolicy,
    /// The region is not enabled in the account.
    RegionNotEnabled,
    /// AWS asked to slow down until the attempts were used up.
    Throttled,
    /// The credentials are expired, malformed or unknown to AWS.
    CredentialsInvalid,
    /// No answer in time.
    TimedOut,
    /// What was asked for does not exist (any more).
    NotFound,
    /// No connection to AWS could be made or kept.
    Unreachable,
    /// An answer that fits none of the others.
    Other,
}

impl GapClass {
    /// Every class, for tables and round trips.
    pub const ALL: [Self; 9] = [
        Self::AccessDenied,
        Self::DeniedByOrganizationPolicy,
        Self::RegionNotEnabled,
        Self::Throttled,
        Self::CredentialsInvalid,
        Self::TimedOut,
        Self::NotFound,
        Self::Unreachable,
        Self::Other,
    ];

    /// The class as it is written in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessDenied => "access-denied",
            Self::DeniedByOrganizationPolicy => "denied-by-organization-policy",
            Self::RegionNotEnabled => "region-not-enabled",
            Self::Throttled => "throttled",
            Self::CredentialsInvalid => "credentials-invalid",
            Self::TimedOut => "timed-out",
            Self::NotFound => "not-found",
            Self::Unreachable => "unreachable",
            Self::Other => "other",
        }
    }

    /// Whether asking again a little later may well succeed.
    pub fn is_passing(self) -> bool {
        matches!(self, Self::Throttled | Self::TimedOut | Self::Unreachable)
    }

    /// The class in words that follow "the call".
    pub fn in_words(self) -> &'static str {
        match self {
            Self::AccessDenied => "was denied",
            Self::DeniedByOrganizationPolicy => "was denied by a policy of the organization",
            Self::RegionNotEnabled => "went to a region that is not enabled",
            Self::Throttled => "was throttled until the attempts were used up",
            Self::CredentialsInvalid => "was refused because the credentials are not valid",
            Self::TimedOut => "was not answered in time",
            Self::NotFound => "named something that does not exist",
            Self::Unreachable => "could not reach AWS",
            Self::Other => "failed",
        }
    }
}

impl fmt::Display for GapClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A piece of evidence that could not be read.
///
/// Two gaps are equal when the same question failed in the same way; the [`GapSample`] is one
/// example beside it and takes part in neither comparison, hash nor serialised form.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Gap {
    /// Why.
    pub class: GapClass,
    /// The call, named as its IAM action, such as `cloudtrail:DescribeTrails`.
    pub api: String,
    /// The ARN or name of what was asked about, where the call names one.
    pub resource: Option<String>,
    /// The account that was asked.
    pub account: Option<AccountId>,
    /// The region that was asked.
    pub region: Option<Region>,
    /// What AWS answered this time.
    #[serde(skip)]
    pub sample: GapSample,
}

/// What AWS said when the call of a [`Gap`] failed this time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GapSample {
    /// The error code and message.
    pub message: String,
    /// AWS's id of the request.
    pub request_id: Option<String>,
}

/// A gap together with its sample, for places where it is told and not compared.
pub(crate) mod with_sample {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Gap, GapSample};

    #[derive(Serialize, Deserialize)]
    struct WithSample {
        #[serde(flatten)]
        gap: Gap,
        #[serde(default)]
        sample: GapSample,
    }

    pub(crate) fn serialize<S: Serializer>(gap: &Gap, serializer: S) -> Result<S::Ok, S::Error> {
        WithSample {
            gap: gap.clone(),
            sample: gap.sample.clone(),
        }
        .serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Gap, D::Error> {
        let WithSample { gap, sample } = WithSample::deserialize(deserializer)?;
        Ok(Gap { sample, ..gap })
    }
}

impl Gap {
    fn identity(
        &self,
    ) -> (
        GapClass,
        &str,
        Option<&str>,
        Option<AccountId>,
        Option<&Region>,
    ) {
        (
            self.class,
            &self.api,
            self.resource.as_deref(),
            self.account,
            self.region.as_ref(),
        )
    }
}

impl PartialEq for Gap {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for Gap {}

impl Hash for Gap {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl PartialOrd for Gap {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Gap {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.identity().cmp(&other.identity())
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.api)?;
        if let Some(resource) = &self.resource {
            write!(f, " on {resource}")?;
        }
        if let Some(account) = self.account {
            write!(f, " in account {account}")?;
        }
        if let Some(region) = &self.region {
            write!(f, ", {region},")?;
        }
        write!(f, " {}", self.class.in_words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(message: &str) -> Gap {
        Gap {
            class: GapClass::AccessDenied,
            api: "sns:ListSubscriptionsByTopic".to_owned(),
            resource: None,
            account: None,
            region: None,
            sample: GapSample {
                message: message.to_owned(),
                request_id: None,
            },
        }
    }

    #[test]
    fn what_aws_said_this_time_takes_no_part_in_identity() {
        assert_eq!(gap("one"), gap("another"));
        assert_eq!(
            crate::canonical_json(&gap("one")),
            crate::canonical_json(&gap("another"))
        );
    }

    #[test]
    fn a_discovery_that_ended_early_keeps_what_aws_said() {
        let state = crate::DiscoveryState::Incomplete {
            gap: gap("Rate exceeded"),
        };
        let text = serde_json::to_string(&state).unwrap();
        let crate::DiscoveryState::Incomplete { gap } = serde_json::from_str(&text).unwrap() else {
            panic!("{text}");
        };
        assert_eq!(gap.sample.message, "Rate exceeded");
    }

    #[test]
    fn each_class_is_written_as_it_is_serialised() {
        for class in GapClass::ALL {
            assert_eq!(serde_json::to_value(class).unwrap(), class.as_str());
        }
    }
}
