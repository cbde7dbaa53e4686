//! The deliveries that a worker has claimed and not settled.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::job::Job;
use super::settle::Ended;
use crate::store::Lease;

/// What was claimed and is not settled.
#[derive(Default)]
pub(super) struct Deliveries {
    queue: VecDeque<Job>,
    /// What may crash this process: waits until everything else is settled, and runs alone.
    alone: Option<Job>,
    running: usize,
    pub(super) ended: Ended,
    /// Since when there has been something in the queue.
    queued_at: Option<Instant>,
    /// How long the lanes took to empty it.
    took: Option<Duration>,
}

impl Deliveries {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.queue.len() + usize::from(self.alone.is_some()) + self.running + self.ended.len()
    }

    /// These are to run.
    pub(super) fn push(&mut self, jobs: Vec<Job>) {
        self.queue.extend(jobs);
        self.queued_at = Some(Instant::now());
    }

    /// This one is to run when there is no other.
    pub(super) fn push_alone(&mut self, job: Option<Job>) {
        self.alone = job;
    }

    /// For how many lanes there is something to do.
    pub(super) fn waiting(&mut self) -> usize {
        // Not before the others are given back: they would lose an attempt with it.
        if self.is_at_rest() && self.ended.is_empty() {
            self.queue.extend(self.alone.take());
        }
        self.queue.len()
    }

    /// Takes the next one, which runs from now on.
    pub(super) fn start(&mut self) -> Option<Job> {
        let job = self.queue.pop_front()?;
        self.running += 1;
        if self.queue.is_empty() {
            self.took = self.queued_at.map(|since| since.elapsed());
        }
        Some(job)
    }

    /// One that ran has ended.
    pub(super) fn stopped(&mut self) -> &mut Ended {
        self.running -= 1;
        &mut self.ended
    }

    /// How long the lanes took to empty the queue, if they did since this was asked.
    pub(super) fn took(&mut self) -> Option<Duration> {
        self.took.take()
    }

    /// Takes what has ended, if the store is to be told now.
    pub(super) fn take_to_settle(&mut self) -> Option<Ended> {
        let is_now = !self.ended.is_empty() && (self.is_at_rest() || self.ended.are_due());
        is_now.then(|| std::mem::take(&mut self.ended))
    }

    pub(super) fn give_back(&mut self, leases: impl IntoIterator<Item = Lease>) {
        for lease in leases {
            self.ended.not_started(lease);
        }
    }

    /// Gives back all that was not started.
    pub(super) fn give_back_waiting(&mut self) {
        let waiting: Vec<_> = self.queue.drain(..).chain(self.alone.take()).collect();
        self.give_back(waiting.into_iter().map(|job| job.claimed.lease));
    }

    fn is_at_rest(&self) -> bool {
        self.queue.is_empty() && self.running == 0
    }
}
