//! A call that gave no answer, sorted into a class.

use std::{error::Error, time::Duration};

use aws_runtime::retries::classifiers::{THROTTLING_ERRORS, TRANSIENT_ERRORS};
use aws_smithy_runtime_api::{
    client::{orchestrator::HttpResponse, result::SdkError},
    http::StatusCode,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use model::{AccountId, Gap, GapClass, GapSample, Region};

use crate::Api;

/// A call that failed for good: what was asked, of whom, where, and what AWS said.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{gap}: {}", gap.sample.message)]
pub struct CallError {
    /// The failure as evidence that could not be read.
    pub gap: Box<Gap>,
    /// The error code, where AWS gave one.
    pub code: Option<String>,
}

impl CallError {
    /// The class.
    pub fn class(&self) -> GapClass {
        self.gap.class
    }

    pub(crate) fn new(
        api: Api,
        account: Option<AccountId>,
        region: &Region,
        resource: Option<&str>,
        failure: Failure,
    ) -> Self {
        let Failure {
            class,
            code,
            message,
            request_id,
            retry_after: _,
        } = failure;
        let message = match &code {
            Some(code) if !message.starts_with(code.as_str()) => format!("{code}: {message}"),
            _ => message,
        };
        Self {
            gap: Box::new(Gap {
                class,
                api: api.iam_action(),
                resource: resource.map(str::to_owned),
                account,
                region: Some(region.clone()),
                sample: GapSample {
                    message,
                    request_id,
                },
            }),
            code,
        }
    }
}

impl From<CallError> for Gap {
    fn from(error: CallError) -> Self {
        *error.gap
    }
}

/// What one attempt came to, before it is known where it was sent.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) class: GapClass,
    pub(crate) code: Option<String>,
    pub(crate) message: String,
    pub(crate) request_id: Option<String>,
    /// How long AWS asks to wait before the next attempt, if it does.
    pub(crate) retry_after: Option<Duration>,
}

impl Failure {
    pub(crate) fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        SdkError<E, HttpResponse>: RequestId,
    {
        let code = error.code().map(str::to_owned);
        let aws_message = error.message().unwrap_or_default();
        let status = error.raw_response().map(HttpResponse::status);
        let class = match error {
            SdkError::TimeoutError(_) => GapClass::TimedOut,
            SdkError::DispatchFailure(failure) if failure.is_timeout() => GapClass::TimedOut,
            SdkError::DispatchFailure(failure) if failure.is_io() => GapClass::Unreachable,
            // Not sent at all: the chain of credential providers came to nothing.
            SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) => {
                if mentions_credentials(error) {
                    GapClass::CredentialsInvalid
                } else {
                    GapClass::Unreachable
                }
            }
            SdkError::ResponseError(_) => GapClass::Other,
            _ => classify(code.as_deref().unwrap_or_default(), aws_message, status),
        };
        let message = if aws_message.is_empty() {
            chain_of(error)
        } else {
            aws_message.to_owned()
        };
        Self {
            class,
            code,
            message: printable(&message),
            request_id: error.request_id().map(printable),
            retry_after: error
                .raw_response()
                .and_then(|response| retry_after(|name| response.headers().get(name))),
        }
    }

    /// Whether the same call may succeed a moment later.
    pub(crate) fn is_worth_retrying(&self, status: Option<StatusCode>) -> bool {
        self.class.is_passing() || status.is_some_and(StatusCode::is_server_error)
    }
}

/// The wait that the headers ask for: AWS's own counts in milliseconds, HTTP's in seconds. HTTP
/// allows a date as well, which AWS does not send.
fn retry_after<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Option<Duration> {
    let number = |name| header(name)?.trim().parse::<u64>().ok();
    number("x-amz-retry-after")
        .map(Duration::from_millis)
        .or_else(|| number("retry-after").map(Duration::from_secs))
}

fn classify(code: &str, message: &str, status: Option<StatusCode>) -> GapClass {
    if THROTTLING_ERRORS.contains(&code) || status.is_some_and(|status| status.as_u16() == 429) {
        return GapClass::Throttled;
    }
    if TRANSIENT_ERRORS.contains(&code) {
        return GapClass::TimedOut;
    }
    match code {
        // The message is the only place where AWS tells the two apart (IAM User Guide,
        // "Access denied error messages").
        "AccessDenied"
        | "AccessDeniedException"
        | "AuthorizationError"
        | "AuthorizationErrorException"
        | "UnauthorizedOperation" => {
            let by_organization = ["service control policy", "resource control policy"];
            if by_organization
                .iter()
                .any(|policy| message.contains(policy))
            {
                GapClass::DeniedByOrganizationPolicy
            } else {
                GapClass::AccessDenied
            }
        }
        "RegionDisabledException" | "OptInRequired" => GapClass::RegionNotEnabled,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "InvalidAccessKeyId"
        | "MissingAuthenticationToken"
        | "IncompleteSignature"
        | "InvalidToken"
        | "AuthFailure" => GapClass::CredentialsInvalid,
        "ResourceNotFoundException"
        | "TrailNotFoundException"
        | "NotFound"
        | "NotFoundException"
        | "ResourceNotFound" => GapClass::NotFound,
        _ => GapClass::Other,
    }
}

fn mentions_credentials(error: &dyn Error) -> bool {
    let chain = chain_of(error);
    chain.contains("credential") || chain.contains("identity")
}

/// The messages of an error and of all of its sources: an SDK error alone says only "dispatch
/// failure".
pub(crate) fn chain_of(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let part = error.to_string();
        if !text.ends_with(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        source = error.source();
    }
    text
}

/// What comes from outside may hold terminal escapes; what AWS says may be very long.
fn printable(text: &str) -> String {
    const LIMIT: usize = 1000;
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LIMIT)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_aws_falls_into_its_class() {
        let status = |code: u16| StatusCode::try_from(code).ok();
        let by_scp = "User: x is not authorized to perform: y with an explicit deny in a service control policy";
        let rows = [
            (
                "AccessDeniedException",
                "User: x is not authorized to perform: y",
                400,
                GapClass::AccessDenied,
            ),
            (
                "AuthorizationError",
                "not authorized",
                403,
                GapClass::AccessDenied,
            ),
            (
                "AccessDeniedException",
                by_scp,
                400,
                GapClass::DeniedByOrganizationPolicy,
            ),
            (
                "ThrottlingException",
                "Rate exceeded",
                400,
                GapClass::Throttled,
            ),
            ("Throttling", "Rate exceeded", 400, GapClass::Throttled),
            ("TooManyRequestsException", "", 400, GapClass::Throttled),
            ("", "", 429, GapClass::Throttled),
            (
                "RegionDisabledException",
                "STS is not activated in this region",
                403,
                GapClass::RegionNotEnabled,
            ),
            (
                "ExpiredTokenException",
                "The security token included in the request is expired",
                400,
                GapClass::CredentialsInvalid,
            ),
            (
                "TrailNotFoundException",
                "Unknown trail",
                400,
                GapClass::NotFound,
            ),
            ("NotFound", "Topic does not exist", 404, GapClass::NotFound),
            ("InternalFailure", "", 500, GapClass::Other),
        ];
        for (code, message, http, class) in rows {
            assert_eq!(
                classify(code, message, status(http)),
                class,
                "{code} {message}"
            );
        }
    }

    #[test]
    fn every_way_of_aws_to_say_slow_down_is_a_throttle() {
        let codes = [
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "RequestThrottledException",
            "RequestThrottled",
            "TooManyRequestsException",
            "RequestLimitExceeded",
            "BandwidthLimitExceeded",
            "LimitExceededException",
            "ProvisionedThroughputExceededException",
            "PriorRequestNotComplete",
            "TransactionInProgressException",
            "SlowDown",
            "EC2ThrottledException",
        ];
        for code in codes {
            assert_eq!(classify(code, "", None), GapClass::Throttled, "{code}");
        }
    }

    #[test]
    fn the_wait_that_aws_asks_for_is_understood() {
        let rows = [
            ("retry-after", "3", Some(Duration::from_secs(3))),
            ("x-amz-retry-after", "250", Some(Duration::from_millis(250))),
            ("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT", None),
            ("retry-after", "-1", None),
            ("date", "3", None),
        ];
        for (name, value, wait) in rows {
            let header = |asked: &str| (asked == name).then_some(value);
            assert_eq!(retry_after(header), wait, "{name}: {value}");
        }
    }

    #[test]
    fn what_aws_says_is_printed_without_control_characters() {
        assert_eq!(printable("a\u{1b}[31mb\nc"), "a [31mb c");
        assert_eq!(printable(&"x".repeat(5000)).len(), 1000);
    }
}
