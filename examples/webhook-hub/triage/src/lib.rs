//! Triage: what waits for somebody to look at it.

mod queue;
