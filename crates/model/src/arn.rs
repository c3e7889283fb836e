//! Amazon Resource Names.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{AccountId, InvalidValue, Partition, Region};

/// A full Amazon Resource Name: the only key that names a resource across accounts and regions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Arn {
    text: Box<str>,
    /// Where each of the six fields ends, colons excluded.
    ends: [u16; 5],
}

impl Arn {
    fn field(&self, index: usize) -> &str {
        let start = if index == 0 {
            0
        } else {
            usize::from(self.ends[index - 1]) + 1
        };
        let end = self
            .ends
            .get(index)
            .map_or(self.text.len(), |end| usize::from(*end));
        &self.text[start..end]
    }

    /// The ARN as AWS writes it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The partition, such as `aws`.
    pub fn partition(&self) -> Partition {
        Partition::new(self.field(1))
    }

    /// The service, such as `sns`.
    pub fn service(&self) -> &str {
        self.field(2)
    }

    /// The region, where the ARN names one.
    pub fn region(&self) -> Option<Region> {
        self.field(3).parse().ok()
    }

    /// The account, where the ARN names one.
    pub fn account(&self) -> Option<AccountId> {
        self.field(4).parse().ok()
    }

    /// Everything after the account.
    pub fn resource(&self) -> &str {
        self.field(5)
    }

    /// The account and region of a resource that has both, as trails, topics and alarms do.
    pub fn home(&self) -> Option<(AccountId, Region)> {
        Some((self.account()?, self.region()?))
    }

    /// Whether this names an SNS topic (and not, say, a subscription or an SSM action).
    pub fn is_sns_topic(&self) -> bool {
        self.service() == "sns" && self.home().is_some() && !self.resource().contains(':')
    }
}

impl FromStr for Arn {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse =
            || InvalidValue::new("ARN", text, "arn:partition:service:region:account:resource");
        if text.len() > 2048 || text.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(refuse());
        }
        let mut colons = text
            .bytes()
            .enumerate()
            .filter(|(_, b)| *b == b':')
            .map(|(at, _)| at);
        let mut ends = [0; 5];
        for end in &mut ends {
            *end = colons
                .next()
                .and_then(|at| u16::try_from(at).ok())
                .ok_or_else(refuse)?;
        }
        let arn = Self {
            text: text.into(),
            ends,
        };
        if arn.field(0) != "arn"
            || !arn.field(1).starts_with("aws")
            || arn.service().is_empty()
            || arn.resource().is_empty()
        {
            return Err(refuse());
        }
        Ok(arn)
    }
}

impl TryFrom<String> for Arn {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Arn> for String {
    fn from(arn: Arn) -> Self {
        arn.text.into()
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// The ARN of a CloudWatch Logs log group, without the `:*` that some APIs append.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct LogGroupArn {
    arn: Arn,
    account: AccountId,
    region: Region,
}

impl LogGroupArn {
    /// The name of the log group.
    pub fn name(&self) -> &str {
        self.arn
            .resource()
            .strip_prefix("log-group:")
            .unwrap_or_default()
    }

    /// The account that owns the log group.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// The region it lives in.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// The ARN in its plain form.
    pub fn arn(&self) -> &Arn {
        &self.arn
    }
}

impl FromStr for LogGroupArn {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || {
            InvalidValue::new(
                "log group ARN",
                text,
                "arn:partition:logs:region:account:log-group:name",
            )
        };
        let arn: Arn = text
            .strip_suffix(":*")
            .unwrap_or(text)
            .parse()
            .map_err(|_| refuse())?;
        let (account, region) = arn.home().ok_or_else(refuse)?;
        let name = arn
            .resource()
            .strip_prefix("log-group:")
            .ok_or_else(refuse)?;
        if arn.service() != "logs" || name.is_empty() || name.contains(':') {
            return Err(refuse());
        }
        Ok(Self {
            arn,
            account,
            region,
        })
    }
}

impl TryFrom<String> for LogGroupArn {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<LogGroupArn> for String {
    fn from(arn: LogGroupArn) -> Self {
        arn.arn.into()
    }
}

impl fmt::Display for LogGroupArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.arn.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_group_arn_gives_name_account_and_region_with_or_without_the_star() {
        for suffix in ["", ":*"] {
            let text =
                format!("arn:aws-us-gov:logs:us-gov-west-1:000000000012:log-group:/a/b.c{suffix}");
            let arn: LogGroupArn = text.parse().unwrap();
            assert_eq!(arn.name(), "/a/b.c");
            assert_eq!(arn.account().to_string(), "000000000012");
            assert_eq!(arn.region().as_str(), "us-gov-west-1");
            assert!(!arn.to_string().ends_with(":*"));
        }
    }

    #[test]
    fn what_is_no_log_group_arn_is_refused() {
        for text in [
            "arn:aws:logs:us-east-1:111111111111:log-group:",
            "arn:aws:logs:us-east-1:111111111111:log-group:a:log-stream:b",
            "arn:aws:logs::111111111111:log-group:a",
            "arn:aws:sns:us-east-1:111111111111:log-group:a",
            "group",
            "arn:aws:logs:us-east-1:111111111111",
        ] {
            assert!(text.parse::<LogGroupArn>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_a_topic_is_a_topic() {
        let is_topic = |text: &str| text.parse::<Arn>().is_ok_and(|arn| arn.is_sns_topic());
        assert!(is_topic("arn:aws:sns:eu-west-1:111111111111:alerts"));
        assert!(is_topic(
            "arn:aws-cn:sns:cn-north-1:111111111111:alerts.fifo"
        ));
        assert!(!is_topic("arn:aws:sns:eu-west-1:111111111111:alerts:0f1e"));
        assert!(!is_topic(
            "arn:aws:lambda:eu-west-1:111111111111:function:f"
        ));
        assert!(!is_topic("arn:aws:automate:eu-west-1:ec2:stop"));
    }

    #[test]
    fn a_long_or_multibyte_text_is_refused_without_a_panic() {
        assert!("arn:aws:s3:::".repeat(400).parse::<Arn>().is_err());
        assert!("arn:aws:é:ü::ß".parse::<Arn>().is_ok());
    }
}
