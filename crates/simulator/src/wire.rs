//! The protocols that AWS services speak: how a request is read and how an answer is written.

pub(crate) mod cbor;
pub(crate) mod json;
pub(crate) mod query;

/// How a request was spelled, and so how its answer must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// AWS query: a form in, XML out.
    Query,
    /// awsJson 1.0 and 1.1: the operation in `X-Amz-Target`.
    Json,
    /// restJson 1: the operation in the path, the error's name in a header.
    RestJson,
    /// Smithy RPC v2 with CBOR bodies.
    Cbor,
}

impl Protocol {
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Query => "text/xml",
            Self::Json => "application/x-amz-json-1.1",
            Self::RestJson => "application/json",
            Self::Cbor => "application/cbor",
        }
    }
}
