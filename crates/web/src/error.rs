//! What keeps the API from being served.

use std::{io, net::SocketAddr};

/// Why the API is not served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Everybody on the network could read what is known.
    #[error(
        "the API would listen on {listen}, where others reach it, and there is no token that is taken; \
         make one with `scanner token create NAME --role viewer`, or listen on 127.0.0.1"
    )]
    Unprotected {
        /// Where it would listen.
        listen: SocketAddr,
    },
    /// The store could not be asked.
    #[error("cannot look up the tokens of the API")]
    Store(#[from] store::Error),
    /// The catalogue that is built in cannot be used.
    #[error("cannot read the catalogue of controls")]
    Catalog(#[from] controls::CatalogError),
    /// The socket cannot be used.
    #[error("cannot listen for requests")]
    Listen(#[source] io::Error),
}
