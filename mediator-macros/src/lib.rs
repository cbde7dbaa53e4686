//! The procedural macros of `mediator-core`, which re-exports them; use them from there.

mod arguments;
mod behavior;
mod doubts;
mod durable;
mod errors;
mod event;
mod event_handler;
mod event_handlers;
mod handler_fn;
mod inject;
mod item;
mod kind;
#[cfg(feature = "link-modules")]
mod link_modules;
#[cfg(feature = "link-modules")]
mod lock;
#[cfg(feature = "link-modules")]
mod manifest;
mod notification;
mod receiver;
mod registration;
mod request;
mod retry;
#[cfg(feature = "link-modules")]
mod runtime;
#[cfg(not(feature = "link-modules"))]
mod runtime {
    //! Without a parser of manifests nobody knows what the crate that is being compiled calls the runtime.

    pub(crate) const USUAL_NAME: &str = "mediator_core";

    pub(crate) fn name() -> Result<Option<String>, String> {
        Ok(Some(USUAL_NAME.to_owned()))
    }
}
mod serde_derives;

mod service;
mod signature;
mod types;

use proc_macro::TokenStream;

use crate::kind::Kind;

/// Whether the runtime's ids serialize.
const SERDE: bool = cfg!(feature = "serde");

/// Whether the runtime has behaviors that need a timer.
const TOKIO: bool = cfg!(feature = "tokio");

/// Whether the runtime has durable handlers.
const DURABLE: bool = cfg!(feature = "durable");

/// Makes a struct an event: adds `pub event_id: EventId`, a constructor, `Notification` and `Event`.
///
/// `new` takes the declared fields in order and gives each event a fresh id.
/// Works on structs with named fields and on unit structs, generic ones too.
///
/// Put it above `#[derive(…)]`, so that the derives see the added field. The other way round,
/// `Clone` does not compile (`missing field event_id`), and what does compile forgets the id.
///
/// ```
/// # use mediator_core::prelude::*;
/// #[event]
/// #[derive(Debug, Clone, PartialEq)]
/// pub struct OrderPlaced {
///     pub order_id: String,
///     pub customer_id: String,
/// }
///
/// let event = OrderPlaced::new("o-1".into(), "c-1".into());
/// assert_ne!(event, OrderPlaced::new("o-1".into(), "c-1".into()), "each has an id of its own");
/// assert_eq!(event.event_id.as_uuid().get_version_num(), 7);
/// ```
///
/// A struct literal names the fields, where `new` takes two `String`s by their order. A derived
/// `Default` makes a fresh id each time, and so does `#[serde(default)]`:
///
/// ```
/// # use mediator_core::prelude::*;
/// # #[event]
/// # #[derive(Debug, Default)]
/// # pub struct OrderPlaced { pub order_id: String, pub customer_id: String }
/// let one = OrderPlaced { event_id: EventId::new(), order_id: "o-1".into(), customer_id: "c-1".into() };
/// let other = OrderPlaced { order_id: "o-1".into(), ..Default::default() };
/// assert_ne!(one.event_id, other.event_id);
/// ```
///
/// To derive serde's traits, turn on the feature `serde` of `mediator-core`; the id is then
/// serialized as a UUID.
///
/// The generated code follows the lint attributes of the struct and its fields: what they
/// `#[allow]` or `#[expect]` is allowed in `new` and the impls too, and what is `#[deprecated]` can be used there.
///
/// # Options
///
/// - `name = "orders.placed"`: a display name that survives renaming and moving the type; no two
///   events of a program may have the same one. Without it, the type's path, and of a generic event the arguments too.
/// - `version = 2`, `upcast = [from_1]`, `alias = ["orders.created"]`, `key = order_id`: how the event is recorded for durable
///   handlers.
/// - `external`: the event is published to other services as well, by the bus that the mediator was built with; it needs a name,
///   and serde's derives.
/// - `new = false`: no constructor; write `new` yourself. Without it, a `new` of your own is a
///   duplicate definition.
/// - `crate = path`: where `mediator_core` is, if it was renamed (`crate = ::bus`) or re-exported
///   (`crate = ::facade::mediator_core`, `crate = crate::reexports::mediator_core`). If it is needed
///   and missing, the error says what to write, provided that the feature `link-modules` is on, which reads the
///   crate's manifest; without it, rustc says only that `mediator_core` is not found. A crate root
///   with `extern crate bus as mediator_core;` is unseen by the macro; it writes `crate = ::bus` too.
#[proc_macro_attribute]
pub fn event(arguments: TokenStream, item: TokenStream) -> TokenStream {
    event::expand(&arguments.into(), item.into()).into()
}

/// Makes a type a notification without adding anything to it.
///
/// ```
/// # use mediator_core::prelude::*;
/// #[derive(Notification)]
/// #[notification(name = "stock.counted")]
/// pub struct StockCounted {
///     pub occurred_at: std::time::SystemTime,
/// }
/// # assert_eq!(StockCounted::event_name(), "stock.counted");
/// ```
///
/// # Options
///
/// `#[notification(…)]` takes `name = "…"` and `crate = path`, as `#[event]` does.
#[proc_macro_derive(Notification, attributes(notification))]
pub fn derive_notification(item: TokenStream) -> TokenStream {
    notification::expand(item.into()).into()
}

/// Registers a handler: on a struct, on an `impl EventHandler<…>` block, or on a function.
///
/// On a struct, name the events; the fields are injected from the mediator's services by type:
///
/// ```
/// # use std::sync::{Arc, atomic::AtomicUsize};
/// # use mediator_core::prelude::*;
/// # #[event] struct OrderPlaced {}
/// # trait Mailer: Send + Sync {}
/// #[event_handler(OrderPlaced)]
/// struct SendConfirmationEmail {
///     mailer: Arc<dyn Mailer>,
///     #[inject(default)]
///     sent: AtomicUsize,
///     #[inject(with = 3)]
///     attempts: u32,
/// }
///
/// impl EventHandler<OrderPlaced> for SendConfirmationEmail {
///     async fn handle(&self, event: &OrderPlaced) {}
/// }
/// ```
///
/// On an impl block, the event is read from the trait; the type says how it is built by
/// `#[derive(Inject)]`, an `impl Inject`, or an `#[event_handler(…)]` of its own:
///
/// ```
/// # use mediator_core::prelude::*;
/// # #[event] struct OrderPlaced {}
/// #[derive(Inject)]
/// struct Audit;
///
/// #[event_handler]
/// impl EventHandler<OrderPlaced> for Audit {
///     async fn handle(&self, event: &OrderPlaced) {}
/// }
/// ```
///
/// On a function, async or not, the first parameter is the event. Parameters that own their value are
/// injected, cloned for each call; references are lent by the publish:
///
/// ```
/// # use std::sync::Arc;
/// # use mediator_core::prelude::*;
/// # #[event] struct OrderPlaced {}
/// # struct Stats;
/// #[event_handler]
/// async fn update_stats(event: &OrderPlaced, stats: Arc<Stats>) -> Result<(), String> {
///     Ok(())
/// }
/// ```
///
/// The function stays what it was, and is how others name the handler: `bind_fn(update_stats)`,
/// `after = update_stats`.
///
/// # Options
///
/// - `order = -10`: lower runs earlier; 0 by default.
/// - `after = ReserveStock`, `before = [Audit, notifications::SendEmail]`: runs after or before
///   these handlers of the event, whatever their `order`. A circle, or a handler that does not
///   handle the event, is an error of `build`. Concerns all events of the attribute; for one of
///   several, put a second `#[event_handler(…)]` on the impl block.
/// - `name = "email.confirmation"`: a display name that survives renaming and moving the handler.
/// - `timeout = "2s"`: a run that takes longer is dropped, and has failed with a `TimedOut`. Durations are in `ms`, `s`, `m` or `h`.
/// - `retry(attempts = 3, base = "50ms", cap = "1s")`: what has failed runs again, `attempts` times in all, each with the timeout;
///   the pauses start at `base`, double up to `cap`, and are random up to that. Each of the three may be left out. Not for what
///   borrows a `&mut`. Both need the feature `tokio` of `mediator-core`.
/// - `crate = path`: where `mediator_core` is, as for [`#[event]`](macro@event).
#[proc_macro_attribute]
pub fn event_handler(arguments: TokenStream, item: TokenStream) -> TokenStream {
    event_handler::expand(Kind::Event, &arguments.into(), item.into()).into()
}

/// Registers each method of an impl block as a handler.
///
/// All methods share one instance of the type, which is built like any handler: by `#[derive(Inject)]` or an `impl Inject`.
/// The first parameter behind `&self` is the event; the others are borrowed from the publish.
///
/// ```
/// # use std::sync::Mutex;
/// # use mediator_core::prelude::*;
/// # #[event] struct IssueOpened { number: u32 }
/// # #[event] struct IssueClosed { number: u32 }
/// #[derive(Inject)]
/// struct Triage {
///     #[inject(default)]
///     open: Mutex<Vec<u32>>,
/// }
///
/// #[event_handlers]
/// impl Triage {
///     async fn opened(&self, event: &IssueOpened) {
///         self.open.lock().unwrap().push(event.number);
///     }
///
///     #[event_handler(order = 3)]
///     async fn closed(&self, event: &IssueClosed, publisher: &Publisher) {
///         self.open.lock().unwrap().retain(|number| *number != event.number);
///     }
/// }
/// ```
///
/// Each method is a handler with a name of its own, `…::Triage::closed`. Its options stand in an
/// [`#[event_handler(…)]`](macro@event_handler) on the method. Methods that are no handlers stand in another impl block.
///
/// # Options
///
/// - `crate = path`: where `mediator_core` is, as for [`#[event]`](macro@event).
#[proc_macro_attribute]
pub fn event_handlers(arguments: TokenStream, item: TokenStream) -> TokenStream {
    event_handlers::expand(Kind::Event, &arguments.into(), item.into()).into()
}

/// Makes a type a request, which has one handler that answers it.
///
/// In the parentheses stands what it is answered with, and `error = …` if the handler can fail; `send` returns that:
///
/// ```
/// # use mediator_core::prelude::*;
/// # pub struct OrderConfirmation;
/// # #[derive(Debug, thiserror::Error)] pub enum OrderError { #[error(transparent)] Send(#[from] SendError) }
/// /// Answered with a `Result<OrderConfirmation, OrderError>`.
/// #[request(OrderConfirmation, error = OrderError)]
/// pub struct PlaceOrder { pub item: String, pub total: u32 }
///
/// /// Cannot fail by itself: the handler returns `usize`, and `send` a `Result<usize, SendError>`.
/// #[request(usize)]
/// pub struct CountOrders;
///
/// /// Answered with `()`.
/// #[request]
/// pub struct Tidy;
/// ```
///
/// The error converts from `SendError`, since a send can fail without the handler's doing.
/// Works on structs and enums, generic ones too, and adds nothing to them.
///
/// # Options
///
/// - `error = OrderError`: the handler's error.
/// - `name = "orders.place"`: a display name that survives renaming and moving the type; no two requests of a program may have
///   the same one.
/// - `crate = path`: where `mediator_core` is, as for [`#[event]`](macro@event).
#[proc_macro_attribute]
pub fn request(arguments: TokenStream, item: TokenStream) -> TokenStream {
    request::expand(&arguments.into(), item.into()).into()
}

/// Registers the handler of a request: on a function, on an `impl RequestHandler<…>` block, or on a struct.
///
/// On a function, async or not, the first parameter is the request. The others are injected, or, where they are references,
/// borrowed from the send:
///
/// ```
/// # use std::sync::Arc;
/// # use mediator_core::prelude::*;
/// # struct Orders;
/// # struct Connection;
/// # #[derive(Debug, thiserror::Error)] enum OrderError { #[error(transparent)] Send(#[from] SendError) }
/// #[request(u64, error = OrderError)]
/// struct PlaceOrder { item: String }
///
/// #[request_handler]
/// async fn place_order(
///     request: &PlaceOrder,
///     orders: Arc<Orders>,
///     db: &mut Connection,
///     sender: &Sender,
/// ) -> Result<u64, OrderError> {
///     Ok(1)
/// }
/// ```
///
/// On an impl block the request is read from the trait, and on a struct it is named, `#[request_handler(PlaceOrder)]`; both are
/// as for [`#[event_handler]`](macro@event_handler):
///
/// ```
/// # use mediator_core::prelude::*;
/// # #[request(usize)] struct CountOrders;
/// #[request_handler(CountOrders)]
/// struct Counter {
///     #[inject(default)]
///     count: std::sync::atomic::AtomicUsize,
/// }
///
/// impl RequestHandler<CountOrders> for Counter {
///     async fn handle(&self, request: &CountOrders) -> usize {
///         self.count.load(std::sync::atomic::Ordering::Relaxed)
///     }
/// }
/// ```
///
/// A request has exactly one handler: none, or a second one, is an error of `build`.
///
/// # Options
///
/// - `manual`: registers nothing at link time; the handler can be bound, as by `bind_fn`.
/// - `name = "orders.place"`: a display name that survives renaming and moving the handler.
/// - `timeout = "2s"`, `retry(attempts = 3, base = "50ms", cap = "1s")`: as for [`#[event_handler]`](macro@event_handler).
/// - `crate = path`: where `mediator_core` is, as for [`#[event]`](macro@event).
#[proc_macro_attribute]
pub fn request_handler(arguments: TokenStream, item: TokenStream) -> TokenStream {
    event_handler::expand(Kind::Request, &arguments.into(), item.into()).into()
}

/// Registers each method of an impl block as the handler of a request.
///
/// As [`#[event_handlers]`](macro@event_handlers): all methods share one instance of the type. The first parameter behind
/// `&self` is the request; the others are borrowed from the send.
///
/// ```
/// # use std::sync::Mutex;
/// # use mediator_core::prelude::*;
/// # #[request] struct Open { number: u32 }
/// # #[request(usize)] struct CountOpen;
/// #[derive(Inject)]
/// struct Issues {
///     #[inject(default)]
///     open: Mutex<Vec<u32>>,
/// }
///
/// #[request_handlers]
/// impl Issues {
///     async fn open(&self, request: &Open) {
///         self.open.lock().unwrap().push(request.number);
///     }
///
///     #[request_handler(name = "issues.count")]
///     fn count(&self, _request: &CountOpen) -> usize {
///         self.open.lock().unwrap().len()
///     }
/// }
/// ```
///
/// # Options
///
/// - `crate = path`: where `mediator_core` is, as for [`#[event]`](macro@event).
#[proc_macro_attribute]
pub fn request_handlers(arguments: TokenStream, item: TokenStream) -> TokenStream {
    event_handlers::expand(Kind::Request, &arguments.into(), item.into()).into()
}

/// Registers a behavior, which runs around handlers: on a struct, or on an `impl Behavior` block.
///
/// On a struct, the fields are injected as for [`#[event_handler]`](macro@event_handler). Without a message, the behavior runs
/// around every handler of every event and request:
///
/// ```
/// # use std::{sync::Arc, time::{Duration, Instant}};
/// # use mediator_core::prelude::*;
/// # struct Log;
/// # impl Log { fn say(&self, handler: &str, elapsed: Duration, succeeded: bool) {} }
/// #[behavior(order = -10)]
/// struct Timing {
///     log: Arc<Log>,
/// }
///
/// impl Behavior for Timing {
///     async fn handle(&self, mut call: Call<'_>) -> Outcome {
///         let started = Instant::now();
///         let outcome = call.run().await;
///         self.log.say(call.handler().name(), started.elapsed(), outcome.is_ok());
///         outcome
///     }
/// }
/// ```
///
/// With events or requests, it runs around the handlers of these, and has an `impl Behavior<…>` for each:
///
/// ```
/// # use mediator_core::prelude::*;
/// # pub struct OrderConfirmation;
/// # #[derive(Debug, thiserror::Error)] pub enum OrderError { #[error(transparent)] Send(#[from] SendError) }
/// # #[request(OrderConfirmation, error = OrderError)] pub struct PlaceOrder { pub total: u32 }
/// #[behavior(PlaceOrder)]
/// struct CheckCredit {
///     #[inject(with = 10_000)]
///     limit: u32,
/// }
///
/// impl Behavior<PlaceOrder> for CheckCredit {
///     async fn handle(&self, mut call: Call<'_, PlaceOrder>) -> Result<OrderConfirmation, OrderError> {
///         if call.message().total > self.limit {
///             return call.refuse("the credit does not suffice");
///         }
///         call.run().await
///     }
/// }
/// ```
///
/// On an impl block, the message is read from the trait; the type says how it is built by `#[derive(Inject)]`, an
/// `impl Inject`, or a `#[behavior(…)]` of its own:
///
/// ```
/// # use mediator_core::prelude::*;
/// #[derive(Inject)]
/// struct Twice;
///
/// #[behavior(after = Timing)]
/// impl Behavior for Twice {
///     async fn handle(&self, mut call: Call<'_>) -> Outcome {
///         match call.run().await {
///             Err(_) => call.run().await,
///             done => done,
///         }
///     }
/// }
/// # #[behavior] struct Timing;
/// # impl Behavior for Timing { async fn handle(&self, mut call: Call<'_>) -> Outcome { call.run().await } }
/// ```
///
/// A generic behavior is added on the builder, by `.behavior(Timing::<Postgres>::new())`.
///
/// # Options
///
/// - `order = -10`: lower runs further outside; 0 by default.
/// - `after = Timing`, `before = [CheckCredit, audit::Record]`: runs inside or outside of these behaviors, whatever their
///   `order`. Those without a message are outside of those with one.
/// - `lends(&mut SqliteConnection, &Tenant)`: what it lends, by `call.with(…)`, to the rest of the passage, so that `build` does
///   not miss a lender.
/// - `crate = path`: where `mediator_core` is, as for [`#[event]`](macro@event).
#[proc_macro_attribute]
pub fn behavior(arguments: TokenStream, item: TokenStream) -> TokenStream {
    behavior::expand(&arguments.into(), item.into()).into()
}

/// Provides a service of a module: a struct, or what a function returns.
///
/// It is made when the mediator is built, once and only if a handler or another service needs it. A value of the same type
/// that the application provides by `.provide(…)` takes its place.
///
/// A struct is provided in an `Arc`, and is built like a handler; a function is called with services:
///
/// ```
/// # use std::sync::{Arc, Mutex};
/// # use mediator_core::prelude::*;
/// # use mediator_core::service;
/// # #[derive(Clone)] struct Config { smtp: String }
/// # #[derive(Clone)] struct SmtpUrl(String);
/// # trait Mailer: Send + Sync {}
/// #[service]
/// struct Log {
///     #[inject(default)]
///     lines: Mutex<Vec<String>>,
/// }
///
/// #[service(dyn Mailer)]
/// struct Smtp {
///     url: SmtpUrl,
///     log: Arc<Log>,
/// }
///
/// impl Mailer for Smtp {}
///
/// #[service]
/// fn smtp_url(config: Arc<Config>) -> Result<SmtpUrl, String> {
///     config.smtp.strip_prefix("smtp://").map(|url| SmtpUrl(url.into())).ok_or("not an smtp url".into())
/// }
/// ```
///
/// These provide `Arc<Log>`, `Arc<Smtp>` and `Arc<dyn Mailer>` (which are one instance), and `SmtpUrl`.
///
/// A struct may be a handler or a [`#[behavior]`](macro@behavior) as well, by an `#[event_handler(…)]` on it or on an impl block, or by
/// [`#[event_handlers]`](macro@event_handlers). It is one instance then, too:
///
/// ```standalone_crate
/// # use std::sync::{Arc, Mutex};
/// # use mediator_core::prelude::*;
/// # #[event] struct OrderPlaced { order_id: u32 }
/// # #[event] struct OrderShipped {}
/// #[service]
/// struct Orders {
///     #[inject(default)]
///     placed: Mutex<Vec<u32>>,
/// }
///
/// #[event_handlers]
/// impl Orders {
///     fn placed(&self, event: &OrderPlaced) {
///         self.placed.lock().unwrap().push(event.order_id);
///     }
/// }
///
/// #[event_handler]
/// fn report(_event: &OrderShipped, orders: Arc<Orders>) {
///     assert_eq!(*orders.placed.lock().unwrap(), [7]);
/// }
///
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// let mediator = Mediator::new()?;
/// mediator.publish(OrderPlaced::new(7)).await?;
/// mediator.publish(OrderShipped::new()).await?;
/// # Ok(()) }
/// ```
///
/// # Options
///
/// - `dyn Mailer`, on a struct: also provides an `Arc` of this trait; there may be several.
/// - `crate = path`: where `mediator_core` is, as for [`#[event]`](macro@event).
#[proc_macro_attribute]
pub fn service(arguments: TokenStream, item: TokenStream) -> TokenStream {
    service::expand(&arguments.into(), item.into()).into()
}

/// Builds a handler from the mediator's services, field by field.
///
/// For handlers that are registered by impl block or bound by hand, generic ones too;
/// `#[event_handler(…)]` on a struct does the same by itself. See there for `#[inject(default)]` and `#[inject(with = …)]`;
/// `#[inject(crate = path)]` on the struct says where `mediator_core` is, if it was renamed.
///
/// A field of type `Option<T>` is `None` if there is no `T`:
///
/// ```
/// # use std::sync::Arc;
/// # use mediator_core::prelude::*;
/// # struct Clock;
/// #[derive(Inject)]
/// struct Audit {
///     clock: Option<Arc<Clock>>,
/// }
/// ```
#[proc_macro_derive(Inject, attributes(inject))]
pub fn derive_inject(item: TokenStream) -> TokenStream {
    inject::expand(item.into()).into()
}

/// Links the module crates that this program depends on, so that their handlers are found.
///
/// A crate that is listed in `Cargo.toml` but named nowhere in the code is not linked, and its
/// handlers are silently absent. Put this into the root of the application, once:
///
/// ```
/// mediator_core::link_modules!();
/// ```
///
/// It reads the manifest of the package that is being compiled and links each direct dependency
/// that uses `mediator-core`, itself or by way of another crate: path dependencies, those that are
/// inherited from the workspace, renamed, optional (linked with their features) or for some targets only
/// (`[target.'cfg(…)'.dependencies]`), and in tests the development dependencies. In a binary, an
/// example or an integration test, the library of the same package is linked too. Where a crate from a registry or a
/// repository stands between a module and `mediator-core`, `Cargo.lock` says so. When one of the
/// files changes that were read, the crate is compiled again. A package without modules gets nothing.
///
/// Of a dependency that comes from a registry or a repository the manifest is not known here; and
/// when a package is published, all of its dependencies become such. List them, under a condition if
/// need be:
///
/// ```
/// # #[cfg(any())]
/// mediator_core::link_modules!(orders, #[cfg(feature = "billing")] billing);
/// ```
///
/// Both forms may stand side by side, in any module or function.
#[cfg(feature = "link-modules")]
#[proc_macro]
pub fn link_modules(input: TokenStream) -> TokenStream {
    link_modules::expand(input.into()).into()
}
