//! Bad requests, and many.

use std::time::Duration;

use futures::{StreamExt as _, stream};
use hyper::body::Bytes;
use hyper::header::CONTENT_TYPE;
use hyper::{Request, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::client::{signature, webhook};
use crate::hub::{Hub, PATIENCE};

on_each_database! {
    pushes_by_the_same_people_are_counted_at_the_first_attempt_whatever_their_order
    a_webhook_with_a_nul_in_its_texts_is_handled
}

fn star() -> Value {
    json!({ "action": "created", "repository": { "full_name": "ada/engine" }, "sender": { "login": "ada" } })
}

/// Sends a body as GitHub would, signed; the status and the error.
async fn refused(hub: &Hub, event: &str, body: impl Into<Bytes>) -> (u16, String) {
    let body = body.into();
    let answer = hub.client().await.send(webhook("1", event, &signature(&body)), body).await.unwrap();
    (answer.status.as_u16(), answer.json()["error"].as_str().unwrap().to_owned())
}

async fn nothing_was_accepted(hub: &Hub) {
    assert_eq!(hub.json("/api/section").await["deliveries accepted"]["deliveries"], 0);
}

#[tokio::test]
async fn only_what_github_has_signed_is_accepted() {
    let hub = Hub::start().await;
    let body = star().to_string();
    let right = signature(body.as_bytes());
    let of_another = signature(b"{}");
    for wrong in ["", "sha256=", "sha256=00", &right[..70], &right.replace("sha256", "sha1"), &of_another] {
        let answer = hub.client().await.send(webhook("1", "star", wrong), body.clone()).await.unwrap();
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{wrong}");
        assert!(answer.json()["error"].as_str().unwrap().contains("signature"));
    }
    let unsigned = Request::post("/webhooks").header(CONTENT_TYPE, "application/json").header("x-github-event", "star");
    assert_eq!(hub.client().await.send(unsigned, body.clone()).await.unwrap().status, StatusCode::UNAUTHORIZED);
    nothing_was_accepted(&hub).await;
    assert_eq!(hub.client().await.send(webhook("1", "star", &right), body).await.unwrap().status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn bad_payloads_are_refused_with_what_is_wrong() {
    let hub = Hub::start().await;
    let body = star().to_string();
    let deep = format!("{{\"action\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    for (body, error) in [
        (Bytes::from(body[..body.len() / 2].to_owned()), "not a JSON object: EOF"),
        (Bytes::new(), "not a JSON object: EOF"),
        (Bytes::from_static(b"[]"), "not a JSON object: invalid type"),
        (Bytes::from_static(b"{\"action\": \"\xff\"}"), "not UTF-8 from byte 13 on"),
        (deep.into(), "not a JSON object: recursion limit"),
        (Bytes::from_static(b"{}"), "not a valid `star` webhook: `payload.action` is missing"),
    ] {
        let (status, said) = refused(&hub, "star", body).await;
        assert_eq!(status, 400);
        assert!(said.starts_with(error), "{said}");
    }
    nothing_was_accepted(&hub).await;
}

#[tokio::test]
async fn requests_that_are_no_delivery_are_refused() {
    let hub = Hub::start().await;
    let body = star().to_string();
    let signed = signature(body.as_bytes());
    let request = |headers: &[(&str, &str)]| {
        let request = Request::post("/webhooks").header("x-hub-signature-256", &signed);
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    };
    let json = ("content-type", "application/json; charset=utf-8");
    let (event, id) = (("x-github-event", "star"), ("x-github-delivery", "1"));
    let long = "x".repeat(201);
    for (status, headers) in [
        (415, &[event, id][..]),
        (415, &[event, id, ("content-type", "application/x-www-form-urlencoded")]),
        (400, &[json, id]),
        (400, &[json, event]),
        (400, &[json, event, ("x-github-delivery", "")]),
        (400, &[json, event, ("x-github-delivery", &long)]),
        (202, &[json, event, id]),
    ] {
        let answer = hub.client().await.send(request(headers), body.clone()).await.unwrap();
        assert_eq!(answer.status.as_u16(), status, "{headers:?}: {}", answer.text);
        assert!(status == 202 || answer.json()["error"].is_string());
    }
    assert_eq!(hub.client().await.get("/webhooks").await.unwrap().status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn more_than_25_mib_is_refused_whether_it_is_announced_or_not() {
    let hub = Hub::start().await;
    // With `Content-Length`, before anything of it is read.
    let mut announced = TcpStream::connect(hub.address()).await.unwrap();
    let head = format!(
        "POST /webhooks HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        hub.address(),
        26 << 20
    );
    announced.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 64];
    let read = tokio::time::timeout(PATIENCE, announced.read(&mut answer)).await.unwrap().unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 413"), "{}", String::from_utf8_lossy(&answer));

    let chunks = stream::iter((0..26).map(|_| Bytes::from(vec![b' '; 1 << 20])));
    match hub.client().await.stream(webhook("1", "star", "sha256=00"), chunks).await {
        Ok(answer) => assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE),
        // The answer may be lost when the server closes a connection that is still written to.
        Err(error) => println!("closed: {error}"),
    }
    nothing_was_accepted(&hub).await;

    let mut just_right = star();
    just_right["zen"] = "x".repeat(24 << 20).into();
    let mut client = hub.client().await;
    assert_eq!(client.deliver("1", "star", &just_right).await.unwrap().status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn bodies_that_do_not_come_and_idle_connections_keep_nobody_waiting() {
    let hub = Hub::start().await;
    let mut idle = Vec::new();
    for _ in 0..1_000 {
        idle.push(TcpStream::connect(hub.address()).await.unwrap());
    }
    let body = star().to_string();
    let mut slow = hub.client().await;
    let request = webhook("slow", "star", &signature(body.as_bytes()));
    let trickle = stream::iter(body.into_bytes()).then(|byte| async move {
        sleep(Duration::from_secs(1)).await;
        Bytes::from(vec![byte])
    });
    let slow = tokio::spawn(async move { slow.stream(request, trickle).await });

    for number in 0..50 {
        let answer = hub.client().await.deliver(&number.to_string(), "star", &star()).await.unwrap();
        assert_eq!(answer.status, StatusCode::ACCEPTED);
    }
    let answer = tokio::time::timeout(PATIENCE, slow).await.unwrap().unwrap().unwrap();
    assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT);
    // By now the hub has closed what sends nothing.
    let mut nothing = [0; 1];
    for connection in &mut idle {
        assert_eq!(tokio::time::timeout(PATIENCE, connection.read(&mut nothing)).await.unwrap().unwrap(), 0);
    }
    assert_eq!(hub.json("/api/section").await["deliveries accepted"]["deliveries"], 50);
}

#[tokio::test]
async fn foreign_pages_change_nothing() {
    let hub = Hub::start().await;
    let untagged = json!({
        "action": "published", "release": { "tag_name": "" },
        "repository": { "full_name": "ada/engine" }, "sender": { "login": "ada" },
    });
    hub.client().await.deliver("1", "release", &untagged).await.unwrap();
    assert_eq!(hub.settled().await, 1);
    let id = hub.json("/api/deliveries?state=dead").await[0]["id"].clone();
    let own = format!("http://{}", hub.address());
    for path in [format!("/deliveries/{id}/retry"), format!("/api/deliveries/{id}/discard")] {
        for headers in [
            &[][..],
            &[("origin", "https://evil.example")],
            &[("sec-fetch-site", "cross-site"), ("origin", own.as_str())],
            // A foreign name that leads here: the page of its own origin, but not of this machine.
            &[("host", "rebound.example"), ("origin", "http://rebound.example"), ("sec-fetch-site", "same-origin")],
        ] {
            let request =
                headers.iter().fold(Request::post(&path), |request, (name, value)| request.header(*name, *value));
            let answer = hub.client().await.send(request, "").await.unwrap();
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}: {headers:?}");
        }
    }
    assert_eq!(hub.json("/api/stats").await["total"]["dead"], 1);
    let discard = Request::post(format!("/api/deliveries/{id}/discard")).header("origin", &own);
    assert_eq!(hub.client().await.send(discard, "").await.unwrap().json(), json!({ "changed": 1 }));
}

async fn pushes_by_the_same_people_are_counted_at_the_first_attempt_whatever_their_order(hub: Hub) {
    const PEOPLE: usize = 20;
    let deliver = async |number: usize| {
        let mut authors: Vec<_> = (0..PEOPLE).collect();
        fastrand::Rng::with_seed(number as u64).shuffle(&mut authors);
        let commit = |author: &usize| json!({ "author": { "name": format!("person-{author}") } });
        let push = json!({
            "ref": "refs/heads/main", "commits": authors.iter().map(commit).collect::<Vec<_>>(),
            "repository": { "full_name": "ada/engine" }, "sender": { "login": "ada" },
        });
        let answer = hub.client().await.deliver(&number.to_string(), "push", &push).await.unwrap();
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    };
    stream::iter(0..100).for_each_concurrent(10, deliver).await;
    assert_eq!(hub.settled().await, 0);
    assert_eq!(hub.json("/api/attempts").await["retried"], 0, "nobody got in anybody's way");
    assert_eq!(hub.json("/api/section").await["contributors"]["contributors"], PEOPLE);
}

async fn a_webhook_with_a_nul_in_its_texts_is_handled(hub: Hub) {
    let star = json!({ "action": "created", "repository": { "full_name": "a\0da" }, "sender": { "login": "a\0da" } });
    assert_eq!(hub.client().await.deliver("1", "star", &star).await.unwrap().status, 202);
    let push = json!({
        "ref": "refs/heads/main", "repository": { "full_name": "ada/engine" }, "sender": { "login": "ada" },
        "commits": [{ "author": { "name": "a\0da", "username": "a\0da" } }],
    });
    assert_eq!(hub.client().await.deliver("2", "push", &push).await.unwrap().status, 202);
    assert_eq!(hub.settled().await, 0, "nothing is dead");
}
