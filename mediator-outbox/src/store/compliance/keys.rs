//! Rules for the order within a key.

use super::*;

/// Records events of one key and returns their deliveries to one handler, in order.
async fn record_keyed<S: Store>(store: &S, key: &str, handler: &str, count: usize) -> Vec<DeliveryId> {
    let mut deliveries = Vec::new();
    let handlers = [handler];
    for _ in 0..count {
        let event = keyed(key, &handlers);
        record(store, &event).await;
        deliveries.extend(list(store, &of_event(&event)).await.iter().map(|delivery| delivery.id));
    }
    deliveries
}

/// Claims the one delivery that can be claimed, which is this one.
async fn claim_this<S: Store>(store: &S, handler: &str, delivery: DeliveryId) -> Claimed {
    let claimed = claim_one(store, handler).await;
    assert_eq!(claimed.lease.delivery, delivery);
    claimed
}

/// Deliveries of one key to one handler are claimed one after another, as they were recorded.
pub async fn a_key_goes_in_the_order_of_recording<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    let mut deliveries = record_keyed(store, "k", "mail", 3).await;
    // Due earlier, but recorded later.
    let early = Due::At(store.now().await.unwrap() - MINUTE);
    let event = NewEvent { due: early, ..keyed("k", &["mail"]) };
    record(store, &event).await;
    deliveries.push(list(store, &of_event(&event)).await[0].id);
    for delivery in deliveries {
        let claimed = claim_this(store, "mail", delivery).await;
        nothing_is_due(store, "mail").await;
        complete(store, &claimed).await;
    }
    nothing_is_due(store, "mail").await;
}

/// Only the same key of the same handler waits.
pub async fn keys_and_handlers_do_not_wait_for_each_other<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    record(store, &keyed("k", &["mail", "bill"])).await;
    record(store, &keyed("k", &["mail", "bill"])).await;
    record(store, &keyed("l", &["mail"])).await;
    record(store, &event(&["mail"])).await;
    record(store, &event(&["mail"])).await;
    assert_eq!(claim(store, "mail", 10).await.len(), 4, "the first of each key, and those without");
    assert_eq!(claim(store, "bill", 10).await.len(), 1);
    // A key belongs to the handler, whatever the event is called.
    record(store, &NewEvent { name: "orders.cancelled", ..keyed("k", &["mail"]) }).await;
    assert!(claim_all(store, &[Wanted { event: "orders.cancelled", ..wanted("mail", 5) }]).await.is_empty());
}

/// In one batch, too.
pub async fn a_batch_has_one_delivery_of_each_key<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    let mut firsts = BTreeSet::new();
    for key in ["a", "b", "c"] {
        firsts.insert(record_keyed(store, key, "mail", 4).await[0]);
    }
    assert_eq!(BTreeSet::from_iter(ids(&claim(store, "mail", 100).await)), firsts);
}

/// Completing deliveries of several keys at once lets the next one of each go.
pub async fn a_completed_batch_lets_every_key_go_on<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    let mut rest = BTreeSet::new();
    for key in 0..20 {
        rest.extend(record_keyed(store, &key.to_string(), "mail", 3).await);
    }
    for keep in [false, true, false] {
        let claimed = claim(store, "mail", 100).await;
        assert_eq!(claimed.len(), 20);
        assert!(claimed.iter().all(|claimed| rest.remove(&claimed.lease.delivery)));
        assert_eq!(store.complete(&leases(&claimed), keep).await.unwrap().len(), 20);
    }
    nothing_is_due(store, "mail").await;
}

/// What is tried again later keeps its place.
pub async fn a_retried_delivery_holds_its_key<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    let deliveries = record_keyed(store, "k", "mail", 2).await;
    let claimed = claim_this(store, "mail", deliveries[0]).await;
    fail(store, &claimed, Then::Retry(MINUTE)).await;
    nothing_is_due(store, "mail").await;
    subject.advance(MINUTE).await;
    complete(store, &claim_this(store, "mail", deliveries[0]).await).await;
    claim_this(store, "mail", deliveries[1]).await;
}

/// A crash does, too.
pub async fn a_lost_lease_holds_its_key<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    let deliveries = record_keyed(store, "k", "mail", 2).await;
    claim_this(store, "mail", deliveries[0]).await;
    subject.advance(LEASE).await;
    complete(store, &claim_this(store, "mail", deliveries[0]).await).await;
    claim_this(store, "mail", deliveries[1]).await;
}

/// And what was not started.
pub async fn what_is_given_back_holds_its_key<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    let deliveries = record_keyed(store, "k", "mail", 2).await;
    let claimed = claim_this(store, "mail", deliveries[0]).await;
    give_back(store, &claimed).await;
    claim_this(store, "mail", deliveries[0]).await;
}

/// A dead delivery holds up what is behind it until it is retried, also what is recorded later.
pub async fn a_dead_delivery_blocks_its_key<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    let mut deliveries = record_keyed(store, "k", "mail", 2).await;
    fail(store, &claim_this(store, "mail", deliveries[0]).await, Then::Dead).await;
    deliveries.extend(record_keyed(store, "k", "mail", 1).await);
    subject.advance(MINUTE).await;
    nothing_is_due(store, "mail").await;
    assert_eq!(store.retry(&Filter::default(), 10).await.unwrap(), 1);
    for delivery in deliveries {
        complete(store, &claim_this(store, "mail", delivery).await).await;
    }
}

/// Unless it says otherwise.
pub async fn a_dead_delivery_can_let_its_key_go_on<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    let mut deliveries = record_keyed(store, "k", "mail", 2).await;
    fail(store, &claim_this(store, "mail", deliveries[0]).await, Then::DeadKeyGoesOn).await;
    deliveries.extend(record_keyed(store, "k", "mail", 1).await);
    assert_eq!(state(store, deliveries[0]).await, State::Dead);
    complete(store, &claim_this(store, "mail", deliveries[1]).await).await;
    complete(store, &claim_this(store, "mail", deliveries[2]).await).await;
    assert_eq!(store.discard(&Filter::default(), 10).await.unwrap(), 1);
}

/// Dead deliveries that others have passed by can be retried while these run; all of them are delivered, in order.
pub async fn a_dead_delivery_that_was_passed_by_can_be_retried<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    let deliveries = record_keyed(store, "k", "mail", 5).await;
    for dead in &deliveries[..2] {
        fail(store, &claim_this(store, "mail", *dead).await, Then::DeadKeyGoesOn).await;
    }
    let running = claim_this(store, "mail", deliveries[2]).await;
    assert_eq!(store.retry(&Filter::default(), 10).await.unwrap(), 2);
    let first = claim_this(store, "mail", deliveries[0]).await;
    complete(store, &running).await;
    nothing_is_due(store, "mail").await;
    complete(store, &first).await;
    for delivery in [deliveries[1], deliveries[3], deliveries[4]] {
        complete(store, &claim_this(store, "mail", delivery).await).await;
    }
    assert_eq!(store.repair().await.unwrap(), 0);
}

/// Discarding a dead delivery lets the next one go.
pub async fn a_discarded_delivery_lets_its_key_go_on<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    let deliveries = record_keyed(store, "k", "mail", 3).await;
    fail(store, &claim_this(store, "mail", deliveries[0]).await, Then::Dead).await;
    nothing_is_due(store, "mail").await;
    assert_eq!(store.discard(&Filter::default(), 10).await.unwrap(), 1);
    complete(store, &claim_this(store, "mail", deliveries[1]).await).await;
    claim_this(store, "mail", deliveries[2]).await;
}

/// What is done holds nobody up while it is kept.
pub async fn a_kept_delivery_lets_its_key_go_on<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    let deliveries = record_keyed(store, "k", "mail", 2).await;
    let claimed = claim_this(store, "mail", deliveries[0]).await;
    assert_eq!(store.complete(&[claimed.lease], true).await.unwrap().len(), 1);
    claim_this(store, "mail", deliveries[1]).await;
}

/// Unscheduling the first one of a key lets the next one go, and unscheduling another one does nothing to it.
pub async fn an_unscheduled_event_lets_its_key_go_on<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    let later = NewEvent { due: Due::In(MINUTE), ..keyed("k", &["mail"]) };
    record(store, &later).await;
    let next = keyed("k", &["mail"]);
    record(store, &next).await;
    let deliveries = record_keyed(store, "k", "mail", 1).await;
    nothing_is_due(store, "mail").await;
    assert_eq!(store.unschedule(None, next.event_id).await.unwrap(), 1, "a waiting one can be unscheduled");
    nothing_is_due(store, "mail").await;
    assert_eq!(store.unschedule(None, later.event_id).await.unwrap(), 1);
    claim_this(store, "mail", deliveries[0]).await;
}

/// Completing in a transaction lets the next one go after the commit.
pub async fn a_completion_within_a_transaction_lets_its_key_go_on<S: Subject>(subject: Arc<S>) {
    if S::TRANSACTIONS {
        let store = subject.store();
        let deliveries = record_keyed(store, "k", "mail", 3).await;
        for (delivery, keep) in deliveries.into_iter().zip([false, true, false]) {
            let claimed = claim_this(store, "mail", delivery).await;
            let mut transaction = store.begin().await.unwrap();
            assert!(store.complete_within(&mut transaction, claimed.lease, keep).await.unwrap());
            S::Store::commit(transaction).await.unwrap();
        }
        nothing_is_due(store, "mail").await;
    }
}

/// However many wait behind a key, others are claimed.
pub async fn a_blocked_key_holds_nobody_else_up<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    record_keyed(store, "blocked", "mail", 1).await;
    fail(store, &claim_one(store, "mail").await, Then::Dead).await;
    record_keyed(store, "blocked", "mail", 300).await;
    record_keyed(store, "free", "mail", 1).await;
    assert_eq!(store.next_due(&[wanted("mail", 1)]).await.unwrap(), Some(Duration::ZERO));
    let claimed = claim(store, "mail", 1).await;
    assert_eq!(claimed[0].key.as_deref(), Some("free"));
    complete(store, &claimed[0]).await;
    nothing_is_due(store, "mail").await;
    assert_eq!(store.next_due(&[wanted("mail", 1)]).await.unwrap(), None);
}

/// Many workers at once, retries in between: each key goes in its order, one at a time, and none stops.
pub async fn concurrent_workers_keep_the_order_of_keys<S: Subject>(subject: Arc<S>) {
    const KEYS: usize = 7;
    for number in 0..140 {
        record(subject.store(), &keyed(&(number % KEYS).to_string(), &["mail"])).await;
    }
    let seen = Arc::new(Mutex::new(BTreeMap::<String, Vec<DeliveryId>>::new()));
    let mut workers = JoinSet::new();
    for worker in 0..6 {
        let (subject, seen) = (Arc::clone(&subject), Arc::clone(&seen));
        workers.spawn(async move {
            let store = subject.store();
            while store.count(&Filter::default()).await.unwrap() > 0 {
                let claimed = claim(store, "mail", 1 + worker).await;
                tokio::task::yield_now().await;
                for claimed in claimed {
                    if (claimed.lease.delivery + i64::from(claimed.attempts)) % 3 == 0 && claimed.attempts < 3 {
                        fail(store, &claimed, Then::Retry(Duration::ZERO)).await;
                        continue;
                    }
                    let key = claimed.key.clone().unwrap();
                    seen.lock().unwrap().entry(key).or_default().push(claimed.lease.delivery);
                    complete(store, &claimed).await;
                }
            }
        });
    }
    let ended = tokio::time::timeout(MINUTE, workers.join_all()).await;
    assert!(ended.is_ok(), "deliveries are stuck: {:?}", list(subject.store(), &Filter::default()).await);
    let seen = seen.lock().unwrap();
    assert_eq!(seen.values().map(Vec::len).sum::<usize>(), 140);
    for deliveries in seen.values() {
        assert!(deliveries.is_sorted(), "{deliveries:?}");
    }
}

/// What waits for nobody, because rows were changed by hand, can be found and made ready.
pub async fn what_waits_for_nobody_is_repaired<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    let deliveries = record_keyed(store, "k", "mail", 3).await;
    nothing_was_wrong(store).await;
    if subject.strand(deliveries[0]).await {
        nothing_is_due(store, "mail").await;
        assert_eq!(store.repair().await.unwrap(), 1);
        nothing_was_wrong(store).await;
        claim_this(store, "mail", deliveries[0]).await;
    }
}

async fn nothing_was_wrong<S: Store>(store: &S) {
    assert_eq!(store.repair().await.unwrap(), 0);
}
