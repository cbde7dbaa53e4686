//! Rules for what is recorded.

use super::*;

/// An event is recorded once, with the deliveries of the first time.
pub async fn an_event_is_recorded_once<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    let event = event(&["mail", "bill"]);
    assert_eq!(store.record_alone(&event).await.unwrap(), Recorded::New);
    assert_eq!(store.record_alone(&event).await.unwrap(), Recorded::Already);
    let other = NewEvent { handlers: &["ship"], payload: "[]", ..event };
    assert_eq!(store.record_alone(&other).await.unwrap(), Recorded::Already);
    assert_eq!(store.count(&of_event(&event)).await.unwrap(), 2);

    let nobodys = NewEvent { event_id: EventId::new(), handlers: &[], ..event };
    assert_eq!(store.record_alone(&nobodys).await.unwrap(), Recorded::New);
    assert_eq!(store.record_alone(&nobodys).await.unwrap(), Recorded::Already);

    if S::TRANSACTIONS {
        let mut transaction = store.begin_for_user().await.unwrap();
        assert_eq!(store.record(&mut transaction, &event).await.unwrap(), Recorded::Already);
        let within = NewEvent { event_id: EventId::new(), ..event };
        assert_eq!(store.record(&mut transaction, &within).await.unwrap(), Recorded::New);
        assert_eq!(store.record(&mut transaction, &within).await.unwrap(), Recorded::Already);
        S::Store::commit(transaction).await.unwrap();
        assert_eq!(store.count(&of_event(&within)).await.unwrap(), 2);
    }
}

/// Each handler of an event has a delivery that says what was recorded, and the event can be read once for all.
pub async fn each_handler_has_a_delivery<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    let before = store.now().await.unwrap();
    let event = NewEvent {
        key: Some("o-1"),
        version: 3,
        payload: r#"{"order": "o-1", "total": 12345678901234567890}"#,
        headers: Some(r#"{"traceparent": "00-1-2-01"}"#),
        ..event(&["mail", "bill"])
    };
    record(store, &event).await;
    let wanted = ["mail", "bill"].map(|handler| Wanted { version: 3, ..wanted(handler, 5) });
    let claimed = claim_all(store, &wanted).await;
    let handlers: BTreeSet<_> = claimed.iter().map(|claimed| &*claimed.handler).collect();
    assert_eq!(handlers, BTreeSet::from(["bill", "mail"]));
    for claimed in &claimed {
        assert_eq!((claimed.attempts, claimed.lost, claimed.version), (1, 0, 3));
        assert_eq!((&*claimed.event_name, claimed.key.as_deref()), (EVENT, Some("o-1")));
        assert_eq!(claimed.due_at, claimed.recorded_at, "it was due at once");
        assert!(claimed.recorded_at + SECOND > before, "{before:?}, {claimed:?}");
    }
    let rows: Vec<_> = claimed.iter().map(|claimed| claimed.event).chain([i64::MAX]).collect();
    let events = store.events(&rows).await.unwrap();
    assert_eq!(events.len(), 1, "one event, whoever asks");
    assert_eq!((events[0].row, events[0].event_id), (rows[0], event.event_id));
    assert_eq!((&*events[0].payload, events[0].headers.as_deref()), (event.payload, event.headers));
}

/// A recording whose future is dropped, after however many polls, leaves all of its rows or none.
pub async fn a_dropped_recording_leaves_all_or_nothing<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    for polls in 0..1000 {
        let event = event(&["mail", "bill", "ship"]);
        let done = polled(store.record_alone(&event), polls).await;
        // What was sent may still be under way.
        for _ in 0..5 {
            let count = store.count(&of_event(&event)).await.unwrap();
            assert!(count == 0 || count == 3, "{count} of 3 deliveries after {polls} polls");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if done.is_some() {
            return;
        }
    }
    panic!("recording does not end");
}

/// The same within a transaction, which is committed nevertheless.
pub async fn a_dropped_recording_in_a_transaction_leaves_all_or_nothing<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    for polls in (0..1000).take_while(|_| S::TRANSACTIONS) {
        let event = event(&["mail", "bill", "ship"]);
        let mut transaction = store.begin_for_user().await.unwrap();
        let done = polled(store.record(&mut transaction, &event), polls).await;
        S::Store::commit(transaction).await.unwrap();
        let count = store.count(&of_event(&event)).await.unwrap();
        assert!(count == 0 || count == 3, "{count} of 3 deliveries after {polls} polls");
        if done.is_some() {
            return;
        }
    }
    assert!(!S::TRANSACTIONS, "recording does not end");
}

/// What is recorded in a transaction is delivered after its commit.
pub async fn what_is_committed_is_delivered<S: Subject>(subject: Arc<S>) {
    if S::TRANSACTIONS {
        let store = subject.store();
        let mut transaction = store.begin_for_user().await.unwrap();
        store.record(&mut transaction, &event(&["mail"])).await.unwrap();
        store.record(&mut transaction, &event(&["mail"])).await.unwrap();
        S::Store::commit(transaction).await.unwrap();
        assert_eq!(claim(store, "mail", 10).await.len(), 2);
    }
}

/// What is recorded in a transaction that is rolled back was never recorded.
pub async fn what_is_rolled_back_is_never_delivered<S: Subject>(subject: Arc<S>) {
    if S::TRANSACTIONS {
        let store = subject.store();
        let event = event(&["mail"]);
        let mut transaction = store.begin_for_user().await.unwrap();
        store.record(&mut transaction, &event).await.unwrap();
        S::Store::rollback(transaction).await.unwrap();
        nothing_is_due(store, "mail").await;
        assert_eq!(store.record_alone(&event).await.unwrap(), Recorded::New);
    }
}

/// A transaction that is dropped is rolled back, and the store goes on.
pub async fn a_transaction_that_is_dropped_is_rolled_back<S: Subject>(subject: Arc<S>) {
    for _ in (0..20).take_while(|_| S::TRANSACTIONS) {
        let store = subject.store();
        let event = event(&["mail"]);
        let mut transaction = store.begin().await.unwrap();
        store.record(&mut transaction, &event).await.unwrap();
        drop(transaction);
        nothing_is_due(store, "mail").await;
        assert_eq!(store.count(&of_event(&event)).await.unwrap(), 0);
    }
}

/// Deliveries that are due later are not claimed before.
pub async fn a_scheduled_delivery_is_not_early<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    record(store, &NewEvent { due: Due::In(MINUTE), ..event(&["later"]) }).await;
    let at = store.now().await.unwrap() + 2 * MINUTE;
    record(store, &NewEvent { due: Due::At(at), ..event(&["later"]) }).await;
    record(store, &NewEvent { due: Due::At(at - 10 * MINUTE), ..event(&["past"]) }).await;
    claim_one(store, "past").await;
    nothing_is_due(store, "later").await;
    subject.advance(MINUTE - 10 * SECOND).await;
    nothing_is_due(store, "later").await;
    subject.advance(10 * SECOND).await;
    claim_one(store, "later").await;
    subject.advance(MINUTE).await;
    let second = claim(store, "later", 10).await;
    let lost = claim(store, "later", 10).await;
    assert_eq!(
        second.len() + lost.len(),
        2,
        "the second one, and the first one whose lease has ended: {second:?}, {lost:?}"
    );
}

/// Unscheduling deletes the deliveries that nobody has started, and only these.
pub async fn an_unscheduled_event_is_not_delivered<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    let event = event(&["mail", "bill", "ship", "tell"]);
    record(store, &event).await;
    record(store, &super::event(&["mail"])).await;
    claim(store, "bill", 1).await;
    let given_back = claim(store, "ship", 1).await;
    give_back(store, &given_back[0]).await;
    let failed = claim(store, "tell", 1).await;
    fail(store, &failed[0], Then::Retry(MINUTE)).await;
    assert_eq!(store.unschedule(None, event.event_id).await.unwrap(), 2, "of mail and ship");
    assert_eq!(store.unschedule(None, event.event_id).await.unwrap(), 0);
    assert_eq!(store.unschedule(None, EventId::new()).await.unwrap(), 0);
    assert_eq!(store.count(&of_event(&event)).await.unwrap(), 2);
    claim_one(store, "mail").await;
}

/// Unscheduling within a transaction stands or falls with it.
pub async fn unscheduling_can_be_rolled_back<S: Subject>(subject: Arc<S>) {
    if S::TRANSACTIONS {
        let store = subject.store();
        let event = NewEvent { due: Due::In(MINUTE), ..event(&["mail"]) };
        record(store, &event).await;
        let mut transaction = store.begin_for_user().await.unwrap();
        assert_eq!(store.unschedule(Some(&mut *transaction), event.event_id).await.unwrap(), 1);
        S::Store::rollback(transaction).await.unwrap();
        assert_eq!(store.count(&of_event(&event)).await.unwrap(), 1);
        let mut transaction = store.begin_for_user().await.unwrap();
        assert_eq!(store.unschedule(Some(&mut *transaction), event.event_id).await.unwrap(), 1);
        S::Store::commit(transaction).await.unwrap();
        assert_eq!(store.count(&of_event(&event)).await.unwrap(), 0);
    }
}

/// Keys, errors and what the JSON escapes may contain NUL.
pub async fn strings_may_contain_nul<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    let event = NewEvent {
        payload: r#"{"text": "a\u0000b\ud83d\ude00"}"#,
        headers: Some(r#"{"x": "\u0000"}"#),
        ..keyed("a\0b", &["mail"])
    };
    record(store, &event).await;
    record(store, &keyed("a\0c", &["mail"])).await;
    record(store, &keyed("a", &["mail"])).await;
    record(store, &keyed("a\0b", &["mail"])).await;
    let claimed = claim(store, "mail", 10).await;
    let keys: BTreeSet<_> = claimed.iter().map(|claimed| claimed.key.as_deref().unwrap()).collect();
    assert_eq!(keys, BTreeSet::from(["a", "a\0b", "a\0c"]), "three keys, each with one that can be claimed");
    let stored = store.events(&[claimed[0].event]).await.unwrap();
    assert_eq!((&*stored[0].payload, stored[0].headers.as_deref()), (event.payload, event.headers));
    let failure = Failure { lease: claimed[0].lease, then: Then::Dead, error: "bad\0\"news\"\n'".into() };
    assert_eq!(store.fail(&[failure]).await.unwrap().len(), 1);
    let error = get(store, claimed[0].lease.delivery).await.last_error.unwrap();
    assert!(error.starts_with("bad") && error.ends_with("\"news\"\n'"), "{error:?}");
}

/// A payload of ten megabytes comes back as it was.
pub async fn a_payload_may_be_large<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    let payload = format!("\"{}\"", "ä0123456789abcde".repeat(10_000_000 / 16));
    record(store, &NewEvent { payload: &payload, ..event(&["mail"]) }).await;
    let claimed = claim_one(store, "mail").await;
    let stored = store.events(&[claimed.event]).await.unwrap();
    assert!(stored[0].payload == payload, "{} bytes came back of {}", stored[0].payload.len(), payload.len());
}

/// Whoever means *never* by the longest duration there is, is understood.
pub async fn no_time_is_too_far_away<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    record(store, &NewEvent { due: Due::In(Duration::MAX), ..event(&["never"]) }).await;
    record(store, &NewEvent { due: Due::At(SystemTime::UNIX_EPOCH), ..event(&["long ago"]) }).await;
    nothing_is_due(store, "never").await;
    assert!(store.next_due(&[wanted("never", 1)]).await.unwrap().unwrap() > MINUTE);
    let long_ago = Claim { owner: Uuid::nil(), lease: Duration::MAX, wanted: &[wanted("long ago", 1)] };
    let claimed = store.claim(&long_ago).await.unwrap();
    store.renew(&leases(&claimed), Duration::MAX).await.unwrap();
    fail(store, &claimed[0], Then::Retry(Duration::MAX)).await;
    nothing_is_due(store, "long ago").await;
    record(store, &event(&["mail"])).await;
    store.complete(&leases(&claim(store, "mail", 1).await), true).await.unwrap();
    record(store, &NewEvent { received: true, ..event(&[]) }).await;
    assert_eq!(store.purge(Duration::MAX, Duration::MAX).await.unwrap(), 0);
    let old = Filter { older_than: Some(Duration::MAX), ..Filter::default() };
    assert_eq!(store.count(&old).await.unwrap(), 0);
}
