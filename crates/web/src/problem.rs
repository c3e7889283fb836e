//! Why a request was not answered as asked: `application/problem+json`, RFC 9457.

use std::{borrow::Cow, sync::Arc};

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use daemon::Refusal;
use jiff::SignedDuration;
use serde::Serialize;

pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// What went wrong, in words that may be shown. What lies beneath goes to the log alone.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            headers: Vec::new(),
            cause: None,
        }
    }

    /// Something in the request cannot be meant.
    pub(crate) fn bad_request(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// What is sent has the right form and says what cannot be done.
    pub(crate) fn unprocessable(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// There is no such thing.
    pub(crate) fn not_found(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    /// Nobody is known to have asked.
    pub(crate) fn unauthorized(code: &'static str, detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, detail.to_owned())
    }

    /// A viewer asked for a change.
    pub(crate) fn forbidden() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "operator-needed",
            "A change needs the token of an operator; this one is a viewer's.",
        )
    }

    /// The request is meant for another name.
    pub(crate) fn misdirected() -> Self {
        Self::new(
            StatusCode::MISDIRECTED_REQUEST,
            "foreign-host",
            "Without a token, only requests to localhost, 127.0.0.1 or [::1] are answered.",
        )
    }

    /// Something was asked for too often.
    pub(crate) fn too_many(code: &'static str, detail: &str, wait: SignedDuration) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, code, detail.to_owned()).retry_after(wait)
    }

    /// It cannot be had now.
    pub(crate) fn unavailable(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
            .retry_after(SignedDuration::from_secs(5))
    }

    /// It took too long.
    pub(crate) fn timed_out() -> Self {
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            "timeout",
            "The answer took too long; ask for less at once, or again later.",
        )
    }

    /// The route knows nothing of this method.
    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "This address does not know this method.",
        )
    }

    /// There is no such route.
    pub(crate) fn no_route() -> Self {
        Self::not_found("no-such-address", "There is nothing at this address.")
    }

    /// The body is none that can be read.
    pub(crate) fn media_type() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media-type",
            "Send the body as `Content-Type: application/json`.",
        )
    }

    /// The body is too large.
    pub(crate) fn too_large(limit: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body-too-large",
            format!("A body may have {limit} bytes."),
        )
    }

    /// What was so then was dropped.
    pub(crate) fn gone(detail: String) -> Self {
        Self::new(StatusCode::GONE, "dropped", detail)
    }

    /// It cannot be asked as things stand.
    pub(crate) fn conflict(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// Something is wrong with us. What it is, the log says.
    pub(crate) fn internal(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self {
            cause: Some(Arc::new(cause)),
            ..Self::panicked()
        }
    }

    /// The same where nobody can say what it was.
    pub(crate) fn panicked() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong here; the log of the service says what, under this request's id.",
        )
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    fn retry_after(self, wait: SignedDuration) -> Self {
        let seconds = wait.as_secs().max(0) + i64::from(wait.subsec_nanos() > 0);
        self.with_header(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)))
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// What lies beneath, as a line for the log.
    pub(crate) fn causes(&self) -> Option<String> {
        let mut cause = Some(self.cause.as_deref()? as &dyn std::error::Error);
        let mut said = Vec::new();
        while let Some(error) = cause {
            said.push(error.to_string());
            cause = error.source();
        }
        Some(said.join(": "))
    }

    /// The answer, once it is known which request it belongs to.
    pub(crate) fn render(&self, request_id: &str) -> Response {
        let body = report::json::compact(&Shape {
            kind: format!("urn:scanner:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Problem"),
            status: self.status.as_u16(),
            detail: &self.detail,
            request_id,
        });
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        response
    }
}

#[derive(Serialize)]
struct Shape<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    request_id: &'a str,
}

/// Without a body yet: `exchange` knows the request's id and writes it.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        use store::Error as E;
        match &error {
            E::UnknownSweep { sweep, last, .. } => {
                let last = last.map_or_else(
                    || "there is none at all".to_owned(),
                    |last| format!("the last one is {last}"),
                );
                Self::not_found(
                    "no-such-sweep",
                    format!("There is no sweep {sweep}; {last}."),
                )
            }
            E::SweepUnknown { sweep, .. } => {
                Self::not_found("no-such-sweep", format!("There is no sweep {sweep}."))
            }
            E::SweepUnderWay { sweep, .. } => Self::conflict(
                "sweep-under-way",
                format!("Sweep {sweep} has not ended yet; name an earlier one."),
            ),
            E::NoHistory { .. } => Self::not_found(
                "no-history",
                "No sweep has finished yet: there is no history to look back on.",
            ),
            E::BeforeHistory { sweep, begins, .. } => Self::not_found(
                "before-history",
                format!("The history begins with sweep {sweep}, which finished at {begins:.0}."),
            ),
            E::Pruned {
                sweep,
                content_from,
                ..
            } => Self::gone(format!(
                "What was known before sweep {content_from} was dropped; of sweep {sweep} there are only its row and its seal."
            )),
            _ => Self::internal(error),
        }
    }
}

impl From<answers::MomentError> for Problem {
    fn from(error: answers::MomentError) -> Self {
        match error {
            answers::MomentError::Store(error) => error.into(),
            other => Self::bad_request("bad-moment", other.to_string()),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        match refusal {
            Refusal::Stopping => Self::unavailable("stopping", "The service is stopping."),
            Refusal::TooMany { .. } => {
                Self::too_many("too-many-waiting", &detail, SignedDuration::from_secs(30))
            }
            Refusal::OutOfScope(_) => Self::unprocessable("out-of-scope", detail),
            Refusal::Configuration(_) => Self::unprocessable("bad-configuration", detail),
        }
    }
}
