//! The parts of AWS that share nothing with each other.

use serde::Deserialize;

/// A partition, with the regions it has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum Partition {
    #[default]
    #[serde(rename = "aws")]
    Aws,
    #[serde(rename = "aws-us-gov")]
    GovCloud,
    #[serde(rename = "aws-cn")]
    China,
}

impl Partition {
    /// The name, as ARNs have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::GovCloud => "aws-us-gov",
            Self::China => "aws-cn",
        }
    }

    /// Where Organizations lives, and where a new world puts its chains.
    pub fn default_region(self) -> &'static str {
        match self {
            Self::Aws => "us-east-1",
            Self::GovCloud => "us-gov-west-1",
            Self::China => "cn-northwest-1",
        }
    }

    /// Regions that every account has from its first day.
    pub fn regions(self) -> &'static [&'static str] {
        match self {
            Self::Aws => &[
                "us-east-1",
                "us-east-2",
                "us-west-1",
                "us-west-2",
                "ap-northeast-1",
                "ap-northeast-2",
                "ap-northeast-3",
                "ap-south-1",
                "ap-southeast-1",
                "ap-southeast-2",
                "ca-central-1",
                "eu-central-1",
                "eu-north-1",
                "eu-west-1",
                "eu-west-2",
                "eu-west-3",
                "sa-east-1",
            ],
            Self::GovCloud => &["us-gov-east-1", "us-gov-west-1"],
            Self::China => &["cn-north-1", "cn-northwest-1"],
        }
    }

    /// Regions that an account has only after it asked for them.
    pub fn opt_in_regions(self) -> &'static [&'static str] {
        match self {
            Self::Aws => &[
                "af-south-1",
                "ap-east-1",
                "ap-south-2",
                "ap-southeast-3",
                "ap-southeast-4",
                "ca-west-1",
                "eu-central-2",
                "eu-south-1",
                "eu-south-2",
                "il-central-1",
                "me-central-1",
                "me-south-1",
            ],
            Self::GovCloud | Self::China => &[],
        }
    }
}
