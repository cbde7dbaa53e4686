//! The page and its JSON, as a browser and a program see them.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::request::{Builder, Parts};
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use mediator_core::Permanent;
use mediator_core::prelude::*;
use mediator_dashboard::Dashboard;
use mediator_outbox::{InMemoryOutbox, State};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower::ServiceExt as _;

#[event(name = "orders.placed")]
#[derive(Serialize, Deserialize)]
struct OrderPlaced {
    order_id: u64,
}

#[event(name = "orders.forgotten")]
#[derive(Serialize, Deserialize)]
struct OrderForgotten {}

#[event_handler(durable, name = "mail.confirm")]
async fn confirm(event: &OrderPlaced) -> Result<(), Permanent> {
    if event.order_id == 13 { Err(Permanent("<b>no such</b> address")) } else { Ok(()) }
}

struct Shop {
    outbox: InMemoryOutbox,
    mediator: Mediator,
}

impl Shop {
    fn new() -> Self {
        let outbox = InMemoryOutbox::new();
        let mediator = Mediator::builder().outbox(outbox.clone()).build().unwrap();
        Self { outbox, mediator }
    }

    /// With a dead delivery.
    async fn in_trouble() -> Self {
        let shop = Self::new();
        shop.mediator.publish(OrderPlaced::new(13)).await.unwrap();
        shop.outbox.worker(&shop.mediator).drain().await.unwrap();
        assert_eq!(shop.dead().await, 1);
        shop
    }

    async fn dead(&self) -> u64 {
        self.outbox.deliveries().in_state(State::Dead).count().await.unwrap()
    }

    fn dashboard(&self) -> Dashboard {
        Dashboard::new(&self.mediator, &self.outbox)
    }

    fn for_operators(&self) -> Router {
        nested(self.dashboard().authorize(is_operator))
    }
}

async fn is_operator(request: Parts) -> bool {
    request.headers.get("authorization").is_some_and(|it| it == "operator")
}

fn nested(dashboard: Dashboard) -> Router {
    Router::new().nest("/mediator", dashboard.into_router())
}

struct Answer {
    status: StatusCode,
    headers: axum::http::HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

async fn ask(app: &Router, request: Builder) -> Answer {
    let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let text = String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap();
    Answer { status: parts.status, headers: parts.headers, text }
}

async fn get(app: &Router, path: &str) -> Answer {
    ask(app, Request::get(path)).await
}

fn post(path: &str) -> Builder {
    Request::post(path).header("host", "shop.example").header("authorization", "operator")
}

#[tokio::test]
async fn the_page_shows_who_handles_what_and_what_is_dead_and_why() {
    let shop = Shop::in_trouble().await;
    let page = get(&nested(shop.dashboard()), "/mediator").await;
    assert_eq!(page.status, StatusCode::OK);
    for text in ["orders.placed", "orders.forgotten", "mail.confirm", "&lt;b&gt;no such&lt;/b&gt; address", "1 dead"] {
        assert!(page.text.contains(text), "no {text} in {}", page.text);
    }
    assert!(!page.text.contains("<b>no such"), "what others wrote is not markup");
    assert!(!page.text.contains("<button"), "it is for reading");
}

#[tokio::test]
async fn nothing_but_the_pages_own_is_loaded_and_nobody_frames_it() {
    let shop = Shop::new();
    let app = nested(shop.dashboard());
    let page = get(&app, "/mediator").await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(!page.text.contains("style=") && !page.text.contains("<style") && !page.text.contains("onclick"));
    for path in ["mediator/dashboard.css", "mediator/dashboard.js"] {
        assert!(page.text.contains(&format!("\"{path}\"")));
        assert_eq!(get(&app, &format!("/{path}")).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn it_can_be_the_first_page_of_an_application() {
    let shop = Shop::in_trouble().await;
    let app = Router::new().merge(shop.dashboard().authorize(is_operator).into_router());
    let page = ask(&app, Request::get("/").header("authorization", "operator")).await;
    assert!(page.text.contains("href=\"dashboard.css\""));
    let id = shop.outbox.deliveries().list().await.unwrap()[0].id;
    let request = post(&format!("/deliveries/{id}/retry")).header("sec-fetch-site", "same-origin");
    assert_eq!(ask(&app, request).await.headers["location"], "../../");
}

#[tokio::test]
async fn whoever_may_change_something_has_buttons() {
    let shop = Shop::in_trouble().await;
    let app = shop.for_operators();
    assert!(!get(&app, "/mediator").await.text.contains("<button"));
    let page = ask(&app, Request::get("/mediator").header("authorization", "operator")).await;
    let id = shop.outbox.deliveries().list().await.unwrap()[0].id;
    assert!(page.text.contains(&format!("action=\"mediator/deliveries/{id}/retry\"")), "{}", page.text);
    assert!(page.text.contains(&format!("action=\"mediator/deliveries/{id}/discard\"")));
}

#[tokio::test]
async fn a_form_retries_and_leads_back_to_the_page() {
    let shop = Shop::in_trouble().await;
    let id = shop.outbox.deliveries().list().await.unwrap()[0].id;
    let path = format!("/mediator/deliveries/{id}/retry");
    let answer = ask(&shop.for_operators(), post(&path).header("origin", "https://shop.example")).await;
    assert_eq!(
        (answer.status, &answer.headers["location"]),
        (StatusCode::SEE_OTHER, &"../../../mediator".parse().unwrap())
    );
    assert_eq!(shop.dead().await, 0);
    assert_eq!(shop.outbox.stats().await.unwrap().ready(), 1);
}

#[tokio::test]
async fn all_dead_deliveries_to_a_handler_are_changed_at_once() {
    let shop = Shop::in_trouble().await;
    shop.mediator.publish(OrderPlaced::new(13)).await.unwrap();
    shop.outbox.worker(&shop.mediator).drain().await.unwrap();
    let app = shop.for_operators();
    let discard = |handler: &str| {
        post(&format!("/mediator/api/handlers/{handler}/discard")).header("sec-fetch-site", "same-origin")
    };
    assert_eq!(ask(&app, discard("mail.nobody")).await.json(), json!({ "changed": 0 }));
    assert_eq!(ask(&app, discard("mail.confirm")).await.json(), json!({ "changed": 2 }));
    assert_eq!(shop.dead().await, 0);
}

#[tokio::test]
async fn foreign_pages_and_strangers_change_nothing() {
    let shop = Shop::in_trouble().await;
    let id = shop.outbox.deliveries().list().await.unwrap()[0].id;
    let read_only = nested(shop.dashboard());
    for path in
        [format!("deliveries/{id}/retry"), format!("deliveries/{id}/discard"), "handlers/mail.confirm/discard".into()]
    {
        for path in [format!("/mediator/{path}"), format!("/mediator/api/{path}")] {
            let app = shop.for_operators();
            let foreign = [
                post(&path),
                post(&path).header("origin", "https://evil.example"),
                post(&path).header("origin", "null"),
                post(&path).header("sec-fetch-site", "cross-site"),
                post(&path).header("sec-fetch-site", "same-origin").header("origin", "https://evil.example"),
            ];
            for request in foreign {
                let answer = ask(&app, request).await;
                assert_eq!(answer.status, StatusCode::FORBIDDEN);
                assert!(answer.json()["error"].as_str().unwrap().contains("origin"));
            }
            let stranger = Request::post(&path).header("sec-fetch-site", "same-origin");
            assert_eq!(ask(&app, stranger).await.status, StatusCode::FORBIDDEN);
            let operator = post(&path).header("sec-fetch-site", "same-origin");
            assert_eq!(ask(&read_only, operator).await.status, StatusCode::FORBIDDEN, "without a hook nobody may");
            assert_eq!(get(&app, &path).await.status, StatusCode::METHOD_NOT_ALLOWED);
        }
    }
    assert_eq!(shop.dead().await, 1);
}

#[tokio::test]
async fn the_same_is_there_as_json() {
    let shop = Shop::in_trouble().await;
    let app = nested(shop.dashboard().section("Orders", || async { Ok(json!({ "open": 7 })) }));
    let topology = get(&app, "/mediator/api/topology").await.json();
    assert_eq!(topology["events"][0]["handlers"][0]["name"], "mail.confirm");
    assert_eq!(get(&app, "/mediator/api/stats").await.json()["total"]["dead"], 1);
    assert_eq!(get(&app, "/mediator/api/attempts").await.json()["dead"], 1);
    assert_eq!(get(&app, "/mediator/api/rates").await.json()["interval_seconds"], 5);
    assert_eq!(get(&app, "/mediator/api/section").await.json(), json!({ "open": 7 }));
    let dead = get(&app, "/mediator/api/deliveries?state=dead&handler=mail.confirm&limit=10").await.json();
    assert_eq!((dead.as_array().unwrap().len(), &dead[0]["attempts"]), (1, &json!(1)));
    assert_eq!(get(&app, "/mediator/api/deliveries?state=running").await.json(), json!([]));
}

#[tokio::test]
async fn a_query_that_nobody_understands_is_refused() {
    let shop = Shop::new();
    let app = nested(shop.dashboard());
    for query in ["state=undead", "limit=-1", "colour=red"] {
        let answer = get(&app, &format!("/mediator/api/deliveries?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(answer.json()["error"].is_string());
    }
    assert_eq!(get(&app, "/mediator/api/section").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_section_that_fails_does_not_take_the_page_with_it() {
    let shop = Shop::new();
    let failing = || async { Err::<Value, _>("the <shop> is closed".into()) };
    let app = nested(shop.dashboard().section("Orders", failing));
    let page = get(&app, "/mediator").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("the &lt;shop&gt; is closed"));
    assert_eq!(get(&app, "/mediator/api/section").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn what_dies_while_one_watches_is_sent_and_the_end_ends_it() {
    let shop = Shop::new();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let app = nested(shop.dashboard().live_until(async { drop(ended.await) }));
    let response = app.clone().oneshot(Request::get("/mediator/live").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    let mut text = String::new();
    let mut read_until = async |wanted: &str| {
        while !text.contains(wanted) {
            let frame = tokio::time::timeout(Duration::from_secs(30), body.frame()).await.expect("it is live");
            text += std::str::from_utf8(frame.unwrap().unwrap().data_ref().unwrap()).unwrap();
        }
    };
    read_until("id: topology").await;
    shop.mediator.publish(OrderPlaced::new(13)).await.unwrap();
    shop.outbox.worker(&shop.mediator).drain().await.unwrap();
    read_until("no such").await;

    end.send(()).unwrap();
    assert!(tokio::time::timeout(Duration::from_secs(30), body.collect()).await.is_ok());
}
