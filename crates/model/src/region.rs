//! Regions and partitions.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::InvalidValue;

/// The code of an AWS region, such as `eu-central-1`.
///
/// Any well-formed code is accepted: AWS adds regions faster than lists are updated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Region(Arc<str>);

impl Region {
    /// The code, such as `eu-central-1`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Region {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let well_formed = (5..=32).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.ends_with(|c: char| c.is_ascii_digit())
            && text.bytes().filter(|b| *b == b'-').count() >= 2;
        if well_formed {
            Ok(Self(text.into()))
        } else {
            Err(InvalidValue::new(
                "region",
                text,
                "a region code such as eu-central-1",
            ))
        }
    }
}

impl TryFrom<String> for Region {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Region> for String {
    fn from(region: Region) -> Self {
        region.0.as_ref().to_owned()
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// An AWS partition: a set of regions with its own accounts, endpoints and ARN prefix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Partition(Arc<str>);

impl Partition {
    /// The partition named in an ARN, such as `aws` or `aws-us-gov`.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name as it stands in an ARN.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The region where the partition's global services live and where a question that any
    /// region could answer is asked.
    ///
    /// Organizations answers, and its events are recorded, in `us-east-1`, `us-gov-west-1` and
    /// `cn-northwest-1` (AWS General Reference, Organizations endpoints).
    pub fn default_region(&self) -> Region {
        let code = match self.as_str() {
            "aws-us-gov" => "us-gov-west-1",
            "aws-cn" => "cn-northwest-1",
            "aws-eusc" => "eusc-de-east-1",
            "aws-iso" => "us-iso-east-1",
            "aws-iso-b" => "us-isob-east-1",
            "aws-iso-e" => "eu-isoe-west-1",
            "aws-iso-f" => "us-isof-south-1",
            _ => "us-east-1",
        };
        Region(code.into())
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn region_codes_of_every_partition_are_accepted() {
        for code in [
            "us-east-1",
            "us-gov-west-1",
            "cn-northwest-1",
            "us-isob-east-1",
            "ap-southeast-7",
        ] {
            assert_eq!(code.parse::<Region>().unwrap().as_str(), code);
        }
    }

    #[test]
    fn what_is_no_region_code_is_refused() {
        for text in [
            "",
            "all",
            "us-east",
            "US-EAST-1",
            "us east 1",
            "us-east-1\n",
            "1-a-1",
            "us-east-1a",
        ] {
            assert!(text.parse::<Region>().is_err(), "{text}");
        }
    }
}
