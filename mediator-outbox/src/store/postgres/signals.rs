//! Telling other processes that something was recorded, and hearing it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::work::Work;

/// The least time between two notifications: each commit that has one waits for the others that have.
const PAUSE: Duration = Duration::from_millis(10);

/// Both ways, through connections of its own.
///
/// A notification in the transaction that records would make all these commits wait for each other.
pub(super) struct Signals {
    work: Arc<Work>,
    channel: Arc<str>,
    to_tell: Arc<Notify>,
    telling: Background,
    heard: Arc<Notify>,
    hears: Arc<AtomicBool>,
    hearing: Background,
}

impl Signals {
    /// Uses two connections of the pool, from the first use on.
    pub(super) fn new(work: Arc<Work>, channel: String) -> Self {
        Self {
            work,
            channel: channel.into(),
            to_tell: Arc::default(),
            telling: Background::default(),
            heard: Arc::default(),
            hears: Arc::default(),
            hearing: Background::default(),
        }
    }

    /// Tells it, at once or after the pause that follows the last time.
    pub(super) fn tell(&self) {
        self.telling.run(|| tell(Arc::clone(&self.work), Arc::clone(&self.channel), Arc::clone(&self.to_tell)));
        self.to_tell.notify_one();
    }

    /// Waits until it is told.
    pub(super) async fn hear(&self) {
        self.hearing.run(|| {
            let (heard, hears) = (Arc::clone(&self.heard), Arc::clone(&self.hears));
            hear(Arc::clone(&self.work), Arc::clone(&self.channel), heard, hears)
        });
        self.heard.notified().await;
    }

    /// Whether it would be heard now.
    pub(super) fn hears(&self) -> bool {
        self.hears.load(Ordering::Relaxed)
    }
}

/// What was told during the pause is told after it, once. A notification that fails is not repeated: others ask from time to time.
async fn tell(work: Arc<Work>, channel: Arc<str>, to_tell: Arc<Notify>) {
    loop {
        to_tell.notified().await;
        let _ = notify(&work, &channel).await;
        sleep(PAUSE).await;
    }
}

async fn notify(work: &Work, channel: &str) -> Result<(), sqlx::Error> {
    let mut connection = work.connection().await?;
    let query = sqlx::query("SELECT pg_notify($1, '')").bind(channel);
    let answer = timeout(work.patience(), query.execute(&mut *connection)).await;
    work.answered(connection, answer).map(|_| ())
}

async fn hear(work: Arc<Work>, channel: Arc<str>, heard: Arc<Notify>, hears: Arc<AtomicBool>) {
    const SHORTEST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(5);
    let mut pause = SHORTEST;
    loop {
        if let Ok(mut listener) = listen(work.pool(), &channel).await {
            pause = SHORTEST;
            hears.store(true, Ordering::Relaxed);
            // Nobody knows what was missed before.
            signal(&heard);
            while let Ok(Some(_)) = listener.try_recv().await {
                signal(&heard);
            }
            hears.store(false, Ordering::Relaxed);
        }
        sleep(pause).await;
        pause = (2 * pause).min(LONGEST);
    }
}

async fn listen(pool: &PgPool, channel: &str) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.eager_reconnect(false);
    listener.listen(channel).await?;
    Ok(listener)
}

/// Wakes all who wait, and the next one who comes: one may be between two waits.
fn signal(heard: &Notify) {
    heard.notify_waiters();
    heard.notify_one();
}

/// A task that runs from its first use until this is dropped, and is started again if its runtime has ended.
#[derive(Default)]
struct Background(Mutex<Option<JoinHandle<()>>>);

impl Background {
    fn run<F: Future<Output = ()> + Send + 'static>(&self, task: impl FnOnce() -> F) {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if running.as_ref().is_none_or(JoinHandle::is_finished) {
            *running = Some(tokio::spawn(task()));
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let running = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = running {
            running.abort();
        }
    }
}
