//! The page in a browser.
//!
//! `MEDIATOR_TEST_PICTURES=folder` keeps pictures of it there, to be looked at.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use mediator_core::Permanent;
use mediator_core::prelude::*;
use mediator_dashboard::Dashboard;
use mediator_outbox::InMemoryOutbox;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::chromium::Page;
use crate::hub::Hub;

const DEAD: &str = "document.querySelectorAll('tr.dead').length";
const STATUS: &str = "document.getElementById('status').textContent";

async fn deliver(hub: &Hub, id: &str, event: &str, mut payload: serde_json::Value) {
    payload["repository"] = json!({ "full_name": "ada/engine" });
    payload["sender"] = json!({ "login": "ada" });
    assert_eq!(hub.client().await.deliver(id, event, &payload).await.unwrap().status, 202);
}

async fn untagged_release(hub: &Hub, id: &str) {
    deliver(hub, id, "release", json!({ "action": "published", "release": { "tag_name": "" } })).await;
}

async fn keep_pictures(page: &mut Page) {
    let Some(folder) = std::env::var_os("MEDIATOR_TEST_PICTURES").map(std::path::PathBuf::from) else { return };
    for (name, width, height, scheme) in
        [("desktop", 1280, 900, "light"), ("dark", 1280, 900, "dark"), ("phone", 390, 844, "light")]
    {
        page.look_like(width, height, scheme).await;
        std::fs::write(folder.join(format!("{name}.png")), page.picture().await).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hubs_page_draws_the_topology_and_shows_what_dies_while_one_watches() {
    let Some(mut page) = Page::open("the hub's page in a browser").await else { return };
    let hub = Hub::start().await;
    page.go(&format!("http://{}/", hub.address())).await;

    page.until("document.querySelectorAll('svg.topology .message').length > 20").await;
    assert_eq!(page.evaluate("document.querySelectorAll('svg.topology path.line').length > 20").await, true);
    assert_eq!(page.evaluate("document.querySelectorAll('svg.topology g.module').length").await, 4);
    page.until(&format!("{STATUS} === 'live'")).await;
    assert_eq!(page.evaluate(DEAD).await, 0);

    for number in 0..30 {
        let merged = json!({
            "action": "closed",
            "pull_request": { "number": number, "title": "Add a mill", "merged": true, "user": { "login": "charles" } },
        });
        deliver(&hub, &format!("merged-{number}"), "pull_request", merged).await;
    }
    untagged_release(&hub, "1").await;
    untagged_release(&hub, "2").await;
    page.until(&format!("{DEAD} === 2")).await;
    page.until("document.querySelector('tr.dead .cause').textContent.includes('has no tag')").await;
    page.until("document.querySelector('svg.topology text.dead').textContent === '2 dead'").await;
    page.until("document.getElementById('section').textContent.includes('30 pull requests')").await;
    page.until("document.querySelector('rect.done')").await;
    keep_pictures(&mut page).await;

    page.look_like(390, 844, "light").await;
    assert_eq!(page.evaluate("document.documentElement.scrollWidth <= innerWidth").await, true, "nothing sticks out");

    page.evaluate("globalThis.confirm = () => true").await;
    page.evaluate("document.querySelector('tr.dead form[data-change=discard] button').click()").await;
    page.until(&format!("{DEAD} === 1")).await;
    assert_eq!(hub.json("/api/stats").await["total"]["dead"], 1);
}

#[event(name = "orders.placed")]
#[derive(Serialize, Deserialize)]
struct OrderPlaced {}

static MAIL_WORKS: AtomicBool = AtomicBool::new(false);

#[event_handler(durable, manual, name = "mail.confirm")]
async fn confirm(_event: &OrderPlaced) -> Result<(), Permanent> {
    if MAIL_WORKS.load(Ordering::Relaxed) { Ok(()) } else { Err(Permanent("the mail server is gone")) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_delivery_appears_while_one_watches_and_a_retry_makes_it_vanish() {
    let Some(mut page) = Page::open("retrying in a browser").await else { return };
    let outbox = InMemoryOutbox::new();
    let builder = Mediator::builder().without_discovery().bind_fn(confirm).outbox(outbox.clone());
    let mediator = builder.build().unwrap();
    let worker = outbox.worker(&mediator).start();
    let dashboard = Dashboard::new(&mediator, &outbox).authorize(|_| async { true });
    let app = Router::new().nest("/mediator", dashboard.into_router());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mediator", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });

    page.go(&url).await;
    page.until(&format!("{STATUS} === 'live'")).await;
    assert_eq!(page.evaluate(DEAD).await, 0);
    mediator.publish(OrderPlaced::new()).await.unwrap();
    page.until(&format!("{DEAD} === 1")).await;
    page.until("document.querySelector('tr.dead .cause').textContent.includes('the mail server is gone')").await;

    MAIL_WORKS.store(true, Ordering::Relaxed);
    // By keyboard.
    page.evaluate("document.querySelector('tr.dead form[data-change=retry] button').focus()").await;
    page.press("Enter").await;
    page.until(&format!("{DEAD} === 0")).await;
    assert_eq!(outbox.attempts().done, 1);
    assert_eq!(page.evaluate("location.href").await, url.as_str(), "one stays on the page");
    worker.shutdown(std::time::Duration::from_secs(10)).await;
}
