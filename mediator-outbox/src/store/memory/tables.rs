//! The rows, and what finds them: each query takes as long as what it returns, times a logarithm.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use mediator_core::EventId;

use crate::store::{
    Claim, Claimed, Count, Delivery, DeliveryId, Due, EventRow, Failure, Filter, Lease, NewEvent, Recorded, State,
    StoredEvent, Then, Wanted,
};

/// How many rows a purge deletes of each kind.
const PURGED_AT_ONCE: usize = 500;

/// Deliveries by the time at which they are due, then in the order of recording.
type ByTime = BTreeSet<(SystemTime, DeliveryId)>;
type Name = Arc<str>;

#[derive(Default)]
pub(super) struct Tables {
    events: BTreeMap<EventRow, Event>,
    event_rows: HashMap<EventId, EventRow>,
    /// Events without deliveries.
    idle: BTreeSet<EventRow>,
    deliveries: BTreeMap<DeliveryId, Row>,
    /// Ready and running ones, by handler, event and version.
    due: BTreeMap<Name, BTreeMap<Name, BTreeMap<u32, ByTime>>>,
    /// Those that hold the place of their key, by handler and key.
    keys: HashMap<(Name, Name), BTreeSet<DeliveryId>>,
    dead: BTreeSet<DeliveryId>,
    done: ByTime,
    unfinished: usize,
    last_event: EventRow,
    last_delivery: DeliveryId,
    names: HashSet<Name>,
}

/// So long from now, or in a thousand years.
pub(super) fn later(now: SystemTime, delay: Duration) -> SystemTime {
    const THOUSAND_YEARS: Duration = Duration::from_secs(31_557_600_000);
    now + delay.min(THOUSAND_YEARS)
}

struct Event {
    event_id: EventId,
    payload: String,
    headers: Option<String>,
    received: bool,
    recorded_at: SystemTime,
    deliveries: BTreeSet<DeliveryId>,
}

struct Row {
    event: EventRow,
    handler: Name,
    name: Name,
    version: u32,
    key: Option<Name>,
    state: State,
    /// It is dead, and its key goes on.
    passed: bool,
    due_at: SystemTime,
    attempts: u32,
    lost: u32,
    token: i64,
    last_error: Option<String>,
    recorded_at: SystemTime,
    finished_at: Option<SystemTime>,
}

impl Row {
    /// The key whose place it holds.
    fn place(&self) -> Option<(Name, Name)> {
        let key = self.key.clone()?;
        (!self.passed && self.state != State::Done).then(|| (Arc::clone(&self.handler), key))
    }

    fn unfinished(&self) -> bool {
        matches!(self.state, State::Ready | State::Running | State::Waiting)
    }

    fn wait_until(&mut self, state: State, due_at: SystemTime) {
        self.state = state;
        self.passed = false;
        self.due_at = due_at;
        self.finished_at = None;
    }
}

impl Tables {
    /// How many deliveries are ready, running or waiting.
    pub(super) fn unfinished(&self) -> usize {
        self.unfinished
    }

    pub(super) fn knows(&self, event: EventId) -> bool {
        self.event_rows.contains_key(&event)
    }

    pub(super) fn record(&mut self, new: &NewEvent<'_>, now: SystemTime) -> Recorded {
        if self.knows(new.event_id) {
            return Recorded::Already;
        }
        self.last_event += 1;
        let event = self.last_event;
        self.event_rows.insert(new.event_id, event);
        self.events.insert(
            event,
            Event {
                event_id: new.event_id,
                payload: new.payload.to_owned(),
                headers: new.headers.map(str::to_owned),
                received: new.received,
                recorded_at: now,
                deliveries: BTreeSet::new(),
            },
        );
        self.idle.insert(event);
        let name = self.name(new.name);
        let key: Option<Name> = new.key.map(Arc::from);
        for handler in new.handlers {
            let handler = self.name(handler);
            let taken = key.as_ref().is_some_and(|key| self.head(&(Arc::clone(&handler), Arc::clone(key))).is_some());
            self.last_delivery += 1;
            let row = Row {
                event,
                handler,
                name: Arc::clone(&name),
                version: new.version,
                key: key.clone(),
                state: if taken { State::Waiting } else { State::Ready },
                passed: false,
                due_at: match new.due {
                    Due::Now => now,
                    Due::At(time) => time,
                    Due::In(delay) => later(now, delay),
                },
                attempts: 0,
                lost: 0,
                token: 0,
                last_error: None,
                recorded_at: now,
                finished_at: None,
            };
            self.insert(self.last_delivery, row);
        }
        Recorded::New
    }

    pub(super) fn claim(&mut self, claim: &Claim<'_>, now: SystemTime) -> Vec<Claimed> {
        let mut claimed = Vec::new();
        for wanted in claim.wanted {
            let limit = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
            let mut due: Vec<_> = self
                .due(wanted)
                .flat_map(|rows| {
                    rows.range(..=(now, DeliveryId::MAX)).filter(|row| self.heads_its_key(row.1)).take(limit)
                })
                .copied()
                .collect();
            due.sort_unstable();
            due.truncate(limit);
            claimed.extend(due.into_iter().map(|(due_at, id)| self.start(id, due_at, later(now, claim.lease))));
        }
        claimed.sort_unstable_by_key(|claimed| (claimed.due_at, claimed.lease.delivery));
        claimed
    }

    fn start(&mut self, id: DeliveryId, was_due_at: SystemTime, until: SystemTime) -> Claimed {
        self.change(id, |row| {
            row.lost += u32::from(row.state == State::Running);
            row.attempts += 1;
            row.token += 1;
            row.wait_until(State::Running, until);
            Claimed {
                lease: Lease { delivery: id, token: row.token },
                attempts: row.attempts,
                lost: row.lost,
                handler: row.handler.to_string(),
                event_name: row.name.to_string(),
                version: row.version,
                key: row.key.as_ref().map(ToString::to_string),
                event: row.event,
                recorded_at: row.recorded_at,
                due_at: was_due_at,
            }
        })
    }

    pub(super) fn events(&self, events: &[EventRow]) -> Vec<StoredEvent> {
        let rows: BTreeSet<_> = events.iter().copied().collect();
        rows.into_iter().filter_map(|row| self.event(row)).collect()
    }

    pub(super) fn event_of(&self, delivery: DeliveryId) -> Option<StoredEvent> {
        self.event(self.deliveries.get(&delivery)?.event)
    }

    fn event(&self, row: EventRow) -> Option<StoredEvent> {
        let event = self.events.get(&row)?;
        let (payload, headers) = (event.payload.clone(), event.headers.clone());
        Some(StoredEvent { row, event_id: event.event_id, payload, headers })
    }

    pub(super) fn renew(&mut self, leases: &[Lease], until: SystemTime) -> Vec<DeliveryId> {
        self.each(leases, |tables, id| tables.change(id, |row| row.due_at = until))
    }

    pub(super) fn complete(&mut self, leases: &[Lease], keep: bool, now: SystemTime) -> Vec<DeliveryId> {
        self.each(leases, |tables, id| {
            if keep {
                tables.change(id, |row| {
                    row.token += 1;
                    row.state = State::Done;
                    row.lost = 0;
                    row.last_error = None;
                    row.finished_at = Some(now);
                });
            } else {
                tables.remove(id);
            }
        })
    }

    pub(super) fn fail(&mut self, failures: &[Failure], now: SystemTime) -> Vec<DeliveryId> {
        let mut failed = Vec::new();
        for failure in failures {
            failed.extend(self.each(&[failure.lease], |tables, id| {
                tables.change(id, |row| {
                    row.token += 1;
                    row.lost = 0;
                    row.last_error = Some(failure.error.clone());
                    match failure.then {
                        Then::Retry(delay) => return row.wait_until(State::Ready, later(now, delay)),
                        Then::Dead => {}
                        Then::DeadKeyGoesOn => row.passed = true,
                    }
                    row.state = State::Dead;
                    row.finished_at = Some(now);
                });
            }));
        }
        failed
    }

    pub(super) fn give_back(&mut self, leases: &[Lease], now: SystemTime) -> Vec<DeliveryId> {
        self.each(leases, |tables, id| {
            tables.change(id, |row| {
                row.token += 1;
                row.attempts -= 1;
                row.wait_until(State::Ready, now);
            });
        })
    }

    pub(super) fn next_due(&self, wanted: &[Wanted<'_>]) -> Option<SystemTime> {
        let wanted = wanted.iter().filter(|wanted| wanted.limit > 0);
        let first = |rows: &ByTime| rows.iter().find(|row| self.heads_its_key(row.1)).map(|row| row.0);
        wanted.flat_map(|wanted| self.due(wanted)).filter_map(first).min()
    }

    pub(super) fn unschedule(&mut self, event: EventId) -> u64 {
        let event = self.event_rows.get(&event).and_then(|row| self.events.get(row));
        let deliveries = event.map(|event| event.deliveries.iter().copied().collect::<Vec<_>>()).unwrap_or_default();
        let is_unstarted = |row: &Row| matches!(row.state, State::Ready | State::Waiting) && row.attempts == 0;
        let unstarted: Vec<_> = deliveries.into_iter().filter(|id| is_unstarted(&self.deliveries[id])).collect();
        self.remove_all(unstarted)
    }

    pub(super) fn counts(&self, now: SystemTime) -> Vec<Count> {
        let mut counts: BTreeMap<_, (u64, SystemTime)> = BTreeMap::new();
        for row in self.deliveries.values().filter(|row| row.state != State::Done) {
            let kind = (&row.handler, &row.name, row.version, row.state);
            let (count, first) = counts.entry(kind).or_insert((0, row.due_at));
            *count += 1;
            *first = row.due_at.min(*first);
        }
        let count =
            |((handler, name, version, state), (count, first)): ((&Name, &Name, _, _), (_, SystemTime))| Count {
                handler: handler.to_string(),
                event_name: name.to_string(),
                version,
                state,
                count,
                oldest_due: now.duration_since(first).ok(),
            };
        counts.into_iter().map(count).collect()
    }

    pub(super) fn list(
        &self,
        filter: &Filter,
        after: Option<DeliveryId>,
        limit: u32,
        now: SystemTime,
    ) -> Vec<Delivery> {
        let rows = self.deliveries.range(after.map_or(0, |after| after.saturating_add(1))..);
        let chosen = rows.filter(|(id, row)| self.fits(**id, row, filter, now));
        chosen.take(usize::try_from(limit).unwrap_or(usize::MAX)).map(|(id, row)| self.delivery(*id, row)).collect()
    }

    pub(super) fn count(&self, filter: &Filter, now: SystemTime) -> u64 {
        let chosen = self.deliveries.iter().filter(|(id, row)| self.fits(**id, row, filter, now));
        chosen.fold(0, |count, _| count + 1)
    }

    pub(super) fn retry(&mut self, filter: &Filter, limit: u32, now: SystemTime) -> u64 {
        let dead = self.dead(filter, limit, now);
        for &id in &dead {
            let row = &self.deliveries[&id];
            let place = row.key.clone().map(|key| (Arc::clone(&row.handler), key));
            let behind = place.and_then(|place| self.head(&place)).is_some_and(|head| head < id);
            self.change(id, |row| {
                row.attempts = 0;
                row.lost = 0;
                row.token += 1;
                row.wait_until(if behind { State::Waiting } else { State::Ready }, now);
            });
        }
        u64::try_from(dead.len()).expect("as many as there are rows")
    }

    pub(super) fn discard(&mut self, filter: &Filter, limit: u32, now: SystemTime) -> u64 {
        let dead = self.dead(filter, limit, now);
        self.remove_all(dead)
    }

    pub(super) fn purge(&mut self, keep_done: Duration, keep_received: Duration, now: SystemTime) -> u64 {
        let is_old = |time: SystemTime, keep| now.duration_since(time).is_ok_and(|age| age >= keep);
        let done = self.done.iter().take_while(|(finished_at, _)| is_old(*finished_at, keep_done));
        let done: Vec<_> = done.take(PURGED_AT_ONCE).map(|row| row.1).collect();
        let done = self.remove_all(done);
        let is_unneeded = |row: &&EventRow| {
            let event = &self.events[*row];
            !event.received || is_old(event.recorded_at, keep_received)
        };
        let events: Vec<_> = self.idle.iter().filter(is_unneeded).take(PURGED_AT_ONCE).copied().collect();
        for row in &events {
            self.idle.remove(row);
            let event = self.events.remove(row).expect("idle events exist");
            self.event_rows.remove(&event.event_id);
        }
        done + u64::try_from(events.len()).expect("a few hundred")
    }

    fn name(&mut self, name: &str) -> Name {
        if let Some(name) = self.names.get(name) {
            return Arc::clone(name);
        }
        let name: Name = Arc::from(name);
        self.names.insert(Arc::clone(&name));
        name
    }

    /// The rows of the versions that are wanted.
    fn due(&self, wanted: &Wanted<'_>) -> impl Iterator<Item = &ByTime> {
        let versions = self.due.get(wanted.handler).and_then(|events| events.get(wanted.event));
        let last = wanted.version;
        versions.into_iter().flat_map(move |versions| versions.range(..=last).map(|(_, rows)| rows))
    }

    fn head(&self, place: &(Name, Name)) -> Option<DeliveryId> {
        self.keys.get(place)?.first().copied()
    }

    fn heads_its_key(&self, id: DeliveryId) -> bool {
        self.deliveries[&id].place().is_none_or(|place| self.head(&place) == Some(id))
    }

    /// Does something to each delivery whose lease holds, and returns these.
    fn each(&mut self, leases: &[Lease], mut change: impl FnMut(&mut Self, DeliveryId)) -> Vec<DeliveryId> {
        let mut changed = Vec::new();
        for lease in leases {
            if self.deliveries.get(&lease.delivery).is_some_and(|row| row.token == lease.token) {
                change(self, lease.delivery);
                changed.push(lease.delivery);
            }
        }
        changed
    }

    fn change<R>(&mut self, id: DeliveryId, change: impl FnOnce(&mut Row) -> R) -> R {
        let mut row = self.take(id).expect("the delivery was looked up");
        let place = row.place();
        let result = change(&mut row);
        let leaves = row.place().is_none();
        self.insert(id, row);
        if leaves {
            self.release(place);
        }
        result
    }

    fn remove(&mut self, id: DeliveryId) {
        if let Some(row) = self.take(id) {
            self.release(row.place());
        }
    }

    fn remove_all(&mut self, ids: Vec<DeliveryId>) -> u64 {
        let count = u64::try_from(ids.len()).expect("as many as there are rows");
        ids.into_iter().for_each(|id| self.remove(id));
        count
    }

    /// Whoever comes first now in a key that was left is ready.
    fn release(&mut self, left: Option<(Name, Name)>) {
        let head = left.and_then(|place| self.head(&place));
        if let Some(head) = head.filter(|head| self.deliveries[head].state == State::Waiting) {
            self.change(head, |row| row.state = State::Ready);
        }
    }

    fn insert(&mut self, id: DeliveryId, row: Row) {
        match row.state {
            State::Ready | State::Running => {
                let events = self.due.entry(Arc::clone(&row.handler)).or_default();
                let versions = events.entry(Arc::clone(&row.name)).or_default();
                versions.entry(row.version).or_default().insert((row.due_at, id));
            }
            State::Waiting => {}
            State::Dead => {
                self.dead.insert(id);
            }
            State::Done => {
                self.done.insert((row.finished_at.unwrap_or(row.due_at), id));
            }
        }
        if let Some(place) = row.place() {
            self.keys.entry(place).or_default().insert(id);
        }
        self.unfinished += usize::from(row.unfinished());
        let event = self.events.get_mut(&row.event).expect("events are kept while they have deliveries");
        event.deliveries.insert(id);
        self.idle.remove(&row.event);
        self.deliveries.insert(id, row);
    }

    fn take(&mut self, id: DeliveryId) -> Option<Row> {
        let row = self.deliveries.remove(&id)?;
        match row.state {
            State::Ready | State::Running => {
                let versions = self.due.get_mut(&row.handler).and_then(|events| events.get_mut(&row.name));
                let rows = versions.and_then(|versions| versions.get_mut(&row.version));
                rows.expect("it was inserted there").remove(&(row.due_at, id));
            }
            State::Waiting => {}
            State::Dead => {
                self.dead.remove(&id);
            }
            State::Done => {
                self.done.remove(&(row.finished_at.unwrap_or(row.due_at), id));
            }
        }
        if let Some(place) = row.place() {
            let rows = self.keys.get_mut(&place).expect("it was inserted there");
            rows.remove(&id);
            if rows.is_empty() {
                self.keys.remove(&place);
            }
        }
        self.unfinished -= usize::from(row.unfinished());
        let event = self.events.get_mut(&row.event).expect("events are kept while they have deliveries");
        event.deliveries.remove(&id);
        if event.deliveries.is_empty() {
            self.idle.insert(row.event);
        }
        Some(row)
    }

    /// The first dead deliveries that a filter lets pass.
    fn dead(&self, filter: &Filter, limit: u32, now: SystemTime) -> Vec<DeliveryId> {
        let chosen = self.dead.iter().filter(|id| self.fits(**id, &self.deliveries[id], filter, now));
        chosen.take(usize::try_from(limit).unwrap_or(usize::MAX)).copied().collect()
    }

    fn fits(&self, id: DeliveryId, row: &Row, filter: &Filter, now: SystemTime) -> bool {
        filter.delivery.is_none_or(|delivery| delivery == id)
            && filter.handler.as_deref().is_none_or(|handler| handler == &*row.handler)
            && filter.event_name.as_deref().is_none_or(|name| name == &*row.name)
            && filter.event_id.is_none_or(|event| self.event_rows.get(&event) == Some(&row.event))
            && filter.state.is_none_or(|state| state == row.state)
            && filter.older_than.is_none_or(|age| now.duration_since(row.recorded_at).is_ok_and(|old| old >= age))
    }

    fn delivery(&self, id: DeliveryId, row: &Row) -> Delivery {
        let event = &self.events[&row.event];
        Delivery {
            id,
            handler: row.handler.to_string(),
            event_id: event.event_id,
            event_name: row.name.to_string(),
            version: row.version,
            key: row.key.as_ref().map(ToString::to_string),
            state: row.state,
            attempts: row.attempts,
            last_error: row.last_error.clone(),
            headers: event.headers.clone(),
            recorded_at: row.recorded_at,
            due_at: row.due_at,
            finished_at: row.finished_at,
        }
    }
}
