//! One client per service; region and credentials are set per call.

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_types::SdkConfig;

/// The SDK clients. Cloning one is cheap; there is never one per account or region.
#[derive(Debug, Clone)]
pub struct Clients {
    pub(crate) sts: aws_sdk_sts::Client,
    /// AWS Organizations.
    pub organizations: aws_sdk_organizations::Client,
    /// AWS Account Management.
    pub account: aws_sdk_account::Client,
    /// CloudTrail.
    pub cloudtrail: aws_sdk_cloudtrail::Client,
    /// CloudWatch Logs.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// CloudWatch.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// SNS.
    pub sns: aws_sdk_sns::Client,
    /// EventBridge.
    pub events: aws_sdk_eventbridge::Client,
}

impl Clients {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self {
            sts: aws_sdk_sts::Client::new(config),
            organizations: aws_sdk_organizations::Client::new(config),
            account: aws_sdk_account::Client::new(config),
            cloudtrail: aws_sdk_cloudtrail::Client::new(config),
            logs: aws_sdk_cloudwatchlogs::Client::new(config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(config),
            sns: aws_sdk_sns::Client::new(config),
            events: aws_sdk_eventbridge::Client::new(config),
        }
    }
}

/// Where one attempt goes and who signs it: `None` leaves the ambient credentials in place.
#[derive(Debug, Clone)]
pub struct Target {
    pub(crate) region: aws_types::region::Region,
    pub(crate) credentials: Option<Credentials>,
}

macro_rules! overrides {
    ($($(#[$doc:meta])* $method:ident => $sdk:ident;)*) => {
        impl Target {
            $(
                $(#[$doc])*
                pub fn $method(&self) -> $sdk::config::Builder {
                    let mut config = $sdk::Config::builder().region(self.region.clone());
                    if let Some(credentials) = &self.credentials {
                        let provider = SharedCredentialsProvider::new(credentials.clone());
                        config.set_credentials_provider(Some(provider));
                    }
                    config
                }
            )*
        }
    };
}

overrides! {
    /// The override for a call to STS.
    sts => aws_sdk_sts;
    /// The override for a call to AWS Organizations.
    organizations => aws_sdk_organizations;
    /// The override for a call to AWS Account Management.
    account => aws_sdk_account;
    /// The override for a call to CloudTrail.
    cloudtrail => aws_sdk_cloudtrail;
    /// The override for a call to CloudWatch Logs.
    logs => aws_sdk_cloudwatchlogs;
    /// The override for a call to CloudWatch.
    cloudwatch => aws_sdk_cloudwatch;
    /// The override for a call to SNS.
    sns => aws_sdk_sns;
    /// The override for a call to EventBridge.
    events => aws_sdk_eventbridge;
}
