//! Rules for those who look after deliveries.

use super::*;

/// Makes so many dead deliveries.
async fn bury<S: Store>(store: &S, handler: &str, count: u32) -> Vec<Claimed> {
    record_some(store, handler, usize::try_from(count).unwrap()).await;
    let claimed = claim(store, handler, count).await;
    for claimed in &claimed {
        fail(store, claimed, Then::Dead).await;
    }
    claimed
}

fn of_handler(handler: &str) -> Filter {
    Filter { handler: Some(handler.into()), ..Filter::default() }
}

fn in_state(state: State) -> Filter {
    Filter { state: Some(state), ..Filter::default() }
}

/// A dead delivery that is retried is due at once, its attempts are counted anew, and earlier claims stay void.
pub async fn a_retried_delivery_starts_anew<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    record(store, &event(&["mail"])).await;
    let first = claim_one(store, "mail").await;
    subject.advance(LEASE).await;
    let second = claim_one(store, "mail").await;
    fail(store, &second, Then::Dead).await;
    assert_eq!(store.retry(&Filter::default(), 10).await.unwrap(), 1);
    let delivery = get(store, second.lease.delivery).await;
    assert_eq!((delivery.state, delivery.attempts, delivery.finished_at), (State::Ready, 0, None));
    let third = claim_one(store, "mail").await;
    assert_eq!((third.attempts, third.lost), (1, 0));
    assert!(third.lease.token > second.lease.token);
    assert!(store.complete(&[first.lease, second.lease], false).await.unwrap().is_empty());
    complete(store, &third).await;
}

/// Retrying and discarding take so many dead deliveries, the first ones first.
pub async fn retrying_and_discarding_stop_at_the_limit<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    let dead: Vec<_> = ids(&bury(store, "mail", 7).await);
    assert_eq!(store.retry(&Filter::default(), 2).await.unwrap(), 2);
    assert_eq!(BTreeSet::from_iter(ids(&claim(store, "mail", 10).await)), BTreeSet::from_iter(dead[..2].to_vec()));
    assert_eq!(store.discard(&Filter::default(), 3).await.unwrap(), 3);
    let left: Vec<_> = list(store, &in_state(State::Dead)).await.iter().map(|delivery| delivery.id).collect();
    assert_eq!(left, dead[5..]);
    assert_eq!(store.discard(&Filter::default(), 3).await.unwrap(), 2);
    assert_eq!(store.discard(&Filter::default(), 3).await.unwrap(), 0);
}

/// Filters choose among the dead; nothing else is touched, whatever the filter says.
pub async fn only_dead_deliveries_are_retried_or_discarded<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    let dead = bury(store, "mail", 2).await;
    bury(store, "bill", 1).await;
    record(store, &event(&["mail"])).await;
    for filter in [in_state(State::Ready), of_handler("ship"), Filter { older_than: Some(MINUTE), ..Filter::default() }]
    {
        assert_eq!(store.retry(&filter, 10).await.unwrap(), 0, "{filter:?}");
        assert_eq!(store.discard(&filter, 10).await.unwrap(), 0, "{filter:?}");
    }
    let one = Filter { delivery: Some(dead[0].lease.delivery), state: Some(State::Dead), ..of_handler("mail") };
    assert_eq!(store.retry(&one, 10).await.unwrap(), 1);
    assert_eq!(store.retry(&one, 10).await.unwrap(), 0);
    assert_eq!(store.discard(&of_handler("mail"), 10).await.unwrap(), 1);
    assert_eq!(store.count(&in_state(State::Dead)).await.unwrap(), 1);
    assert_eq!(store.count(&in_state(State::Ready)).await.unwrap(), 2);
}

/// Unfinished and dead deliveries are counted, and how long they have been due.
pub async fn deliveries_are_counted_by_kind<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    assert!(store.counts().await.unwrap().is_empty());
    record(store, &keyed("k", &["mail", "bill"])).await;
    record(store, &NewEvent { version: 2, ..keyed("k", &["mail"]) }).await;
    record(store, &NewEvent { due: Due::In(10 * MINUTE), ..event(&["later"]) }).await;
    claim(store, "mail", 10).await;
    for then in [Then::Dead, Then::DeadKeyGoesOn] {
        record(store, &event(&["dead"])).await;
        fail(store, &claim_one(store, "dead").await, then).await;
    }
    record(store, &event(&["done"])).await;
    store.complete(&leases(&claim(store, "done", 1).await), true).await.unwrap();
    subject.advance(MINUTE).await;

    let counts = store.counts().await.unwrap();
    assert!(counts.iter().all(|count| count.event_name == EVENT));
    let count = |handler: &str, version: u32, state: State| {
        let mut found = counts.iter().filter(|c| (&*c.handler, c.version, c.state) == (handler, version, state));
        let count = found.next().unwrap_or_else(|| panic!("{handler} {version} {state:?} in {counts:?}"));
        assert!(found.next().is_none(), "counted twice: {counts:?}");
        (count.count, count.oldest_due.map(|due| due.as_secs() / 60))
    };
    assert_eq!(count("mail", 1, State::Running), (1, Some(0)), "its lease has ended");
    assert_eq!(count("bill", 1, State::Ready), (1, Some(1)));
    assert_eq!(count("later", 1, State::Ready), (1, None));
    assert_eq!(count("dead", 1, State::Dead).0, 2);
    // A store may tell that it waits once somebody would have claimed it.
    let behind = counts.iter().find(|count| count.version == 2).unwrap();
    assert!(matches!(behind.state, State::Waiting | State::Ready), "{behind:?}");
    assert_eq!(counts.len(), 5, "what is done does not count: {counts:?}");
}

/// Pages of deliveries follow each other without a gap.
pub async fn deliveries_are_listed_page_by_page<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    let all = record_some(store, "mail", 23).await;
    assert!(all.is_sorted());
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = store.list(&Filter::default(), after, 5).await.unwrap();
        assert!(page.len() <= 5);
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        seen.extend(page.iter().map(|delivery| delivery.id));
    }
    assert_eq!(seen, all);
    assert!(store.list(&Filter::default(), None, 0).await.unwrap().is_empty());
}

/// Filters are joined by *and*, for lists and counts alike.
pub async fn a_filter_lets_pass_what_fits_all_of_it<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    record_some(store, "mail", 3).await;
    subject.advance(MINUTE).await;
    let cancelled = NewEvent { name: "orders.cancelled", ..event(&["mail", "bill"]) };
    record(store, &cancelled).await;
    claim(store, "mail", 1).await;
    let named = Filter { event_name: Some(cancelled.name.into()), ..Filter::default() };
    let old = Filter { older_than: Some(MINUTE / 2), ..Filter::default() };
    let cases = [
        (Filter::default(), 5),
        (of_handler("mail"), 4),
        (of_handler("ship"), 0),
        (named.clone(), 2),
        (of_event(&cancelled), 2),
        (Filter { event_id: Some(EventId::new()), ..Filter::default() }, 0),
        (in_state(State::Running), 1),
        (in_state(State::Ready), 4),
        (in_state(State::Waiting), 0),
        (old.clone(), 3),
        (Filter { older_than: Some(Duration::ZERO), ..Filter::default() }, 5),
        (Filter { handler: Some("mail".into()), ..named }, 1),
        (Filter { handler: Some("bill".into()), ..old.clone() }, 0),
        (Filter { handler: Some("mail".into()), state: Some(State::Ready), ..old }, 2),
    ];
    for (filter, count) in cases {
        assert_eq!(store.count(&filter).await.unwrap(), count, "{filter:?}");
        let listed = list(store, &filter).await.len();
        assert_eq!(u64::try_from(listed).unwrap(), count, "{filter:?}");
    }
}

/// A delivery that is looked at says what was recorded and what became of it.
pub async fn a_delivery_tells_what_became_of_it<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    let event = NewEvent { version: 1, headers: Some(r#"{"a": "b"}"#), ..keyed("k", &["mail"]) };
    record(store, &event).await;
    let new = list(store, &Filter::default()).await.remove(0);
    assert_eq!((&*new.handler, new.event_id, &*new.event_name, new.version), ("mail", event.event_id, EVENT, 1));
    assert_eq!((new.key.as_deref(), new.headers.as_deref()), (Some("k"), event.headers));
    assert_eq!((new.state, new.attempts, &new.last_error, new.finished_at), (State::Ready, 0, &None, None));
    assert_eq!(new.due_at, new.recorded_at);
    let claimed = claim_one(store, "mail").await;
    let running = get(store, new.id).await;
    assert_eq!((running.state, running.attempts), (State::Running, 1));
    assert!(running.due_at > new.due_at, "the end of its lease");
    fail(store, &claimed, Then::Dead).await;
    let dead = get(store, new.id).await;
    assert_eq!((dead.state, dead.attempts, dead.last_error.as_deref()), (State::Dead, 1, Some("it rains")));
    assert!(dead.finished_at.is_some());
    store.retry(&Filter::default(), 1).await.unwrap();
    let claimed = claim_one(store, "mail").await;
    store.complete(&[claimed.lease], true).await.unwrap();
    let done = get(store, new.id).await;
    assert_eq!((done.state, done.last_error), (State::Done, None));
    assert!(done.finished_at.is_some());
}

/// The payload can be read while the delivery is there.
pub async fn the_event_of_a_delivery_can_be_read<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    let event = NewEvent { payload: r#"{"a": 1}"#, headers: Some("{}"), ..event(&["mail"]) };
    record(store, &event).await;
    let claimed = claim_one(store, "mail").await;
    let stored = store.event_of(claimed.lease.delivery).await.unwrap().unwrap();
    assert_eq!((stored.row, stored.event_id), (claimed.event, event.event_id));
    assert_eq!((&*stored.payload, stored.headers.as_deref()), (event.payload, event.headers));
    complete(store, &claimed).await;
    assert!(store.event_of(claimed.lease.delivery).await.unwrap().is_none());
}

/// An event goes once it has no delivery any more, and not before.
pub async fn a_purge_keeps_what_has_deliveries<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    let event = event(&["mail", "bill", "ship"]);
    record(store, &event).await;
    let mail = claim_one(store, "mail").await;
    fail(store, &claim_one(store, "bill").await, Then::Dead).await;
    subject.advance(MINUTE).await;
    let (all, none) = (Duration::ZERO, Duration::ZERO);
    assert_eq!(store.purge(all, none).await.unwrap(), 0);
    assert!(store.complete(&[mail.lease], false).await.unwrap().len() == 1);
    assert_eq!(store.discard(&Filter::default(), 1).await.unwrap(), 1);
    assert_eq!(store.purge(all, none).await.unwrap(), 0, "ship is not done");
    complete(store, &claim_one(store, "ship").await).await;
    assert_eq!(store.record_alone(&event).await.unwrap(), Recorded::Already);
    assert_eq!(store.purge(all, none).await.unwrap(), 1);
    assert_eq!(store.record_alone(&event).await.unwrap(), Recorded::New, "nobody knows it any more");
}

/// An event from elsewhere is known for as long as it could be received again.
pub async fn a_purge_keeps_received_events_for_a_while<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    let event = NewEvent { received: true, ..event(&["mail"]) };
    record(store, &event).await;
    let unhandled = NewEvent { received: true, ..super::event(&[]) };
    record(store, &unhandled).await;
    complete(store, &claim_one(store, "mail").await).await;
    assert_eq!(store.purge(Duration::ZERO, MINUTE).await.unwrap(), 0);
    assert_eq!(store.record_alone(&event).await.unwrap(), Recorded::Already);
    subject.advance(MINUTE).await;
    assert_eq!(store.purge(Duration::ZERO, 2 * MINUTE).await.unwrap(), 0);
    assert_eq!(store.purge(Duration::ZERO, MINUTE).await.unwrap(), 2);
    assert_eq!(store.record_alone(&event).await.unwrap(), Recorded::New);
}

/// What is done is kept as long as it was said; dead ones are kept.
pub async fn a_purge_keeps_what_is_done_for_a_while<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    bury(store, "bill", 1).await;
    record_some(store, "mail", 3).await;
    let claimed = claim(store, "mail", 3).await;
    store.complete(&leases(&claimed[..1]), true).await.unwrap();
    subject.advance(LEASE - 5 * SECOND).await;
    store.complete(&leases(&claimed[1..]), true).await.unwrap();
    subject.advance(5 * SECOND).await;
    let purge = async |keep_done| store.purge(keep_done, Duration::ZERO).await.unwrap();
    assert_eq!(purge(MINUTE).await, 0);
    assert_eq!(purge(LEASE).await, 2, "one delivery, and its event");
    subject.advance(LEASE).await;
    assert_eq!(purge(LEASE).await, 4);
    assert_eq!(store.count(&Filter::default()).await.unwrap(), 1, "the dead one");
}

/// However much there is to purge, it goes in small portions, and ends.
pub async fn a_purge_ends<S: Subject>(subject: Arc<S>) {
    let store = subject.store();
    for number in 0..1300 {
        let handlers: &[&str] = if number % 100 == 99 { &["mail"] } else { &[] };
        record(store, &event(handlers)).await;
    }
    let mut purged = Vec::new();
    for _ in 0..100 {
        match store.purge(Duration::ZERO, Duration::ZERO).await.unwrap() {
            0 => break,
            some => purged.push(some),
        }
    }
    assert!(purged.iter().all(|purged| *purged < 1000), "small portions: {purged:?}");
    assert_eq!(purged.iter().sum::<u64>(), 1287, "{purged:?}");
    assert_eq!(claim(store, "mail", 100).await.len(), 13);
}

/// The store's time passes.
pub async fn time_passes<S: Subject>(subject: Arc<S>) {
    let before = subject.store().now().await.unwrap();
    record(subject.store(), &event(&["mail"])).await;
    let recorded_at = list(subject.store(), &Filter::default()).await[0].recorded_at;
    assert!(recorded_at + SECOND > before && recorded_at < before + MINUTE, "{recorded_at:?}, {before:?}");
    assert!(subject.store().now().await.unwrap() >= before);
}
