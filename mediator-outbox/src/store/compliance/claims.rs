//! Rules for claims, leases and how they end.

use super::*;

/// Of each handler, those are claimed that have been due longest, up to its limit.
pub async fn the_longest_due_go_first_up_to_each_handlers_limit<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    for seconds in [1, 5, 2, 4, 3] {
        let due = Due::In(Duration::from_secs(seconds));
        record(store, &NewEvent { due, ..event(&["mail", "bill"]) }).await;
    }
    subject.advance(10 * SECOND).await;
    let claimed = claim_all(store, &[wanted("mail", 3), wanted("bill", 1), wanted("ship", 9)]).await;
    let of = |handler: &str| claimed.iter().filter(|claimed| claimed.handler == handler).collect::<Vec<_>>();
    assert_eq!((of("mail").len(), of("bill").len()), (3, 1));
    let mail = of("mail");
    let spans = mail.windows(2).map(|two| two[1].due_at.duration_since(two[0].due_at).unwrap().as_secs_f64().round());
    assert_eq!(spans.collect::<Vec<_>>(), [1.0, 1.0], "{mail:?}");
    assert_eq!(claim_all(store, &[wanted("mail", 9), wanted("bill", 0)]).await.len(), 2);
    assert_eq!(claim(store, "bill", 9).await.len(), 4);
}

/// A claim may name more handlers than anyone has.
pub async fn one_claim_serves_many_handlers<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    let names: Vec<_> = (0..1200).map(|number| format!("handler-{number}")).collect();
    let handlers: Vec<_> = names.iter().map(|name| &**name).collect();
    record(store, &event(&handlers)).await;
    let wanted: Vec<_> = handlers.iter().map(|handler| wanted(handler, 2)).collect();
    assert_eq!(store.next_due(&wanted).await.unwrap(), Some(Duration::ZERO));
    assert_eq!(claim_all(store, &wanted).await.len(), 1200);
}

/// Empty lists are fine.
pub async fn nothing_asked_nothing_done<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    record(store, &event(&["mail"])).await;
    assert!(claim_all(store, &[]).await.is_empty());
    assert!(claim(store, "mail", 0).await.is_empty());
    assert!(store.events(&[]).await.unwrap().is_empty());
    assert!(store.renew(&[], LEASE).await.unwrap().is_empty());
    assert!(store.complete(&[], false).await.unwrap().is_empty());
    assert!(store.complete(&[], true).await.unwrap().is_empty());
    assert!(store.fail(&[]).await.unwrap().is_empty());
    assert!(store.give_back(&[]).await.unwrap().is_empty());
    assert_eq!(store.next_due(&[]).await.unwrap(), None);
    assert_eq!(store.retry(&Filter::default(), 0).await.unwrap(), 0);
    assert_eq!(store.discard(&Filter::default(), 0).await.unwrap(), 0);
    claim_one(store, "mail").await;
}

/// What a worker does not know is not touched, and costs no attempt.
pub async fn unknown_handlers_and_events_are_left_alone<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    record(store, &event(&["new"])).await;
    record(store, &NewEvent { name: "orders.cancelled", ..event(&["mail"]) }).await;
    nothing_is_due(store, "mail").await;
    assert_eq!(store.next_due(&[wanted("mail", 1)]).await.unwrap(), None);
    let cancelled = Wanted { event: "orders.cancelled", ..wanted("mail", 5) };
    let claimed = claim_all(store, &[cancelled, wanted("new", 5)]).await;
    assert_eq!(claimed.iter().map(|claimed| claimed.attempts).collect::<Vec<_>>(), [1, 1]);
}

/// A version that a worker cannot decode is not touched, and costs no attempt.
pub async fn newer_versions_are_left_alone<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    for version in [2, 1, 3] {
        record(store, &NewEvent { version, ..event(&["mail"]) }).await;
    }
    assert_eq!(claim_one(store, "mail").await.version, 1);
    let next = store.next_due(&[wanted("mail", 1)]).await.unwrap().expect("a lease ends");
    assert!(next > Duration::ZERO, "newer versions are not due");
    let claimed = claim_all(store, &[Wanted { version: 3, ..wanted("mail", 5) }]).await;
    assert_eq!(claimed.iter().map(|claimed| (claimed.version, claimed.attempts)).collect::<Vec<_>>(), [(2, 1), (3, 1)]);
}

/// However many newer versions come before them, older ones are claimed.
pub async fn many_newer_versions_hold_nothing_up<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    for _ in 0..300 {
        record(store, &NewEvent { version: 2, ..event(&["mail"]) }).await;
    }
    record(store, &event(&["mail"])).await;
    assert_eq!(claim_one(store, "mail").await.version, 1);
}

/// Nobody else gets a claimed delivery before its lease has ended.
pub async fn a_lease_holds_until_it_ends<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    record(store, &event(&["mail"])).await;
    let claimed = claim_one(store, "mail").await;
    nothing_is_due(store, "mail").await;
    subject.advance(LEASE - 5 * SECOND).await;
    nothing_is_due(store, "mail").await;
    complete(store, &claimed).await;
    subject.advance(LEASE).await;
    nothing_is_due(store, "mail").await;
}

/// A delivery whose lease has ended is claimed again: another attempt, one lost lease more.
pub async fn a_lease_that_ended_is_taken_over_and_counted<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    record(store, &event(&["mail"])).await;
    let first = claim_one(store, "mail").await;
    let ends = get(store, first.lease.delivery).await.due_at;
    subject.advance(LEASE).await;
    let second = claim_one(store, "mail").await;
    assert_eq!((second.attempts, second.lost, second.lease.delivery), (2, 1, first.lease.delivery));
    assert!(second.lease.token > first.lease.token);
    assert!(second.due_at <= ends, "it was due when its lease ended");
    subject.advance(LEASE).await;
    let third = claim_one(store, "mail").await;
    assert_eq!((third.attempts, third.lost), (3, 2));
}

/// Renewing moves the end of a lease.
pub async fn a_renewed_lease_holds<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    record_some(store, "mail", 3).await;
    let claimed = claim(store, "mail", 10).await;
    complete(store, &claimed[0]).await;
    subject.advance(LEASE - 5 * SECOND).await;
    let renewed = store.renew(&leases(&claimed), LEASE).await.unwrap();
    assert_eq!(BTreeSet::from_iter(renewed), BTreeSet::from_iter(ids(&claimed[1..])));
    subject.advance(LEASE - 5 * SECOND).await;
    nothing_is_due(store, "mail").await;
    subject.advance(10 * SECOND).await;
    assert_eq!(claim(store, "mail", 10).await.len(), 2);
}

/// Whoever lost a delivery to another claim can neither end it nor keep it.
pub async fn an_older_lease_ends_nothing<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    record(store, &event(&["mail"])).await;
    let old = claim_one(store, "mail").await;
    subject.advance(LEASE).await;
    let new = claim_one(store, "mail").await;
    nobody_ends(store, old.lease).await;
    let delivery = get(store, new.lease.delivery).await;
    assert_eq!((delivery.state, delivery.attempts, delivery.last_error), (State::Running, 2, None));
    complete(store, &new).await;
}

/// A lease that is not the current one changes nothing.
async fn nobody_ends<S: Store>(store: &S, lease: Lease) {
    assert!(store.renew(&[lease], LEASE).await.unwrap().is_empty(), "renewed");
    assert!(store.complete(&[lease], false).await.unwrap().is_empty(), "completed");
    assert!(store.complete(&[lease], true).await.unwrap().is_empty(), "completed and kept");
    assert!(store.give_back(&[lease]).await.unwrap().is_empty(), "given back");
    for then in [Then::Retry(SECOND), Then::Dead, Then::DeadKeyGoesOn] {
        assert!(store.fail(&[Failure { lease, then, error: String::new() }]).await.unwrap().is_empty(), "{then:?}");
    }
}

/// The same for a completion within a transaction.
pub async fn an_older_lease_ends_nothing_within_a_transaction<S: Subject>(subject: Arc<S>) {
    if S::TRANSACTIONS {
        let store = subject.store();
        record(store, &event(&["mail"])).await;
        let old = claim_one(store, "mail").await;
        subject.advance(LEASE).await;
        let new = claim_one(store, "mail").await;
        for keep in [false, true] {
            let mut transaction = store.begin().await.unwrap();
            assert!(!store.complete_within(&mut transaction, old.lease, keep).await.unwrap());
            S::Store::commit(transaction).await.unwrap();
        }
        assert_eq!(state(store, new.lease.delivery).await, State::Running);
        complete(store, &new).await;
    }
}

/// Each way in which a delivery leaves a claim makes the lease void.
pub async fn a_delivery_ends_once<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    record_some(store, "mail", 5).await;
    let claimed = claim(store, "mail", 10).await;
    assert_eq!(claimed.len(), 5);
    complete(store, &claimed[0]).await;
    assert_eq!(store.complete(&[claimed[1].lease], true).await.unwrap().len(), 1);
    fail(store, &claimed[2], Then::Retry(MINUTE)).await;
    fail(store, &claimed[3], Then::Dead).await;
    give_back(store, &claimed[4]).await;
    for claimed in &claimed {
        nobody_ends(store, claimed.lease).await;
    }
    let states: Vec<_> = list(store, &Filter::default()).await.into_iter().map(|delivery| delivery.state).collect();
    assert_eq!(states, [State::Done, State::Ready, State::Dead, State::Ready]);
}

/// A completion in a transaction stands or falls with it, and with what else it records.
pub async fn a_completion_within_a_transaction_is_committed_with_it<S: Subject>(subject: Arc<S>) {
    for keep in [false, true].into_iter().filter(|_| S::TRANSACTIONS) {
        let store = subject.store();
        record(store, &event(&["mail"])).await;
        let claimed = claim_one(store, "mail").await;
        let next = event(&["next"]);
        let mut transaction = store.begin().await.unwrap();
        store.record(&mut transaction, &next).await.unwrap();
        assert!(store.complete_within(&mut transaction, claimed.lease, keep).await.unwrap());
        S::Store::rollback(transaction).await.unwrap();
        assert_eq!(state(store, claimed.lease.delivery).await, State::Running);
        nothing_is_due(store, "next").await;

        let mut transaction = store.begin().await.unwrap();
        store.record(&mut transaction, &next).await.unwrap();
        assert!(store.complete_within(&mut transaction, claimed.lease, keep).await.unwrap());
        S::Store::commit(transaction).await.unwrap();
        complete(store, &claim_one(store, "next").await).await;
        let done = store.count(&Filter { state: Some(State::Done), ..Filter::default() }).await.unwrap();
        assert_eq!((done, store.count(&Filter::default()).await.unwrap()), (u64::from(keep), u64::from(keep)));
        nobody_ends(store, claimed.lease).await;
    }
}

/// A failed delivery is due again when it was said, with its error.
pub async fn a_failed_delivery_is_tried_again<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    record(store, &event(&["mail"])).await;
    let first = claim_one(store, "mail").await;
    fail(store, &first, Then::Retry(MINUTE)).await;
    nothing_is_due(store, "mail").await;
    let delivery = get(store, first.lease.delivery).await;
    assert_eq!((delivery.state, delivery.last_error.as_deref()), (State::Ready, Some("it rains")));
    subject.advance(MINUTE).await;
    let second = claim_one(store, "mail").await;
    assert_eq!((second.attempts, second.lost), (2, 0));
    fail(store, &second, Then::Retry(Duration::ZERO)).await;
    assert_eq!(claim_one(store, "mail").await.attempts, 3);
}

/// A dead delivery stays, with its error, and is never claimed.
pub async fn a_dead_delivery_is_not_claimed<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    record_some(store, "mail", 2).await;
    let claimed = claim(store, "mail", 2).await;
    fail(store, &claimed[0], Then::Dead).await;
    fail(store, &claimed[1], Then::DeadKeyGoesOn).await;
    subject.advance(10 * MINUTE).await;
    nothing_is_due(store, "mail").await;
    assert_eq!(store.next_due(&[wanted("mail", 1)]).await.unwrap(), None);
    for delivery in list(store, &Filter::default()).await {
        assert_eq!((delivery.state, delivery.last_error.as_deref()), (State::Dead, Some("it rains")));
        assert!(delivery.finished_at.is_some());
    }
}

/// What is given back is due at once, and was not tried.
pub async fn what_is_given_back_costs_no_attempt<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    record(store, &event(&["mail"])).await;
    for _ in 0..3 {
        let claimed = claim_one(store, "mail").await;
        assert_eq!((claimed.attempts, claimed.lost), (1, 0));
        give_back(store, &claimed).await;
        assert_eq!(state(store, claimed.lease.delivery).await, State::Ready);
    }
}

/// What was given back is not forgiven: it may be what killed the others.
pub async fn giving_back_keeps_how_often_the_lease_was_lost<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    record(store, &event(&["mail"])).await;
    claim_one(store, "mail").await;
    subject.advance(LEASE).await;
    let taken_over = claim_one(store, "mail").await;
    assert_eq!((taken_over.attempts, taken_over.lost), (2, 1));
    give_back(store, &taken_over).await;
    let again = claim_one(store, "mail").await;
    assert_eq!((again.attempts, again.lost), (2, 1));
}

/// An attempt that ends by itself, however, proves that the delivery kills nobody.
pub async fn a_failure_forgets_how_often_the_lease_was_lost<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    record(store, &event(&["mail"])).await;
    claim_one(store, "mail").await;
    subject.advance(LEASE).await;
    let taken_over = claim_one(store, "mail").await;
    fail(store, &taken_over, Then::Retry(Duration::ZERO)).await;
    let again = claim_one(store, "mail").await;
    assert_eq!((again.attempts, again.lost), (3, 0));
}

/// A claim whose future is dropped, after however many polls, claims all or nothing, and what it claimed is not lost.
pub async fn a_dropped_claim_leaves_all_or_nothing<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    record_some(store, "mail", 5).await;
    let running = Filter { state: Some(State::Running), ..Filter::default() };
    for polls in 0..1000 {
        let wanted = [wanted("mail", 10)];
        let done = polled(store.claim(&Claim { owner: Uuid::nil(), lease: LEASE, wanted: &wanted }), polls).await;
        for _ in 0..5 {
            let count = store.count(&running).await.unwrap();
            assert!(count == 0 || count == 5, "{count} of 5 deliveries after {polls} polls");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if done.is_some() {
            return;
        }
        subject.advance(LEASE).await;
    }
    panic!("claiming does not end");
}

/// A transaction whose beginning is dropped, after however many polls, leaves nothing locked.
pub async fn a_dropped_begin_holds_nothing_up<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    for polls in (0..1000).take_while(|_| S::TRANSACTIONS) {
        let done = polled(store.begin(), polls).await;
        let ended = done.is_some();
        drop(done);
        record(store, &event(&["mail"])).await;
        complete(store, &claim_one(store, "mail").await).await;
        if ended {
            return;
        }
    }
    assert!(!S::TRANSACTIONS, "beginning does not end");
}

/// Many workers that claim and complete at once get each delivery once.
pub async fn concurrent_claims_give_nothing_twice<S: Subject>(subject: Arc<S>) {
    for _ in 0..300 {
        record(subject.store(), &event(&["mail", "bill"])).await;
    }
    let mut workers = JoinSet::new();
    for worker in 0..8 {
        let subject = Arc::clone(&subject);
        workers.spawn(async move {
            let store = subject.store();
            let mut mine = Vec::new();
            while store.count(&Filter::default()).await.unwrap() > 0 {
                let claimed = claim_all(store, &[wanted("mail", 5 + worker), wanted("bill", 7)]).await;
                assert!(claimed.iter().all(|claimed| (claimed.attempts, claimed.lost) == (1, 0)));
                tokio::task::yield_now().await;
                let completed = store.complete(&leases(&claimed), false).await.unwrap();
                assert_eq!(completed.len(), claimed.len());
                mine.extend(completed);
            }
            mine
        });
    }
    let all: Vec<_> = workers.join_all().await.into_iter().flatten().collect();
    assert_eq!((all.len(), BTreeSet::from_iter(all).len()), (600, 600));
}

/// The store tells when the next delivery can be claimed.
pub async fn the_next_delivery_is_announced_in_time<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    let mail = [wanted("mail", 1)];
    let next = async || store.next_due(&mail).await.unwrap();
    assert_eq!(next().await, None);
    record(store, &NewEvent { due: Due::In(10 * MINUTE), ..event(&["mail"]) }).await;
    assert_about(next().await, 10 * MINUTE);
    record(store, &keyed("k", &["mail"])).await;
    assert_eq!(next().await, Some(Duration::ZERO));
    assert_eq!(store.next_due(&[wanted("mail", 0)]).await.unwrap(), None);
    record(store, &keyed("k", &["mail"])).await;
    let claimed = claim(store, "mail", 1).await;
    // The one behind its key does not count.
    assert_about(next().await, LEASE);
    subject.advance(MINUTE).await;
    assert_eq!(next().await, Some(Duration::ZERO), "the lease has ended");
    fail(store, &claimed[0], Then::Dead).await;
    assert_about(next().await, 9 * MINUTE);
}

fn assert_about(next: Option<Duration>, expected: Duration) {
    let next = next.expect("something is due later");
    assert!(next <= expected && next + 5 * SECOND > expected, "{next:?}, not about {expected:?}");
}
