//! Notifications: mail to customers, caused by events and sent by a durable handler. The handlers and the event between them are
//! private, and so is the service that they share.

mod addresses;
mod customer_mail;

use std::io;

pub use crate::addresses::AddressError;

/// Sends mail; the application provides one.
pub trait Mailer: Send + Sync {
    /// Sends a mail to a recipient. The same key again is the same mail again, which is to go out once.
    ///
    /// # Errors
    ///
    /// When it cannot be sent.
    fn send(&self, key: &str, recipient: &str, text: &str) -> io::Result<()>;
}
