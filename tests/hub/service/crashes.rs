//! The process is killed while deliveries come in.

use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::client::Client;
use crate::hub::Hub;

on_each_database! { what_was_accepted_is_handled_once_though_the_process_is_killed }

const DELIVERIES: usize = 2_000;
const CONNECTIONS: usize = 50;
const KILLS: usize = 10;

/// Delivers one webhook until it is accepted, as GitHub does when somebody asks it to, with connections that break.
async fn deliver(client: &mut Option<Client>, address: &str, number: usize) {
    let payload = json!({
        "action": "created",
        "repository": { "full_name": format!("ada/engine-{}", number % 7) },
        "sender": { "login": "ada" },
    });
    loop {
        if client.is_none() {
            *client = Client::connect(address).await.ok();
        }
        if let Some(connection) = client
            && let Ok(answer) = connection.deliver(&format!("delivery-{number}"), "star", &payload).await
            && answer.status == 202
        {
            return;
        }
        *client = None;
        sleep(Duration::from_millis(20)).await;
    }
}

async fn what_was_accepted_is_handled_once_though_the_process_is_killed(mut hub: Hub) {
    let (accepted, mut progress) = tokio::sync::watch::channel(0_usize);
    let mut connections = JoinSet::new();
    for first in 0..CONNECTIONS {
        let (address, accepted) = (hub.address().to_owned(), accepted.clone());
        connections.spawn(async move {
            let mut client = None;
            for number in (first..DELIVERIES).step_by(CONNECTIONS) {
                deliver(&mut client, &address, number).await;
                accepted.send_modify(|accepted| *accepted += 1);
            }
        });
    }
    // Spread over all of them, so that each kill meets requests and handlers that run.
    for kill in 1..=KILLS {
        progress.wait_for(|accepted| *accepted >= DELIVERIES * kill / (KILLS + 1)).await.unwrap();
        hub.kill_and_restart().await;
    }
    while let Some(connection) = connections.join_next().await {
        connection.unwrap();
    }

    assert_eq!(hub.settled().await, 0);
    let found = hub.json("/api/section").await;
    assert_eq!(found["deliveries accepted"]["deliveries"], DELIVERIES);
    assert_eq!(found["contributors"]["stars"], DELIVERIES, "each was counted once");

    let mut again = hub.client().await;
    let payload =
        json!({ "action": "created", "repository": { "full_name": "ada/engine-0" }, "sender": { "login": "ada" } });
    let answer = again.deliver("delivery-7", "star", &payload).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.json()), (202, json!({ "repeated": true })));
    assert_eq!(hub.settled().await, 0);
    assert_eq!(hub.json("/api/section").await["contributors"]["stars"], DELIVERIES);
}

#[tokio::test]
async fn a_client_that_goes_away_loses_nothing_that_was_accepted() {
    let hub = Hub::start().await;
    let payload =
        json!({ "action": "created", "repository": { "full_name": "ada/engine" }, "sender": { "login": "ada" } });
    let mut answered = 0;
    for number in 0..40 {
        let mut client = hub.client().await;
        let id = format!("delivery-{number}");
        let patience = Duration::from_micros(400 * number);
        let answer = tokio::time::timeout(patience, client.deliver(&id, "star", &payload)).await;
        answered += u64::from(answer.is_ok_and(|answer| answer.unwrap().status == 202));
    }
    // Whatever it has accepted, it says so when it is asked again.
    let mut repeated = 0;
    for number in 0..40 {
        let answer = hub.client().await.deliver(&format!("delivery-{number}"), "star", &payload).await.unwrap();
        assert_eq!(answer.status, 202);
        repeated += u64::from(answer.json()["repeated"] == true);
    }
    assert!(repeated >= answered, "{answered} were answered, {repeated} are known");
    assert_eq!(hub.settled().await, 0);
    assert_eq!(hub.json("/api/section").await["contributors"]["stars"], 40);
}
