//! What there is: rows in a store, and workers that hold some of them.

/// How many rows there may be.
pub const ROWS: usize = 3;

/// How many workers there are.
pub const WORKERS: usize = 2;

/// Everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    /// In the order of recording.
    pub rows: [Row; ROWS],
    /// Each in a process of its own.
    pub workers: [Worker; WORKERS],
    /// A handler had an effect while an earlier delivery of its key was unfinished.
    pub out_of_order: bool,
    /// Somebody ended a row whose lease was not his.
    pub ended_by_a_stranger: bool,
}

/// A delivery in the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Row {
    /// Its state.
    pub standing: Standing,
    /// How long until it is due, or until its lease ends.
    pub ticks: u8,
    /// How many attempts were started since it was recorded or resubmitted.
    pub attempts: u8,
    /// Whether the lease of its last attempt was lost.
    pub lost: bool,
    /// What a lease is compared with.
    pub token: u8,
    /// How often a handler was called since it was recorded or resubmitted, by those whose lease held.
    pub called: u8,
    /// How often somebody was told that it is complete.
    pub completed: u8,
    /// How often an effectively-once handler's transaction was committed.
    pub effects: u8,
    /// How often it was under way when a neighbour killed the process.
    pub hit: u8,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Standing {
    /// Not there yet.
    #[default]
    Unrecorded,
    /// To be claimed when it is due.
    Ready,
    /// Claimed.
    Running,
    /// Behind an unfinished one of its key.
    Waiting,
    /// Given up, and its key waits.
    Dead,
    /// Given up, and its key goes on.
    DeadKeyGoesOn,
    /// Completed.
    Done,
    /// Discarded or unscheduled.
    Deleted,
}

impl Standing {
    /// Whether others of its key are behind it.
    #[must_use]
    pub fn holds_its_place(self) -> bool {
        matches!(self, Self::Ready | Self::Running | Self::Waiting | Self::Dead)
    }

    /// Whether it is to be delivered.
    #[must_use]
    pub fn is_unfinished(self) -> bool {
        matches!(self, Self::Ready | Self::Running | Self::Waiting)
    }

    /// Whether somebody may resubmit or discard it.
    #[must_use]
    pub fn is_dead(self) -> bool {
        matches!(self, Self::Dead | Self::DeadKeyGoesOn)
    }
}

/// A process that delivers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Worker {
    /// What it has claimed, as far as it knows.
    pub held: [Option<Hold>; ROWS],
    /// The last claim had a delivery whose lease was lost: nothing runs beside another.
    pub careful: bool,
}

/// A claimed delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hold {
    /// The row's token at the claim.
    pub token: u8,
    /// Which attempt it is.
    pub attempt: u8,
    /// How far it is.
    pub phase: Phase,
}

/// How far an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// Not started.
    Queued,
    /// The handler was called.
    Running,
}

impl Worker {
    /// What it holds.
    pub fn holds(&self) -> impl Iterator<Item = (usize, Hold)> {
        self.held.iter().enumerate().filter_map(|(row, hold)| hold.map(|hold| (row, hold)))
    }
}

impl State {
    /// Forgets what nobody will ask for: numbers of tokens, of which a row's own is always the highest, and what is left of rows
    /// that are gone. States that differ in nothing else go on in the same way.
    pub fn renumber(&mut self) {
        for (index, row) in self.rows.iter_mut().enumerate() {
            for hold in self.workers.iter_mut().filter_map(|worker| worker.held[index].as_mut()) {
                hold.token = u8::from(hold.token == row.token);
            }
            row.token = 1;
            if matches!(row.standing, Standing::Done | Standing::Deleted) {
                (row.ticks, row.attempts, row.lost, row.called) = (0, 0, false, 0);
            }
        }
    }

    /// The state that stands for this one and the one in which the workers have changed places.
    #[must_use]
    pub fn representative(&self) -> Self {
        let mut state = *self;
        state.workers.sort_unstable();
        state
    }
}
