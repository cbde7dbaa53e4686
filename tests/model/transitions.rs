//! What the steps do.

use crate::action::{Action, Batch, Then};
use crate::model::{Flaw, Kind, Outbox};
use crate::state::{Hold, Phase, Row, Standing, State, Worker};

/// How long a lease lasts, and how long a failed attempt is followed by nothing.
const WHILE: u8 = 1;

impl Outbox {
    pub(crate) fn apply(&self, state: &mut State, action: Action) {
        match action {
            Action::Record { row, parked } => {
                state.rows[row].standing = if parked { Standing::Waiting } else { Standing::Ready };
            }
            Action::Park(row) => state.rows[row].standing = Standing::Waiting,
            Action::Claim { worker, batch } => self.claim(state, worker, batch),
            Action::Start(worker, row) => self.start(state, worker, row),
            Action::Renew(worker) => renew(state, worker),
            Action::Complete(worker, row) => self.complete(state, worker, row),
            Action::CompleteWithin(worker, row) => self.complete_within(state, worker, row),
            Action::Fail(worker, row, then) => self.fail(state, worker, row, then),
            Action::GiveBack(worker, row) => self.give_back(state, worker, row),
            Action::Crash(worker) => self.crash(state, worker),
            Action::Tick => state.rows.iter_mut().for_each(|row| row.ticks = row.ticks.saturating_sub(1)),
            Action::Retry(row) => self.retry(state, row),
            Action::Discard(row) | Action::Unschedule(row) => self.leave(state, row, Standing::Deleted),
        }
    }

    /// The first row of the key of this one that is unfinished and was recorded before.
    pub(crate) fn head_before(&self, state: &State, row: usize) -> Option<usize> {
        let key = self.key(row)?;
        (0..row).find(|other| self.key(*other) == Some(key) && state.rows[*other].standing.holds_its_place())
    }

    pub(crate) fn can_be_claimed(&self, state: &State, row: usize) -> bool {
        let it = &state.rows[row];
        let is_due = matches!(it.standing, Standing::Ready | Standing::Running) && it.ticks == 0;
        let is_used_up = self.has(Flaw::UsedUpIsNotClaimed) && it.attempts >= self.limit;
        is_due && !is_used_up && (self.has(Flaw::ClaimsAnyOfAKey) || self.head_before(state, row).is_none())
    }

    fn claim(&self, state: &mut State, worker: usize, batch: Batch) {
        let mut careful = false;
        for index in batch.rows() {
            let row = &mut state.rows[index];
            row.lost |= row.standing == Standing::Running;
            row.standing = Standing::Running;
            row.ticks = WHILE;
            row.token += 1;
            // What has used them up is to be dead, however many there were.
            if !self.has(Flaw::CrashesCostNoAttempt) {
                row.attempts = (row.attempts + 1).min(self.limit + 1);
            }
            careful |= row.lost;
            let attempt = row.attempts.max(1);
            state.workers[worker].held[index] = Some(Hold { token: row.token, attempt, phase: Phase::Queued });
        }
        state.workers[worker].careful = careful;
    }

    fn start(&self, state: &mut State, worker: usize, row: usize) {
        let hold = state.workers[worker].held[row].as_mut().expect("it is held");
        hold.phase = Phase::Running;
        if hold.token == state.rows[row].token {
            state.rows[row].called += 1;
        }
        if self.kind(row) == Kind::AtLeastOnce {
            self.effect(state, row);
        }
    }

    /// A handler does what it is for.
    fn effect(&self, state: &mut State, row: usize) {
        state.out_of_order |= self.head_before(state, row).is_some();
    }

    /// Takes a row from a worker; whether the lease held.
    fn take(&self, state: &mut State, worker: usize, row: usize) -> bool {
        let it = &mut state.workers[worker];
        let hold = it.held[row].take().expect("it is held");
        let row = &state.rows[row];
        let held = match self.flaw {
            Some(Flaw::NoFence) => true,
            Some(Flaw::FencedByAttempts) => row.standing == Standing::Running && hold.attempt == row.attempts,
            _ => hold.token == row.token,
        };
        state.ended_by_a_stranger |= held && hold.token != row.token;
        held
    }

    fn complete(&self, state: &mut State, worker: usize, row: usize) {
        if self.take(state, worker, row) {
            state.rows[row].completed = (state.rows[row].completed + 1).min(2);
            self.leave(state, row, Standing::Done);
        }
    }

    fn complete_within(&self, state: &mut State, worker: usize, row: usize) {
        if self.take(state, worker, row) {
            state.rows[row].completed = (state.rows[row].completed + 1).min(2);
            state.rows[row].effects = (state.rows[row].effects + 1).min(2);
            self.effect(state, row);
            self.leave(state, row, Standing::Done);
        }
    }

    fn fail(&self, state: &mut State, worker: usize, row: usize, then: Then) {
        if !self.take(state, worker, row) {
            return;
        }
        let it = &mut state.rows[row];
        it.lost = false;
        if self.has(Flaw::CrashesCostNoAttempt) {
            it.attempts += 1;
        }
        match then {
            Then::Retry => wait(it, Standing::Ready, WHILE),
            Then::Dead if self.skips_dead => self.leave(state, row, Standing::DeadKeyGoesOn),
            Then::Dead => wait(it, Standing::Dead, 0),
        }
    }

    fn give_back(&self, state: &mut State, worker: usize, row: usize) {
        if self.take(state, worker, row) {
            let it = &mut state.rows[row];
            it.attempts = it.attempts.saturating_sub(u8::from(!self.has(Flaw::CrashesCostNoAttempt)));
            it.lost &= !self.has(Flaw::GivingBackForgetsLosses);
            wait(it, Standing::Ready, 0);
        }
    }

    fn crash(&self, state: &mut State, worker: usize) {
        let holds: Vec<_> = state.workers[worker].holds().collect();
        let is_killed = holds.iter().any(|(row, hold)| self.is_killing(*row, *hold));
        for (row, hold) in holds {
            let it = &mut state.rows[row];
            let is_neighbour = !self.is_killing(row, hold) && hold.token == it.token;
            it.hit = (it.hit + u8::from(is_killed && is_neighbour)).min(2);
        }
        state.workers[worker] = Worker::default();
    }

    fn is_killing(&self, row: usize, hold: Hold) -> bool {
        self.kind(row) == Kind::Killer && hold.phase == Phase::Running
    }

    fn retry(&self, state: &mut State, row: usize) {
        let is_behind = self.head_before(state, row).is_some();
        let it = &mut state.rows[row];
        (it.attempts, it.called, it.lost) = (0, 0, false);
        wait(it, if is_behind { Standing::Waiting } else { Standing::Ready }, 0);
    }

    /// Leaves the place in the key, and lets the next one go.
    fn leave(&self, state: &mut State, row: usize, to: Standing) {
        let held_its_place = state.rows[row].standing.holds_its_place();
        wait(&mut state.rows[row], to, 0);
        let Some(key) = self.key(row).filter(|_| held_its_place && !self.has(Flaw::NobodyIsReleased)) else { return };
        let of_key = |index: &usize| self.key(*index) == Some(key);
        let next = (0..state.rows.len()).filter(of_key).find(|index| state.rows[*index].standing.holds_its_place());
        if let Some(next) = next.filter(|next| state.rows[*next].standing == Standing::Waiting) {
            state.rows[next].standing = Standing::Ready;
        }
    }
}

/// Ends an attempt, or none.
fn wait(row: &mut Row, standing: Standing, ticks: u8) {
    row.standing = standing;
    row.ticks = ticks;
    row.token += 1;
}

/// Leases that have been lost are let go: their handlers are cancelled.
fn renew(state: &mut State, worker: usize) {
    for (index, held) in state.workers[worker].held.iter_mut().enumerate() {
        let Some(hold) = held else { continue };
        if hold.token == state.rows[index].token {
            state.rows[index].ticks = WHILE;
        } else {
            *held = None;
        }
    }
}
