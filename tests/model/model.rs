//! What is checked: which deliveries there are, and what is left out of the outbox to see whether that is noticed.

use stateright::{Model, Property};

use crate::action::{Action, Then};
use crate::properties;
use crate::state::{Phase, ROWS, Standing, State, WORKERS};

/// An outbox, its workers and its users.
#[derive(Clone, Debug)]
pub struct Outbox {
    /// The deliveries that may be recorded, in this order.
    pub deliveries: Vec<Delivery>,
    /// How many attempts there are.
    pub limit: u8,
    /// Whether dead deliveries let their key go on.
    pub skips_dead: bool,
    /// Whether somebody resubmits, discards and unschedules.
    pub is_operated: bool,
    /// Whether workers crash, and are stopped until their leases end, at any moment; otherwise only [killers](Kind::Killer) end
    /// them.
    pub is_unreliable: bool,
    /// What is left out.
    pub flaw: Option<Flaw>,
}

/// A delivery that may be recorded.
#[derive(Clone, Copy, Debug)]
pub struct Delivery {
    /// What it is ordered by.
    pub key: Option<char>,
    /// Of what kind its handler is.
    pub kind: Kind,
}

/// A kind of handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What it does is done when it is called.
    AtLeastOnce,
    /// What it does is committed with its completion.
    EffectivelyOnce,
    /// Its process ends whenever it is called.
    Killer,
}

/// Something that the outbox would do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// A worker does not ask whether its lease held.
    NoFence,
    /// Leases are compared by the number of the attempt.
    FencedByAttempts,
    /// Giving back forgets that a lease was lost.
    GivingBackForgetsLosses,
    /// What lost its lease runs beside others.
    LostOnesRunBesideOthers,
    /// Whoever leaves its key lets nobody go on.
    NobodyIsReleased,
    /// A claim does not look for what is in front in the key.
    ClaimsAnyOfAKey,
    /// An attempt counts when it has failed.
    CrashesCostNoAttempt,
    /// What has used its attempts up is not claimed any more.
    UsedUpIsNotClaimed,
}

impl Outbox {
    /// The key of a row.
    pub(crate) fn key(&self, row: usize) -> Option<char> {
        self.deliveries.get(row).and_then(|delivery| delivery.key)
    }

    pub(crate) fn kind(&self, row: usize) -> Kind {
        self.deliveries[row].kind
    }

    pub(crate) fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn operators_actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (index, row) in state.rows.iter().enumerate() {
            if row.standing.is_dead() {
                actions.extend([Action::Retry(index), Action::Discard(index)]);
            }
            if matches!(row.standing, Standing::Ready | Standing::Waiting) && row.attempts == 0 {
                actions.push(Action::Unschedule(index));
            }
        }
    }

    fn stores_actions(&self, state: &State, actions: &mut Vec<Action>) {
        let next = state.rows.iter().position(|row| row.standing == Standing::Unrecorded);
        if let Some(row) = next.filter(|row| *row < self.deliveries.len()) {
            actions.push(Action::Record { row, parked: false });
            if self.head_before(state, row).is_some() {
                actions.push(Action::Record { row, parked: true });
            }
        }
        let parkable = |row: &usize| {
            state.rows[*row].standing == Standing::Ready
                && state.rows[*row].ticks == 0
                && self.head_before(state, *row).is_some()
        };
        actions.extend((0..ROWS).filter(parkable).map(Action::Park));
        let moves = state.rows.iter().any(|row| row.ticks > 0);
        if moves && (self.is_unreliable || !self.would_end_a_lease_of_the_living(state)) {
            actions.push(Action::Tick);
        }
    }

    /// Whether a worker lives that would have renewed.
    fn would_end_a_lease_of_the_living(&self, state: &State) -> bool {
        let holds = state.workers.iter().flat_map(|worker| worker.holds());
        holds.into_iter().any(|(row, hold)| hold.token == state.rows[row].token)
    }

    fn workers_actions(&self, state: &State, worker: usize, actions: &mut Vec<Action>) {
        let it = &state.workers[worker];
        let is_idle = it.holds().next().is_none();
        if is_idle || !it.careful {
            let claimable = (0..ROWS).filter(|row| self.can_be_claimed(state, *row)).collect();
            actions.extend(crate::Batch::parts(claimable).map(|batch| Action::Claim { worker, batch }));
        }
        if !is_idle {
            actions.push(Action::Renew(worker));
        }
        if self.is_unreliable && !is_idle {
            actions.push(Action::Crash(worker));
        }
        for (row, hold) in it.holds() {
            match hold.phase {
                Phase::Queued if hold.attempt > self.limit => actions.push(Action::Fail(worker, row, Then::Dead)),
                Phase::Queued => {
                    if self.may_start(state, worker) {
                        actions.push(Action::Start(worker, row));
                    }
                    actions.push(Action::GiveBack(worker, row));
                }
                Phase::Running => self.ends_of_an_attempt(worker, row, hold.attempt, actions),
            }
        }
    }

    /// A careful worker runs nothing beside another.
    fn may_start(&self, state: &State, worker: usize) -> bool {
        let it = &state.workers[worker];
        !it.careful || it.holds().count() == 1 || self.has(Flaw::LostOnesRunBesideOthers)
    }

    fn ends_of_an_attempt(&self, worker: usize, row: usize, attempt: u8, actions: &mut Vec<Action>) {
        match self.kind(row) {
            Kind::Killer => return actions.push(Action::Crash(worker)),
            Kind::AtLeastOnce => actions.push(Action::Complete(worker, row)),
            Kind::EffectivelyOnce => actions.push(Action::CompleteWithin(worker, row)),
        }
        actions.push(Action::Fail(worker, row, Then::Dead));
        if attempt < self.limit {
            actions.push(Action::Fail(worker, row, Then::Retry));
        }
    }
}

impl Model for Outbox {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let mut state = State::default();
        state.renumber();
        vec![state]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.stores_actions(state, actions);
        if self.is_operated {
            self.operators_actions(state, actions);
        }
        (0..WORKERS).for_each(|worker| self.workers_actions(state, worker, actions));
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = *state;
        self.apply(&mut next, action);
        next.renumber();
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::of(self)
    }
}
