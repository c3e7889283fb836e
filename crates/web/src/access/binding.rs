//! Where the API may listen.

use std::net::SocketAddr;

use jiff::Timestamp;
use store::Store;

use crate::Error;

/// Refuses to listen where others reach it unless some token is taken. To be called before binding.
pub async fn check_binding(listen: SocketAddr, store: &Store, now: Timestamp) -> Result<(), Error> {
    if listen.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    let tokens = store.tokens().await?;
    if tokens.iter().any(|token| token.is_taken(now)) {
        Ok(())
    } else {
        Err(Error::Unprotected { listen })
    }
}
