//! Who asks.

use model::TokenRole;

/// Who asks, once that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The name of the token; `None` on this machine before there is any.
    pub(crate) name: Option<String>,
    /// What is allowed.
    pub(crate) role: TokenRole,
    /// How the token begins.
    pub(crate) prefix: Option<String>,
}

impl Caller {
    /// Somebody on this machine, before there is any token.
    pub(super) fn nameless() -> Self {
        Self {
            name: None,
            role: TokenRole::Viewer,
            prefix: None,
        }
    }

    /// As it is written where something is recorded.
    pub(crate) fn by(&self) -> &str {
        self.name.as_deref().unwrap_or("somebody")
    }
}
