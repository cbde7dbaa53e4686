//! An application whose requests publish events.
//!
//! - The state is a [`Publisher`], all that a request needs.
//! - The extractor [`Tenant`] finds who asks; the publish lends it, and handlers borrow it.
//! - When a client disconnects, the server drops the future of its request, and with it a publish that is under way.
//!   `place_order` must not be left half-done, so it publishes in a task of its own; `quote` may be left.

use std::sync::{Arc, Mutex};

use axum::Json;
use axum::Router;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use mediator_core::prelude::*;
use serde::Deserialize;

/// A customer has placed an order.
#[event]
#[derive(Debug)]
pub struct OrderPlaced {
    /// What it costs.
    pub total: u32,
}

/// A customer has asked for a price.
#[event]
#[derive(Debug)]
pub struct QuoteRequested {
    /// So many pieces.
    pub pieces: u32,
}

/// Who asks, by the header `x-tenant`.
#[derive(Clone, Debug)]
pub struct Tenant(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Tenant {
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        let tenant = parts.headers.get("x-tenant").and_then(|tenant| tenant.to_str().ok());
        tenant
            .map(|tenant| Self(tenant.to_owned()))
            .ok_or((StatusCode::BAD_REQUEST, "the header `x-tenant` is missing"))
    }
}

/// What happened, for people to read; the program provides it.
#[derive(Debug, Default)]
pub struct Journal {
    lines: Mutex<Vec<String>>,
}

impl Journal {
    /// All lines so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().map_or_else(|lines| lines.into_inner().clone(), |lines| lines.clone())
    }

    fn add(&self, line: String) {
        self.lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(line);
    }
}

#[event_handler]
async fn reserve_stock(event: &OrderPlaced, tenant: &Tenant, journal: Arc<Journal>) -> anyhow::Result<()> {
    // Long enough for an impatient client to disconnect.
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    anyhow::ensure!(event.total < 10_000, "{} has no credit for {}", tenant.0, event.total);
    journal.add(format!("{} ordered for {}", tenant.0, event.total));
    Ok(())
}

#[event_handler]
fn note_quote(event: &QuoteRequested, tenant: &Tenant, journal: Arc<Journal>) {
    journal.add(format!("{} asked for {} pieces", tenant.0, event.pieces));
}

/// The application over a mediator.
pub fn router(mediator: &Mediator) -> Router {
    Router::new().route("/orders", post(place_order)).route("/quotes", post(quote)).with_state(mediator.publisher())
}

/// The body of `POST /orders`.
#[derive(Debug, Deserialize)]
pub struct NewOrder {
    total: u32,
}

/// The body of `POST /quotes`.
#[derive(Debug, Deserialize)]
pub struct NewQuote {
    pieces: u32,
}

async fn place_order(
    State(publisher): State<Publisher>,
    tenant: Tenant,
    Json(order): Json<NewOrder>,
) -> Result<StatusCode, Failed> {
    // The task goes on when the client has disconnected. It owns what the publish lends.
    let task = tokio::spawn(async move { publisher.with(&tenant).publish(OrderPlaced::new(order.total)).await });
    task.await??;
    Ok(StatusCode::CREATED)
}

async fn quote(
    State(publisher): State<Publisher>,
    tenant: Tenant,
    Json(quote): Json<NewQuote>,
) -> Result<StatusCode, Failed> {
    publisher.with(&tenant).publish(QuoteRequested::new(quote.pieces)).await?;
    Ok(StatusCode::OK)
}

/// An error that answers a request: its own text is for the log, not for the client.
struct Failed(anyhow::Error);

impl<E: Into<anyhow::Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        eprintln!("{:#}", self.0);
        (StatusCode::INTERNAL_SERVER_ERROR, "the request could not be processed").into_response()
    }
}
