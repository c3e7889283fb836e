//! An error as a service gives it, before it takes the shape of a protocol.

use std::borrow::Cow;

use crate::value::Fields;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: Cow<'static, str>,
    /// Further members, such as the `Reason` of Organizations.
    pub(crate) members: Fields,
}

impl ApiError {
    pub(crate) fn new(
        status: u16,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code: Cow::Borrowed(code),
            message: message.into(),
            members: Fields::new(),
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.members = self.members.with(name, value);
        self
    }

    /// Whose fault it was, in the words of the query protocol.
    pub(crate) fn kind(&self) -> &'static str {
        if self.status >= 500 {
            "Receiver"
        } else {
            "Sender"
        }
    }
}
