//! What the page shows, at one moment.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mediator_outbox::{Delivery, State, Stats, StoreError, full_text};
use serde_json::Value;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::Section;
use crate::history::{History, INTERVAL, Sample};
use crate::source::{Source, Wanted};

/// So many deliveries of one state are shown.
pub(crate) const SHOWN: u32 = 50;

pub(crate) struct View {
    /// What the outbox answered, or why it did not.
    pub(crate) outbox: Result<Contents, String>,
    pub(crate) samples: Vec<Sample>,
    pub(crate) section: Option<Result<Value, String>>,
}

pub(crate) struct Contents {
    pub(crate) stats: Stats,
    pub(crate) dead: Vec<Delivery>,
    pub(crate) running: Vec<Delivery>,
    pub(crate) ready: Vec<Delivery>,
    pub(crate) waiting: Vec<Delivery>,
}

/// Looks at the outbox, again and again while somebody watches.
pub(crate) struct Watcher {
    source: Arc<dyn Source>,
    section: Option<Section>,
    history: Mutex<History>,
    views: watch::Sender<Arc<View>>,
    changed: Notify,
}

impl Watcher {
    pub(crate) fn new(source: Arc<dyn Source>, section: Option<Section>) -> Self {
        let history = Mutex::new(History::new(source.attempts()));
        let nothing = View { outbox: Err("not asked yet".into()), samples: vec![], section: None };
        let views = watch::Sender::new(Arc::new(nothing));
        Self { source, section, history, views, changed: Notify::new() }
    }

    pub(crate) fn source(&self) -> &dyn Source {
        &*self.source
    }

    pub(crate) fn section_title(&self) -> Option<&str> {
        self.section.as_ref().map(|section| section.title.as_str())
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Arc<View>> {
        self.views.subscribe()
    }

    /// Something was changed by an operator: those who watch see it at once.
    pub(crate) fn look_again(&self) {
        self.changed.notify_one();
    }

    pub(crate) async fn look(&self) -> View {
        let outbox = self.contents().await.map_err(|error| full_text(&error));
        View { outbox, samples: self.samples(), section: self.section().await }
    }

    pub(crate) fn samples(&self) -> Vec<Sample> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner).samples()
    }

    pub(crate) async fn section(&self) -> Option<Result<Value, String>> {
        match &self.section {
            Some(section) => Some((section.content)().await),
            None => None,
        }
    }

    async fn contents(&self) -> Result<Contents, StoreError> {
        let list = |state| self.source.list(Wanted { state: Some(state), limit: Some(SHOWN), ..Wanted::default() });
        Ok(Contents {
            stats: self.source.stats().await?,
            dead: list(State::Dead).await?,
            running: list(State::Running).await?,
            ready: list(State::Ready).await?,
            waiting: list(State::Waiting).await?,
        })
    }

    fn sample(&self, elapsed: Duration) {
        let attempts = self.source.attempts();
        self.history.lock().unwrap_or_else(PoisonError::into_inner).add(attempts, elapsed);
    }

    async fn show(&self) {
        if self.views.receiver_count() > 0 {
            self.views.send_replace(Arc::new(self.look().await));
        }
    }
}

/// Takes samples, and shows what there is to those who watch once a second; until it is cancelled.
pub(crate) async fn keep_watching(watcher: Arc<Watcher>) {
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sampled = Instant::now();
    loop {
        tokio::select! {
            _ = second.tick() => {}
            () = watcher.changed.notified() => {}
        }
        let elapsed = sampled.elapsed();
        if elapsed >= INTERVAL {
            watcher.sample(elapsed);
            sampled = Instant::now();
        }
        watcher.show().await;
    }
}
