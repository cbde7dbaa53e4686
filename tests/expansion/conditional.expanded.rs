#[cfg(feature = "mail")]
#[::mediator_core::event_handler(OrderPlaced)]
/// Only with the mail feature.
struct SendEmail;
