//! A layer that writes down what it is told.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Registry, filter};

/// Fields by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(BTreeMap<&'static str, String>);

impl Fields {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let causes = std::iter::successors(Some(value), |error| error.source());
        self.0.insert(field.name(), causes.map(ToString::to_string).collect::<Vec<_>>().join(": "));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) name: &'static str,
    pub(crate) parent: Option<usize>,
    pub(crate) fields: Fields,
    pub(crate) is_closed: bool,
    pub(crate) entered: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) level: Level,
    /// The span that it happened in.
    pub(crate) span: Option<usize>,
    pub(crate) fields: Fields,
}

/// All that was recorded, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Records {
    pub(crate) spans: Vec<Span>,
    pub(crate) events: Vec<Told>,
}

impl Records {
    /// The only span of a name whose destination or handler ends with `of`.
    pub(crate) fn span(&self, name: &str, of: &str) -> (usize, &Span) {
        let ends = |span: &Span, field| span.fields.get(field).is_some_and(|text| text.ends_with(of));
        let found = self.spans.iter().enumerate().filter(|(_, span)| {
            span.name == name && (ends(span, "messaging.destination.name") || ends(span, "mediator.handler"))
        });
        let found: Vec<_> = found.collect();
        assert_eq!(found.len(), 1, "{name} of {of} in {self:#?}");
        found[0]
    }

    pub(crate) fn events_at(&self, level: Level) -> Vec<&Told> {
        self.events.iter().filter(|event| event.level == level).collect()
    }
}

#[derive(Clone, Default)]
struct Recording(Arc<Mutex<Records>>);

/// Where a span is among the records.
struct Place(usize);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recording {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let span = context.span(id).expect("a new span");
        let parent = span.parent().and_then(|parent| Some(parent.extensions().get::<Place>()?.0));
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let mut records = self.0.lock().unwrap();
        span.extensions_mut().insert(Place(records.spans.len()));
        records.spans.push(Span { name: span.name(), parent, fields, is_closed: false, entered: 0 });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let place = context.span(id).expect("a span").extensions().get::<Place>().expect("recorded").0;
        values.record(&mut self.0.lock().unwrap().spans[place].fields);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let span = context.event_span(event).and_then(|span| Some(span.extensions().get::<Place>()?.0));
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.0.lock().unwrap().events.push(Told { level: *event.metadata().level(), span, fields });
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        let place = context.span(id).expect("a span").extensions().get::<Place>().expect("recorded").0;
        self.0.lock().unwrap().spans[place].entered += 1;
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let place = context.span(&id).expect("a span").extensions().get::<Place>().expect("recorded").0;
        self.0.lock().unwrap().spans[place].is_closed = true;
    }
}

/// What is told while `run` runs, to a layer that is interested in everything of the mediator up to `level`.
pub(crate) fn recorded(level: Level, run: impl FnOnce()) -> Records {
    recorded_of(filter::Targets::new().with_target("mediator", level), run)
}

/// The same of a layer that is interested in other targets.
pub(crate) fn recorded_elsewhere(run: impl FnOnce()) -> Records {
    recorded_of(filter::Targets::new().with_target("elsewhere", Level::TRACE), run)
}

fn recorded_of(interest: filter::Targets, run: impl FnOnce()) -> Records {
    let recording = Recording::default();
    let subscriber = Registry::default().with(recording.clone().with_filter(interest));
    alone(|| tracing::subscriber::with_default(subscriber, run));
    recording.0.lock().unwrap().clone()
}

/// Runs one test after another: whether anybody is interested in a span or an event is kept for all threads, and what is right
/// for the subscriber of one would be kept for that of another.
pub(crate) fn alone<T>(run: impl FnOnce() -> T) -> T {
    static ALONE: Mutex<()> = Mutex::new(());

    let _guard = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    run()
}
