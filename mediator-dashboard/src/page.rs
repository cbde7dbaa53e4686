//! The page, of parts that are replaced as they change.

use std::time::SystemTime;

use maud::{DOCTYPE, Markup, html};
use mediator_outbox::{Delivery, HandlerStats};
use serde_json::Value;

use crate::routes::App;
use crate::view::{Contents, SHOWN, View};
use crate::{plot, topology};

pub(crate) struct Page<'a> {
    pub(crate) app: &'a App,
    pub(crate) view: &'a View,
    /// The last segment of the page's own path, which links begin with: they are relative.
    pub(crate) place: &'a str,
    pub(crate) may_change: bool,
}

/// Of a path, without a slash at its end.
pub(crate) fn last_segment(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

impl Page<'_> {
    fn link(&self, to: &str) -> String {
        if self.place.is_empty() { to.to_owned() } else { format!("{}/{to}", self.place) }
    }

    pub(crate) fn whole(&self) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { "mediator" }
                    link rel="stylesheet" href=(self.link("dashboard.css"));
                    script src=(self.link("dashboard.js")) defer {}
                    noscript { meta http-equiv="refresh" content="5"; }
                }
                body data-live=(self.link("live")) {
                    a.skip href="#main" { "To the deliveries" }
                    header {
                        h1 { "mediator" }
                        nav aria-label="Sections" {
                            a href="#deliveries" { "Deliveries" }
                            a href="#rates" { "Rates" }
                            @if let Some(title) = self.app.watcher.section_title() { a href="#section" { (title) } }
                            a href="#topology" { "Who handles what" }
                        }
                        p #status role="status" { "not live" }
                    }
                    main #main tabindex="-1" {
                        @for (id, part) in self.parts() { section #(id) { (maud::PreEscaped(part)) } }
                    }
                    footer { p { "The same as JSON: " (self.api_links()) } }
                }
            }
        }
    }

    fn api_links(&self) -> Markup {
        html! {
            @for name in ["topology", "stats", "deliveries", "attempts", "rates"] {
                a href=(self.link(&format!("api/{name}"))) { (name) } " "
            }
            @if self.app.watcher.section_title().is_some() { a href=(self.link("api/section")) { "section" } }
        }
    }

    /// The parts by their ids.
    pub(crate) fn parts(&self) -> Vec<(&'static str, String)> {
        let mut parts = vec![("deliveries", self.deliveries()), ("rates", plot::plots(&self.view.samples))];
        parts.extend(self.section().map(|section| ("section", section)));
        let stats = self.view.outbox.as_ref().ok().map(|contents| &contents.stats);
        parts.push(("topology", topology::topology(self.app.mediator.topology(), stats)));
        parts.into_iter().map(|(id, part)| (id, part.into_string())).collect()
    }

    fn deliveries(&self) -> Markup {
        html! {
            h2 { "Deliveries" }
            @match &self.view.outbox {
                Err(error) => p.error { "The outbox cannot be asked: " (error) },
                Ok(contents) => {
                    (totals(&contents.stats))
                    (self.dead(contents))
                    (table("Running", &contents.running, contents.stats.running(), "Lease ends"))
                    (table("Ready", &contents.ready, contents.stats.ready(), "Due"))
                    (table("Waiting behind another one of their key", &contents.waiting, contents.stats.waiting(), "Due"))
                }
            }
        }
    }

    fn dead(&self, contents: &Contents) -> Markup {
        let all = contents.stats.dead();
        html! {
            h3 { "Dead" (count(all)) }
            @if contents.dead.is_empty() { p.none { "None." } } @else {
                div.scroll tabindex="0" role="region" aria-label="Dead deliveries" {
                    table {
                        thead { tr {
                            th { "Delivery" } th { "Event and handler" } th { "Attempts" } th { "Cause" } th { "Trace" }
                            th { "Given up" } @if self.may_change { th { "Then" } }
                        } }
                        tbody { @for delivery in &contents.dead { (self.dead_row(delivery)) } }
                    }
                }
                (more(contents.dead.len(), all))
                @if self.may_change { (self.whole_handlers(contents)) }
            }
        }
    }

    fn dead_row(&self, delivery: &Delivery) -> Markup {
        html! {
            tr.dead {
                (identity(delivery))
                td.cause data-label="Cause" { (delivery.last_error.as_deref().unwrap_or("unknown")) }
                td data-label="Trace" { (trace(delivery)) }
                td data-label="Given up" { (delivery.finished_at.map(time).unwrap_or_default()) }
                @if self.may_change {
                    td.buttons data-label="Then" {
                        (self.button(&format!("deliveries/{}", delivery.id), "retry", &delivery.id.to_string()))
                        (self.button(&format!("deliveries/{}", delivery.id), "discard", &delivery.id.to_string()))
                    }
                }
            }
        }
    }

    /// For each handler with several dead deliveries, what to do with all of them.
    fn whole_handlers(&self, contents: &Contents) -> Markup {
        let handlers = contents.stats.handlers().filter(|(_, stats)| stats.dead() > 1);
        html! {
            @for (handler, stats) in handlers {
                div.all {
                    "All " (stats.dead()) " of " code { (handler) } ": "
                    (self.button(&format!("handlers/{}", escaped(handler)), "retry", handler))
                    (self.button(&format!("handlers/{}", escaped(handler)), "discard", handler))
                }
            }
        }
    }

    fn button(&self, which: &str, change: &str, name: &str) -> Markup {
        let label = if change == "retry" { "Retry" } else { "Discard" };
        html! {
            form method="post" action=(self.link(&format!("{which}/{change}"))) data-change=(change) {
                button data-key={ (which) "/" (change) } aria-label={ (label) " " (name) } { (label) }
            }
        }
    }

    fn section(&self) -> Option<Markup> {
        let (title, content) = (self.app.watcher.section_title()?, self.view.section.as_ref()?);
        Some(html! {
            h2 { (title) }
            @match content {
                Ok(content) => div.values { (value(content)) },
                Err(error) => p.error { (error) },
            }
        })
    }
}

/// As a segment of a path.
fn escaped(name: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    name.bytes().map(byte).collect()
}

fn count(count: u64) -> Markup {
    html! { @if count > 0 { " " span.count { (count) } } }
}

fn more(shown: usize, all: u64) -> Markup {
    let hidden = all.saturating_sub(shown as u64);
    html! { @if hidden > 0 { p.none { "and " (hidden) " more; " (SHOWN) " are shown." } } }
}

fn totals(stats: &HandlerStats) -> Markup {
    let oldest = stats.oldest_ready().map(|age| format!("the first one due for {} s", age.as_secs()));
    html! {
        dl.totals {
            div { dt { "Ready" } dd { (stats.ready()) } }
            div { dt { "Running" } dd { (stats.running()) } }
            div { dt { "Waiting" } dd { (stats.waiting()) } }
            div.alert[stats.dead() > 0] { dt { "Dead" } dd { (stats.dead()) } }
            @if stats.unknown() > 0 { div.alert { dt { "Unknown here" } dd { (stats.unknown()) } } }
        }
        @if let Some(oldest) = oldest { p.none { (oldest) } }
    }
}

fn table(title: &str, deliveries: &[Delivery], all: u64, due: &str) -> Markup {
    html! {
        @if !deliveries.is_empty() {
            h3 { (title) (count(all)) }
            div.scroll tabindex="0" role="region" aria-label=(title) {
                table {
                    thead { tr {
                        th { "Delivery" } th { "Event and handler" } th { "Attempts" } th { "Last error" } th { "Trace" }
                        th { (due) }
                    } }
                    tbody {
                        @for delivery in deliveries {
                            tr {
                                (identity(delivery))
                                td.cause data-label="Last error" { (delivery.last_error.as_deref().unwrap_or_default()) }
                                td data-label="Trace" { (trace(delivery)) }
                                td data-label=(due) { (time(delivery.due_at)) }
                            }
                        }
                    }
                }
            }
            (more(deliveries.len(), all))
        }
    }
}

fn identity(delivery: &Delivery) -> Markup {
    html! {
        td.number data-label="Delivery" { (delivery.id) }
        td data-label="Event" {
            div {
                code { (delivery.event_name) }
                @if let Some(key) = &delivery.key { br; small { "key " (key) } }
                div.to { small { "to " } code { (delivery.handler) } }
            }
        }
        td.number data-label="Attempts" { (delivery.attempts) }
    }
}

/// The trace, or else what the event has in common with those it belongs to.
fn trace(delivery: &Delivery) -> Markup {
    let headers: Value =
        delivery.headers.as_deref().and_then(|headers| serde_json::from_str(headers).ok()).unwrap_or_default();
    let trace = headers["traceparent"].as_str().and_then(|parent| parent.split('-').nth(1));
    html! {
        @match (trace, headers["correlation_id"].as_str()) {
            (Some(trace), _) => code.trace title=(trace) { (trace) },
            (None, Some(correlation)) => { small { "correlation " } code.trace title=(correlation) { (correlation) } },
            (None, None) => { small { "event " } code.trace title=(delivery.event_id) { (delivery.event_id) } },
        }
    }
}

fn time(time: SystemTime) -> Markup {
    let text = humantime::format_rfc3339_seconds(time).to_string();
    let (date, time) = text.trim_end_matches('Z').split_once('T').unwrap_or_default();
    html! { time datetime=(text) { span { (date) } " " span { (time) " UTC" } } }
}

/// Objects are tables, those in them under a heading.
fn value(content: &Value) -> Markup {
    html! {
        @match content {
            Value::Object(fields) => {
                @let plain: Vec<_> = fields.iter().filter(|(_, value)| !value.is_object()).collect();
                @if !plain.is_empty() {
                    dl { @for (name, field) in plain { div { dt { (name) } dd { (value(field)) } } } }
                }
                @for (name, object) in fields.iter().filter(|(_, value)| value.is_object()) {
                    div.group { h3 { (name) } (value(object)) }
                }
            }
            Value::Array(items) => ul { @for item in items { li { (value(item)) } } },
            Value::String(text) => (text),
            Value::Null => "–",
            other => (other.to_string()),
        }
    }
}
