//! What GitHub and the hub's surroundings ask.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hub_events::as_webhook;
use hub_github::MAX_PAYLOAD;
use mediator_core::prelude::*;
use mediator_outbox::Outbox;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::database::{Accepted, Database};
use crate::signature::Secret;

/// GitHub itself gives up after ten seconds.
const BODY: Duration = Duration::from_secs(20);

pub(crate) struct Hub<D: Database> {
    pub(crate) outbox: Outbox<D>,
    pub(crate) mediator: Mediator,
    /// Without one, everybody is believed.
    pub(crate) secret: Option<Secret>,
    pub(crate) metrics: PrometheusHandle,
    pub(crate) stopped: watch::Receiver<bool>,
}

#[allow(clippy::cast_possible_truncation)] // It fits.
pub(crate) fn router<D: Database>(hub: Hub<D>) -> Router {
    Router::new()
        .route("/webhooks", post(webhook::<D>))
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready::<D>))
        .route("/metrics", get(metrics::<D>))
        .layer(DefaultBodyLimit::max(MAX_PAYLOAD as usize))
        .with_state(Arc::new(hub))
}

async fn webhook<D: Database>(State(hub): State<Arc<Hub<D>>>, request: Request) -> Response {
    let response = match received(&hub, request).await {
        Ok(is_new) => (StatusCode::ACCEPTED, Json(json!({ "repeated": !is_new }))).into_response(),
        Err(refused) => refused.into_response(),
    };
    metrics::counter!("hub.webhooks", "status" => response.status().as_str().to_owned()).increment(1);
    response
}

/// Whether the delivery is a new one, recorded with its events.
async fn received<D: Database>(hub: &Arc<Hub<D>>, request: Request) -> Result<bool, Refused> {
    let (headers, body) = (request.headers().clone(), body(request).await?);
    if let Some(secret) = &hub.secret {
        let signature = headers.get("x-hub-signature-256").ok_or(Refused::NotSigned)?;
        if !secret.has_signed(&body, signature.as_bytes()) {
            return Err(Refused::WrongSignature);
        }
    }
    if !is_json(&headers) {
        return Err(Refused::NotJson);
    }
    let (kind, id) = (header(&headers, "x-github-event")?, header(&headers, "x-github-delivery")?);
    let event = hub_github::decode(&kind, &body).map_err(|malformed| Refused::Malformed(malformed.to_string()))?;
    // The client may go away; what was begun is ended even so.
    let hub = hub.clone();
    let accepted = tokio::spawn(async move { hub.accept(id, event).await }).await;
    accepted.map_err(|error| Refused::NotRecorded(error.to_string()))?
}

impl<D: Database> Hub<D> {
    /// Records the delivery and its event's durable deliveries in one transaction.
    async fn accept(&self, id: String, event: Box<dyn DynNotification>) -> Result<bool, Refused> {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let webhook = as_webhook(&*event);
        let (repository, sender) = webhook.map_or((None, None), |it| (text(it.repository()), text(it.sender())));
        let accepted = Accepted { id, event: event.event_name(), repository, sender };
        let mut transaction = self.outbox.begin().await.map_err(Refused::not_recorded)?;
        if !D::accept(&mut transaction, &accepted).await.map_err(Refused::not_recorded)? {
            return Ok(false);
        }
        let published = D::publish(&mut transaction, &self.mediator, event).await;
        published.map_err(|error| Refused::NotRecorded(format!("{error:#}")))?;
        transaction.commit().await.map_err(Refused::not_recorded)?;
        Ok(true)
    }
}

async fn body(request: Request) -> Result<Bytes, Refused> {
    let length = request.headers().get("content-length").and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > MAX_PAYLOAD) {
        return Err(Refused::TooLarge);
    }
    match timeout(BODY, Bytes::from_request(request, &())).await {
        Err(_) => Err(Refused::TooSlow),
        Ok(Err(BytesRejection::FailedToBufferBody(rejection)))
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE =>
        {
            Err(Refused::TooLarge)
        }
        Ok(Err(rejection)) => Err(Refused::Malformed(rejection.body_text())),
        Ok(Ok(body)) => Ok(body),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/json")
}

fn header(headers: &HeaderMap, name: &'static str) -> Result<String, Refused> {
    let value = headers.get(name).ok_or(Refused::Header { name, problem: "is missing" })?;
    match value.to_str() {
        Ok(value) if (1..=200).contains(&value.len()) => Ok(value.to_owned()),
        _ => Err(Refused::Header { name, problem: "is not a short text" }),
    }
}

async fn ready<D: Database>(State(hub): State<Arc<Hub<D>>>) -> Response {
    if *hub.stopped.borrow() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping").into_response();
    }
    match hub.outbox.stats().await {
        Ok(_) => "ready".into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    }
}

async fn metrics<D: Database>(State(hub): State<Arc<Hub<D>>>) -> Response {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], hub.metrics.render()).into_response()
}

/// Why a delivery was not accepted.
#[derive(Debug)]
enum Refused {
    NotSigned,
    WrongSignature,
    TooLarge,
    TooSlow,
    NotJson,
    Header { name: &'static str, problem: &'static str },
    Malformed(String),
    NotRecorded(String),
}

impl Refused {
    fn not_recorded(error: impl std::error::Error) -> Self {
        Self::NotRecorded(error.to_string())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, error) = match self {
            Self::NotSigned => (StatusCode::UNAUTHORIZED, "the header `x-hub-signature-256` is missing".to_owned()),
            Self::WrongSignature => {
                (StatusCode::UNAUTHORIZED, "the signature is not that of this body with the hub's secret".to_owned())
            }
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, format!("longer than {} MiB", MAX_PAYLOAD >> 20)),
            Self::TooSlow => {
                (StatusCode::REQUEST_TIMEOUT, format!("the body was not there within {} seconds", BODY.as_secs()))
            }
            Self::NotJson => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the content type must be `application/json`; set it in the webhook's settings".to_owned(),
            ),
            Self::Header { name, problem } => (StatusCode::BAD_REQUEST, format!("the header `{name}` {problem}")),
            Self::Malformed(what) => (StatusCode::BAD_REQUEST, what),
            Self::NotRecorded(error) => {
                tracing::error!(error, "a delivery is not recorded");
                (StatusCode::SERVICE_UNAVAILABLE, "the delivery could not be recorded; send it again".to_owned())
            }
        };
        (status, Json(json!({ "error": error }))).into_response()
    }
}
