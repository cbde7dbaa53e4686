//! The addresses that mail can be sent to.

use mediator_core::prelude::*;

/// Looks addresses up; a service of this module, for its handlers.
#[service]
pub(crate) struct Addresses;

/// Why a mail cannot be sent.
#[derive(Debug, thiserror::Error)]
#[error("no mailbox `{address}`")]
pub struct AddressError {
    /// Where the mail was to go.
    pub address: String,
}

impl Addresses {
    pub(crate) fn check(&self, address: &str) -> Result<(), AddressError> {
        if address.ends_with(".invalid") { Err(AddressError { address: address.to_owned() }) } else { Ok(()) }
    }
}
