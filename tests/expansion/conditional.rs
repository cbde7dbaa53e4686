#[event_handler(OrderPlaced)]
/// Only with the mail feature.
#[cfg(feature = "mail")]
struct SendEmail;
