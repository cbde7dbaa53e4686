//! What is where.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::{OriginalUri, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::middleware::from_fn;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use futures::{FutureExt as _, StreamExt as _, stream};
use mediator_core::Mediator;
use tokio::task::AbortHandle;

use crate::page::{Page, last_segment};
use crate::view::{Watcher, keep_watching};
use crate::{Authorize, Dashboard, actions, api, guard};

/// What the routes share.
pub(crate) struct App {
    pub(crate) mediator: Mediator,
    pub(crate) watcher: Arc<Watcher>,
    authorize: Option<Authorize>,
    end: tokio::sync::watch::Receiver<bool>,
    tasks: Vec<AbortHandle>,
}

impl App {
    fn new(dashboard: Dashboard) -> Self {
        let Dashboard { mediator, source, authorize, section, live_until } = dashboard;
        let watcher = Arc::new(Watcher::new(source, section));
        let mut tasks = vec![tokio::spawn(keep_watching(watcher.clone())).abort_handle()];
        let (ended, end) = tokio::sync::watch::channel(false);
        let ends = async move {
            match live_until {
                Some(end) => end.await,
                None => std::future::pending().await,
            }
            ended.send_replace(true);
        };
        tasks.push(tokio::spawn(ends).abort_handle());
        Self { mediator, watcher, authorize, end, tasks }
    }

    pub(crate) async fn may_change(&self, request: Parts) -> bool {
        match &self.authorize {
            Some(authorize) => authorize(request).await,
            None => false,
        }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

pub(crate) fn router(dashboard: Dashboard) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/dashboard.css", get(|| asset("text/css; charset=utf-8", include_str!("dashboard.css"))))
        .route("/dashboard.js", get(|| asset("text/javascript; charset=utf-8", include_str!("dashboard.js"))))
        .route("/live", get(live))
        .route("/deliveries/{id}/{change}", post(actions::form_one))
        .route("/handlers/{name}/{change}", post(actions::form_handler))
        .route("/api/topology", get(api::topology))
        .route("/api/stats", get(api::stats))
        .route("/api/attempts", get(api::attempts))
        .route("/api/rates", get(api::rates))
        .route("/api/section", get(api::section))
        .route("/api/deliveries", get(api::deliveries))
        .route("/api/deliveries/{id}/{change}", post(actions::api_one))
        .route("/api/handlers/{name}/{change}", post(actions::api_handler))
        .route_layer(from_fn(guard::with_headers))
        .with_state(Arc::new(App::new(dashboard)))
}

async fn asset(content_type: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, content_type)], text).into_response()
}

async fn page(State(app): State<Arc<App>>, uri: OriginalUri, parts: Parts) -> Response {
    let may_change = app.may_change(parts).await;
    let view = app.watcher.look().await;
    let page = Page { app: &app, view: &view, place: last_segment(uri.path()), may_change };
    Html(page.whole().into_string()).into_response()
}

/// Each part of the page that has changed, as often as it does.
async fn live(State(app): State<Arc<App>>, uri: OriginalUri, parts: Parts) -> Response {
    let may_change = app.may_change(parts).await;
    let place = last_segment(uri.path().strip_suffix("/live").unwrap_or_default()).to_owned();
    let mut end = app.end.clone();
    let views = app.watcher.watch();
    let first = (app, views, Vec::<(&'static str, String)>::new());
    let changes = stream::unfold(first, move |(app, mut views, mut sent)| {
        let place = place.clone();
        async move {
            views.changed().await.ok()?;
            let view = views.borrow_and_update().clone();
            let parts = Page { app: &app, view: &view, place: &place, may_change }.parts();
            let changed: Vec<_> = parts.iter().filter(|part| !sent.contains(part)).map(event).collect();
            sent = parts;
            Some((stream::iter(changed), (app, views, sent)))
        }
    });
    let ended = async move { end.wait_for(|ended| *ended).await.map(drop).unwrap_or_default() };
    let events = changes.flatten().take_until(ended.boxed());
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

fn event((id, html): &(&'static str, String)) -> Result<Event, Infallible> {
    Ok(Event::default().event("part").id(*id).data(html.replace(['\n', '\r'], " ")))
}
