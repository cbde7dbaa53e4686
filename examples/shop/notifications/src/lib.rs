//! Notifications: mail to customers, caused by events. The handlers are private; what the module
//! needs from the program is a [`Mailer`].

mod customer_mail;

/// Sends mail; the program provides one as `Arc<dyn Mailer>`.
pub trait Mailer: Send + Sync {
    /// Hands a mail over for delivery.
    ///
    /// # Errors
    ///
    /// When it cannot be delivered.
    fn send(&self, to: &str, text: &str) -> Result<(), MailError>;
}

/// Why a mail cannot be delivered.
#[derive(Debug, thiserror::Error)]
#[error("no mailbox `{address}`")]
pub struct MailError {
    /// Where the mail was to go.
    pub address: String,
}
