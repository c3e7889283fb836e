//! The services that the simulator stands in for, and how each of them says no.

use crate::api_error::ApiError;

/// One AWS service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    Account,
    CloudTrail,
    CloudWatch,
    /// EventBridge; its older name lives on in actions, targets and scopes.
    Events,
    Logs,
    Organizations,
    Sns,
    Sts,
}

impl Service {
    pub(crate) const ALL: [Self; 8] = [
        Self::Account,
        Self::CloudTrail,
        Self::CloudWatch,
        Self::Events,
        Self::Logs,
        Self::Organizations,
        Self::Sns,
        Self::Sts,
    ];

    /// The prefix of its IAM actions: `logs` in `logs:DescribeMetricFilters`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::CloudTrail => "cloudtrail",
            Self::CloudWatch => "cloudwatch",
            Self::Events => "events",
            Self::Logs => "logs",
            Self::Organizations => "organizations",
            Self::Sns => "sns",
            Self::Sts => "sts",
        }
    }

    /// The service of that IAM prefix.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }

    /// By the service's name in a SigV4 credential scope.
    pub(crate) fn signing_as(scope: &str) -> Option<Self> {
        match scope {
            "monitoring" => Some(Self::CloudWatch),
            "cloudwatch" => None,
            other => Self::named(other),
        }
    }

    /// By what stands before the last dot of `X-Amz-Target`. CloudTrail's has a long form as well.
    pub(crate) fn targeted_by(prefix: &str) -> Option<Self> {
        match prefix.rsplit('.').next()? {
            "AWSOrganizationsV20161128" => Some(Self::Organizations),
            "CloudTrail_20131101" => Some(Self::CloudTrail),
            "Logs_20140328" => Some(Self::Logs),
            "AWSEvents" => Some(Self::Events),
            "GraniteServiceVersion20100801" => Some(Self::CloudWatch),
            _ => None,
        }
    }

    pub(crate) fn xml_namespace(self) -> &'static str {
        match self {
            Self::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            Self::CloudWatch => "http://monitoring.amazonaws.com/doc/2010-08-01/",
            _ => "http://sns.amazonaws.com/doc/2010-03-31/",
        }
    }

    /// The namespace of error names in RPC v2 CBOR bodies.
    pub(crate) fn shape_namespace(self) -> &'static str {
        match self {
            Self::CloudWatch => "com.amazonaws.cloudwatch",
            _ => "com.amazon.coral.service",
        }
    }

    /// Whether its authorisation and throttling errors are those of the query services.
    fn is_query(self) -> bool {
        matches!(self, Self::Sts | Self::Sns | Self::CloudWatch)
    }

    pub(crate) fn access_denied(self, message: String) -> ApiError {
        match self {
            Self::Sns => ApiError::new(403, "AuthorizationError", message),
            Self::Sts | Self::CloudWatch => ApiError::new(403, "AccessDenied", message),
            Self::Account => ApiError::new(403, "AccessDeniedException", message),
            Self::CloudTrail | Self::Events | Self::Logs | Self::Organizations => {
                ApiError::new(400, "AccessDeniedException", message)
            }
        }
    }

    pub(crate) fn throttled(self) -> ApiError {
        match self {
            Self::Organizations => ApiError::new(
                400,
                "TooManyRequestsException",
                "You have sent too many requests in too short a period of time. Try again later.",
            ),
            Self::Account => ApiError::new(429, "TooManyRequestsException", "Too Many Requests"),
            Self::CloudTrail | Self::Events | Self::Logs => {
                ApiError::new(400, "ThrottlingException", "Rate exceeded")
            }
            Self::Sts | Self::Sns | Self::CloudWatch => {
                ApiError::new(400, "Throttling", "Rate exceeded")
            }
        }
    }

    pub(crate) fn internal_error(self) -> ApiError {
        let code = match self {
            Self::Organizations => "ServiceException",
            Self::Account => "InternalServerException",
            Self::CloudWatch => "InternalServiceError",
            Self::Sns => "InternalError",
            Self::Events => "InternalException",
            Self::Logs => "ServiceUnavailableException",
            Self::Sts | Self::CloudTrail => "InternalFailure",
        };
        ApiError::new(
            500,
            code,
            "The request processing has failed because of an internal error",
        )
    }

    pub(crate) fn expired_token(self) -> ApiError {
        let message = "The security token included in the request is expired";
        if self.is_query() {
            ApiError::new(403, "ExpiredToken", message)
        } else {
            ApiError::new(self.forbidden_status(), "ExpiredTokenException", message)
        }
    }

    /// A key or session token that AWS has never issued, and every key in a region that the
    /// account has not enabled.
    pub(crate) fn unknown_key(self) -> ApiError {
        let message = "The security token included in the request is invalid.";
        if self.is_query() {
            ApiError::new(403, "InvalidClientTokenId", message)
        } else {
            ApiError::new(
                self.forbidden_status(),
                "UnrecognizedClientException",
                message,
            )
        }
    }

    pub(crate) fn unsigned(self) -> ApiError {
        let message = "Request is missing Authentication Token";
        if self.is_query() {
            ApiError::new(403, "MissingAuthenticationToken", message)
        } else {
            ApiError::new(
                self.forbidden_status(),
                "MissingAuthenticationTokenException",
                message,
            )
        }
    }

    pub(crate) fn unknown_operation(self, operation: &str) -> ApiError {
        if self.is_query() {
            let message = format!("Could not find operation {operation}");
            ApiError::new(400, "InvalidAction", message)
        } else {
            ApiError::new(400, "UnknownOperationException", String::new())
        }
    }

    pub(crate) fn malformed_body(self) -> ApiError {
        if self.is_query() {
            ApiError::new(400, "MalformedInput", "The request body could not be read")
        } else {
            ApiError::new(
                400,
                "SerializationException",
                "The request body could not be read",
            )
        }
    }

    /// A member that is missing or has a value that the operation does not take.
    pub(crate) fn invalid(self, message: String) -> ApiError {
        let code = match self {
            Self::Sts => "ValidationError",
            Self::Sns => "InvalidParameter",
            Self::CloudWatch => "InvalidParameterValue",
            Self::Account | Self::Events => "ValidationException",
            Self::Logs | Self::CloudTrail => "InvalidParameterException",
            Self::Organizations => "InvalidInputException",
        };
        ApiError::new(400, code, message)
    }

    pub(crate) fn invalid_token(self) -> ApiError {
        match self {
            Self::CloudWatch => ApiError::new(400, "InvalidNextToken", "Invalid nextToken"),
            Self::Logs => ApiError::new(
                400,
                "InvalidParameterException",
                "The specified nextToken is invalid.",
            ),
            Self::Organizations => self
                .invalid("You specified an invalid value.".to_owned())
                .with("Reason", "INVALID_NEXT_TOKEN"),
            other => other.invalid("Invalid parameter: NextToken".to_owned()),
        }
    }

    /// JSON 1.1 services answer 400 where REST ones answer 403.
    fn forbidden_status(self) -> u16 {
        if self == Self::Account { 403 } else { 400 }
    }
}
