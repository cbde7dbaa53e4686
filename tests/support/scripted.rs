use mediator_core::{EventHandler, HandlerInfo, MediatorBuilder, Notification, PublishError};

use crate::{Gate, Log, pending};

/// What a [`Scripted`] handler does: it waits, and then comes to its end.
#[derive(Clone, Debug)]
pub struct Script {
    pub wait: Wait,
    pub end: End,
}

#[derive(Clone, Debug)]
pub enum Wait {
    /// Pending so many times, asking to be polled again each time.
    Times(usize),
    /// Until the gate opens.
    Gate(Gate),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Ok,
    Error,
    Panic,
}

#[must_use]
pub fn ok(times: usize) -> Script {
    Script { wait: Wait::Times(times), end: End::Ok }
}

#[must_use]
pub fn error(times: usize) -> Script {
    Script { end: End::Error, ..ok(times) }
}

#[must_use]
pub fn panic(times: usize) -> Script {
    Script { end: End::Panic, ..ok(times) }
}

/// So often pending that no test waits for the end.
#[must_use]
pub fn forever() -> Script {
    ok(usize::MAX)
}

/// Handler number `10 * TENS + ONES`: does what its script says and logs it.
pub struct Scripted<const TENS: usize, const ONES: usize> {
    script: Script,
    log: Log,
}

impl<const TENS: usize, const ONES: usize, E: Notification> EventHandler<E> for Scripted<TENS, ONES> {
    async fn handle(&self, _event: &E) -> Result<(), String> {
        let number = 10 * TENS + ONES;
        self.log.add(format!("{number} starts"));
        let mut end = self.log.on_drop(format!("{number} is dropped"));
        match &self.script.wait {
            Wait::Times(times) => pending(*times).await,
            Wait::Gate(gate) => gate.clone().await.unwrap(),
        }
        match self.script.end {
            End::Ok => end.entry = format!("{number} ends"),
            End::Error => end.entry = format!("{number} fails"),
            End::Panic => end.entry = format!("{number} panics"),
        }
        drop(end);
        match self.script.end {
            End::Ok => Ok(()),
            End::Error => Err(format!("error of {number}")),
            End::Panic => panic!("panic of {number}"),
        }
    }
}

/// Binds a [`Scripted`] handler of `E` for each of up to ten scripts.
pub fn bind_scripted<E: Notification>(builder: MediatorBuilder, log: &Log, scripts: &[Script]) -> MediatorBuilder {
    assert!(scripts.len() <= 10, "there are ten handlers");
    bind_ten::<E, 0>(builder, log, scripts)
}

/// Binds a [`Scripted`] handler of `E` for each of up to a hundred scripts.
pub fn bind_many_scripted<E: Notification>(
    mut builder: MediatorBuilder,
    log: &Log,
    scripts: &[Script],
) -> MediatorBuilder {
    assert!(scripts.len() <= 100, "there are a hundred handlers");
    builder = bind_ten::<E, 0>(builder, log, scripts);
    builder = bind_ten::<E, 1>(builder, log, scripts);
    builder = bind_ten::<E, 2>(builder, log, scripts);
    builder = bind_ten::<E, 3>(builder, log, scripts);
    builder = bind_ten::<E, 4>(builder, log, scripts);
    builder = bind_ten::<E, 5>(builder, log, scripts);
    builder = bind_ten::<E, 6>(builder, log, scripts);
    builder = bind_ten::<E, 7>(builder, log, scripts);
    builder = bind_ten::<E, 8>(builder, log, scripts);
    bind_ten::<E, 9>(builder, log, scripts)
}

fn bind_ten<E: Notification, const TENS: usize>(
    mut builder: MediatorBuilder,
    log: &Log,
    scripts: &[Script],
) -> MediatorBuilder {
    builder = bind_one::<E, TENS, 0>(builder, log, scripts);
    builder = bind_one::<E, TENS, 1>(builder, log, scripts);
    builder = bind_one::<E, TENS, 2>(builder, log, scripts);
    builder = bind_one::<E, TENS, 3>(builder, log, scripts);
    builder = bind_one::<E, TENS, 4>(builder, log, scripts);
    builder = bind_one::<E, TENS, 5>(builder, log, scripts);
    builder = bind_one::<E, TENS, 6>(builder, log, scripts);
    builder = bind_one::<E, TENS, 7>(builder, log, scripts);
    builder = bind_one::<E, TENS, 8>(builder, log, scripts);
    bind_one::<E, TENS, 9>(builder, log, scripts)
}

fn bind_one<E: Notification, const TENS: usize, const ONES: usize>(
    builder: MediatorBuilder,
    log: &Log,
    scripts: &[Script],
) -> MediatorBuilder {
    match scripts.get(10 * TENS + ONES) {
        Some(script) => {
            builder.bind_handler::<E, _>(Scripted::<TENS, ONES> { script: script.clone(), log: log.clone() })
        }
        None => builder,
    }
}

/// What an error says of [`Scripted`] handlers.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Said {
    pub failures: Vec<String>,
    pub cancelled: Vec<usize>,
    pub not_run: Vec<usize>,
}

impl Said {
    #[must_use]
    pub fn by(error: &PublishError) -> Self {
        let failures = error.failures().iter().map(|failure| {
            let number = number(failure.handler());
            let message = failure.error().map(ToString::to_string).or(failure.panic_message().map(Into::into)).unwrap();
            assert!(message.ends_with(&format!(" of {number}")), "{failure}");
            message
        });
        Self {
            failures: failures.collect(),
            cancelled: error.cancelled().iter().map(number).collect(),
            not_run: error.not_run().iter().map(number).collect(),
        }
    }
}

/// The number of a [`Scripted`] handler.
fn number(handler: &HandlerInfo) -> usize {
    let digits: Vec<usize> = handler
        .name()
        .strip_prefix(concat!(module_path!(), "::Scripted<"))
        .and_then(|name| name.strip_suffix('>')?.split(", ").map(|digit| digit.parse().ok()).collect())
        .unwrap_or_else(|| panic!("{handler} is not scripted"));
    10 * digits[0] + digits[1]
}
