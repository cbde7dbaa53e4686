//! What holds in every state, and what happens in some.

use stateright::Property;

use crate::action::{Action, Batch, Then};
use crate::model::{Kind, Outbox};
use crate::state::{Phase, ROWS, Row, Standing, State};

type Condition = fn(&Outbox, &State) -> bool;

/// What holds in every reachable state.
pub const ALWAYS: &[(&str, Condition)] = &[
    ("nothing is lost: a worker that lives ends everything", everything_can_end),
    ("nothing is completed twice", |_, state| state.rows.iter().all(|row| row.completed <= 1)),
    ("what is done was completed", |_, state| {
        state.rows.iter().all(|row| (row.completed == 1) == (row.standing == Standing::Done))
    }),
    ("the effect of an effectively-once handler is there once, if it is done", |outbox, state| {
        let once = |index: &usize| outbox.kind(*index) == Kind::EffectivelyOnce;
        let is_right = |row: &Row| row.effects == u8::from(row.standing == Standing::Done);
        rows(outbox).filter(once).all(|index| is_right(&state.rows[index]))
    }),
    ("no two workers hold one row", nobody_shares),
    ("whoever holds a row finds it running", |_, state| {
        holders(state)
            .all(|(row, token)| token != state.rows[row].token || state.rows[row].standing == Standing::Running)
    }),
    ("an older lease ends nothing", |_, state| !state.ended_by_a_stranger),
    ("what waits has an unfinished one in front", |outbox, state| {
        let waits = |index: &usize| state.rows[*index].standing == Standing::Waiting;
        (0..ROWS).filter(waits).all(|index| outbox.head_before(state, index).is_some())
    }),
    ("no effect comes before an earlier one of its key is finished", |outbox, state| {
        outbox.skips_dead || !state.out_of_order
    }),
    ("no handler is called more often than it has attempts", |outbox, state| {
        state.rows.iter().all(|row| row.called <= row.attempts && row.called <= outbox.limit)
    }),
    ("a killer costs each neighbour one attempt at most", |_, state| state.rows.iter().all(|row| row.hit <= 1)),
];

/// What happens in some reachable state, so that the model is not empty.
pub const SOMETIMES: &[(&str, Condition)] = &[
    ("everything is done", |outbox, state| rows(outbox).all(|index| state.rows[index].standing == Standing::Done)),
    ("somebody runs what another has completed", |_, state| {
        state
            .workers
            .iter()
            .flat_map(|worker| worker.holds())
            .any(|(row, hold)| hold.phase == Phase::Running && state.rows[row].standing == Standing::Done)
    }),
    ("both run the same row", |_, state| {
        (0..ROWS).any(|row| state.workers.iter().all(|worker| is_running(worker.held[row])))
    }),
    ("the attempts are used up", |outbox, state| state.rows.iter().any(|row| row.attempts > outbox.limit)),
];

pub(crate) fn of(outbox: &Outbox) -> Vec<Property<Outbox>> {
    let always = ALWAYS.iter().map(|(name, condition)| Property::always(name, *condition));
    let sometimes = SOMETIMES.iter().map(|(name, condition)| Property::sometimes(name, *condition));
    // Of those that nothing but crashes leads to.
    let sometimes = sometimes.filter(|_| outbox.is_unreliable);
    always.chain(sometimes).collect()
}

fn is_running(held: Option<crate::Hold>) -> bool {
    held.is_some_and(|hold| hold.phase == Phase::Running)
}

fn rows(outbox: &Outbox) -> std::ops::Range<usize> {
    0..outbox.deliveries.len()
}

/// Rows and the tokens with which they are held.
fn holders(state: &State) -> impl Iterator<Item = (usize, u8)> {
    state.workers.iter().flat_map(|worker| worker.holds().map(|(row, hold)| (row, hold.token)))
}

fn nobody_shares(_: &Outbox, state: &State) -> bool {
    let hold_it = |row: usize| holders(state).filter(move |hold| *hold == (row, state.rows[row].token)).count();
    (0..ROWS).all(|row| hold_it(row) <= 1)
}

/// Whether one worker that claims one delivery after the other, while nobody else does anything, leaves nothing unfinished but
/// what is behind a dead one. Those that kill it die in the end.
fn everything_can_end(outbox: &Outbox, state: &State) -> bool {
    let mut state = *state;
    state.workers = Default::default();
    for _ in 0..ROWS * usize::from(outbox.limit + 2) {
        outbox.apply(&mut state, Action::Tick);
        let Some(row) = (0..ROWS).find(|row| outbox.can_be_claimed(&state, *row)) else { continue };
        deliver(outbox, &mut state, row);
    }
    let is_behind_a_dead_one = |index: usize, row: &Row| {
        row.standing != Standing::Running
            && outbox.head_before(&state, index).is_some_and(|head| state.rows[head].standing == Standing::Dead)
    };
    let mut unfinished = state.rows.iter().enumerate().filter(|(_, row)| row.standing.is_unfinished());
    unfinished.all(|(index, row)| is_behind_a_dead_one(index, row))
}

fn deliver(outbox: &Outbox, state: &mut State, row: usize) {
    outbox.apply(state, Action::Claim { worker: 0, batch: Batch::from_iter([row]) });
    let is_used_up = state.rows[row].attempts > outbox.limit;
    if !is_used_up {
        outbox.apply(state, Action::Start(0, row));
    }
    let end = match outbox.kind(row) {
        _ if is_used_up => Action::Fail(0, row, Then::Dead),
        Kind::Killer => Action::Crash(0),
        Kind::AtLeastOnce => Action::Complete(0, row),
        Kind::EffectivelyOnce => Action::CompleteWithin(0, row),
    };
    outbox.apply(state, end);
}
