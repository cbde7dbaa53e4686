use std::sync::{Arc, Mutex};

/// What happened, in the order it did.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub fn add(&self, entry: impl Into<String>) {
        self.0.lock().unwrap().push(entry.into());
    }

    pub fn entries(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// The entries so far, which are then forgotten.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// Adds `entry` when the guard is dropped.
    #[must_use]
    pub fn on_drop(&self, entry: impl Into<String>) -> OnDrop {
        OnDrop { log: self.clone(), entry: entry.into() }
    }
}

#[derive(Debug)]
pub struct OnDrop {
    log: Log,
    pub(crate) entry: String,
}

impl OnDrop {
    /// Adds this instead.
    pub fn set(&mut self, entry: impl Into<String>) {
        self.entry = entry.into();
    }
}

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.log.add(&*self.entry);
    }
}
