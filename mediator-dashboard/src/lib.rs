#![doc = include_str!("../README.md")]

mod actions;
mod api;
mod guard;
mod history;
mod page;
mod plot;
mod routes;
mod source;
mod topology;
mod view;

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::http::request::Parts;
use mediator_core::Mediator;
use mediator_outbox::Outbox;
use mediator_outbox::store::Store;
use serde::Serialize;
use serde_json::Value;

use crate::source::Source;

type BoxError = Box<dyn Error + Send + Sync>;
type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Authorize = Box<dyn Fn(Parts) -> BoxFuture<bool> + Send + Sync>;
type SectionContent = Box<dyn Fn() -> BoxFuture<Result<Value, String>> + Send + Sync>;

/// The page of a mediator and its outbox, for reading: to be nested into an application.
///
/// ```
/// use axum::Router;
/// use mediator_core::prelude::*;
/// use mediator_outbox::InMemoryOutbox;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BuildError> {
/// let outbox = InMemoryOutbox::new();
/// let mediator = Mediator::builder().outbox(outbox.clone()).build()?;
/// let app: Router = Router::new().nest("/mediator", mediator_dashboard::router(&mediator, &outbox));
/// # Ok(()) }
/// ```
///
/// # Panics
///
/// Outside of a tokio runtime: it watches the outbox from a task, which ends with the router.
pub fn router<S: Store>(mediator: &Mediator, outbox: &Outbox<S>) -> Router {
    Dashboard::new(mediator, outbox).into_router()
}

/// The page with what an application adds: who may change something, and a section of its own.
///
/// ```
/// use axum::Router;
/// use axum::http::request::Parts;
/// use mediator_core::prelude::*;
/// use mediator_dashboard::Dashboard;
/// use mediator_outbox::InMemoryOutbox;
///
/// async fn is_operator(request: Parts) -> bool {
///     request.headers.get("x-forwarded-user").is_some_and(|user| user == "ada")
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BuildError> {
/// let outbox = InMemoryOutbox::new();
/// let mediator = Mediator::builder().outbox(outbox.clone()).build()?;
/// let dashboard = Dashboard::new(&mediator, &outbox)
///     .authorize(is_operator)
///     .section("Orders", || async { Ok(serde_json::json!({ "open": 7 })) });
/// let app: Router = Router::new().nest("/mediator", dashboard.into_router());
/// # Ok(()) }
/// ```
#[must_use = "a dashboard does nothing until it is a router"]
pub struct Dashboard {
    mediator: Mediator,
    source: Arc<dyn Source>,
    authorize: Option<Authorize>,
    section: Option<Section>,
    live_until: Option<BoxFuture<()>>,
}

struct Section {
    title: String,
    content: SectionContent,
}

impl Dashboard {
    /// Of a mediator and the outbox that it was built with.
    pub fn new<S: Store>(mediator: &Mediator, outbox: &Outbox<S>) -> Self {
        let source = Arc::new(outbox.clone());
        Self { mediator: mediator.clone(), source, authorize: None, section: None, live_until: None }
    }

    /// Lets those requests retry and discard for which `may_change` resolves to `true`; without this, nobody may.
    ///
    /// It is asked for each request of the page, too, to know whether to show the buttons. That a request comes from the page
    /// itself, and not from a foreign one, is checked in any case.
    pub fn authorize<F, Fut>(mut self, may_change: F) -> Self
    where
        F: Fn(Parts) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = bool> + Send + 'static,
    {
        self.authorize = Some(Box::new(move |parts| Box::pin(may_change(parts))));
        self
    }

    /// A section of the application's own: what `content` resolves to, as a table; objects in it are tables below a heading.
    ///
    /// It is asked once a second while somebody watches. An error is shown in its place.
    pub fn section<F, Fut, T>(mut self, title: impl Into<String>, content: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, BoxError>> + Send + 'static,
        T: Serialize,
    {
        let content: SectionContent = Box::new(move || {
            let content = content();
            Box::pin(async move {
                let content = content.await.and_then(|content| Ok(serde_json::to_value(content)?));
                content.map_err(|error| mediator_outbox::full_text(&*error))
            })
        });
        self.section = Some(Section { title: title.into(), content });
        self
    }

    /// Ends the live updates when this resolves, so that a server which waits for its connections can end.
    pub fn live_until(mut self, end: impl Future<Output = ()> + Send + 'static) -> Self {
        self.live_until = Some(Box::pin(end));
        self
    }

    /// The router, to be nested or merged.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime: it watches the outbox from a task, which ends with the router.
    pub fn into_router(self) -> Router {
        routes::router(self)
    }
}

impl fmt::Debug for Dashboard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dashboard").field("read_only", &self.authorize.is_none()).finish_non_exhaustive()
    }
}

/// Runs the examples of the chapter.
#[cfg(doctest)]
mod chapter {
    #[doc = include_str!("../../docs/dashboard.md")]
    struct Dashboard;
}
