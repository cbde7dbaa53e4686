//! Who handles what, drawn: events at the left, handlers in the boxes of their modules at the right.

use std::collections::BTreeMap;

use maud::{Markup, html};
use mediator_core::{HandlerNode, Topology};
use mediator_outbox::Stats;

const ROW: usize = 26;
const GAP: usize = 18;
/// Above the handlers of a module, for its name.
const HEAD: usize = 26;
const MESSAGE_WIDTH: usize = 300;
const HANDLERS_AT: usize = 500;
const HANDLER_WIDTH: usize = 340;
const WIDTH: usize = HANDLERS_AT + HANDLER_WIDTH + 12;

struct Message<'a> {
    name: &'a str,
    kind: &'static str,
    handlers: Vec<&'a HandlerNode>,
}

/// Where a handler is: by its name, since one handler may handle several messages.
type Places<'a> = BTreeMap<(&'a str, &'a str), usize>;

struct Module<'a> {
    name: &'a str,
    handlers: Vec<&'a HandlerNode>,
}

pub(crate) fn topology(topology: &Topology, stats: Option<&Stats>) -> Markup {
    let messages = messages(topology);
    let modules = modules(topology, &messages);
    html! {
        h2 { "Who handles what" }
        p.none { "Events at the left, handlers by module at the right; a handler with a bar at its side is durable." }
        div.scroll tabindex="0" role="region" aria-label="The topology, drawn" { (drawing(&messages, &modules, stats)) }
        details { summary { "As a table" } (table(&messages)) }
    }
}

fn messages(topology: &Topology) -> Vec<Message<'_>> {
    let events = topology.events().iter().map(|node| Message {
        name: node.event().name(),
        kind: "event",
        handlers: node.handlers().iter().filter(|handler| !handler.is_observer()).collect(),
    });
    let requests = topology.requests().iter().map(|node| Message {
        name: node.request().name(),
        kind: "request",
        handlers: node.handler().into_iter().collect(),
    });
    events.chain(requests).collect()
}

/// The modules in the order of what they handle, so that lines cross less; those of observers first.
fn modules<'a>(topology: &'a Topology, messages: &[Message<'a>]) -> Vec<Module<'a>> {
    let mut modules = Vec::<Module<'a>>::new();
    let handled = messages.iter().flat_map(|message| message.handlers.iter().copied());
    for handler in topology.observers().iter().chain(handled) {
        let name = handler.handler().crate_name();
        let at = modules.iter().position(|module| module.name == name).unwrap_or_else(|| {
            modules.push(Module { name, handlers: Vec::new() });
            modules.len() - 1
        });
        let handlers = &mut modules[at].handlers;
        if handlers.iter().all(|it| it.handler() != handler.handler()) {
            handlers.push(handler);
        }
    }
    modules
}

fn drawing(messages: &[Message<'_>], modules: &[Module<'_>], stats: Option<&Stats>) -> Markup {
    let (boxes, places, height) = boxes(modules, stats);
    // As far apart as fills the height.
    let step = if messages.is_empty() { ROW } else { (height / messages.len()).clamp(ROW, 2 * ROW) };
    let height = height.max(messages.len() * step) + 2;
    html! {
        svg.topology width=(WIDTH) height=(height) viewBox={ "0 0 " (WIDTH) " " (height) } role="img"
            aria-label="Events, and lines to the handlers of each; the table below says the same" {
            @for (index, message) in messages.iter().enumerate() { (lines(message, index * step, &places, modules)) }
            @for (index, message) in messages.iter().enumerate() { (node(message, index * step)) }
            (boxes)
        }
    }
}

fn boxes<'a>(modules: &[Module<'a>], stats: Option<&Stats>) -> (Markup, Places<'a>, usize) {
    let (mut places, mut y) = (Places::new(), 0);
    let mut drawn = Vec::new();
    for (index, module) in modules.iter().enumerate() {
        let top = y;
        y += HEAD;
        let mut rows = Vec::new();
        for handler in &module.handlers {
            places.insert((module.name, handler.handler().name()), y + ROW / 2 - 2);
            rows.push(handler_row(handler, module.name, y, stats));
            y += ROW;
        }
        drawn.push(html! {
            g class={ "module m" (index % 6) } {
                rect.module x=(HANDLERS_AT) y=(top + 1) width=(HANDLER_WIDTH + 10) height=(y - top + 6) rx="8" {}
                text.module x=(HANDLERS_AT + 10) y=(top + 18) { (module.name) }
                @for row in &rows { (row) }
            }
        });
        y += GAP;
    }
    (html! { @for module in &drawn { (module) } }, places, y)
}

fn handler_row(handler: &HandlerNode, module: &str, y: usize, stats: Option<&Stats>) -> Markup {
    let name = handler.handler().name();
    let waiting = stats.and_then(|stats| stats.handler(name)).filter(|_| handler.is_durable());
    let (unfinished, dead) = waiting.map_or((0, 0), |stats| (stats.unfinished(), stats.dead()));
    html! {
        g.handler {
            title { (name) " at " (handler.handler().location()) }
            rect x=(HANDLERS_AT + 5) y=(y) width=(HANDLER_WIDTH) height=(ROW - 4) rx="4" {}
            @if handler.is_durable() { rect.durable x=(HANDLERS_AT + 5) y=(y) width="4" height=(ROW - 4) rx="2" {} }
            text x=(HANDLERS_AT + 16) y=(y + 15) { (shortened(within(name, module), 36)) }
            @if handler.is_observer() {
                text.hint x=(HANDLERS_AT + HANDLER_WIDTH - 4) y=(y + 15) text-anchor="end" { "every event" }
            }
            @if dead > 0 {
                text.dead x=(HANDLERS_AT + HANDLER_WIDTH - 4) y=(y + 15) text-anchor="end" { (dead) " dead" }
            } @else if unfinished > 0 {
                text.hint x=(HANDLERS_AT + HANDLER_WIDTH - 4) y=(y + 15) text-anchor="end" { (unfinished) " to do" }
            }
        }
    }
}

fn node(message: &Message<'_>, y: usize) -> Markup {
    let radius = if message.kind == "event" { "11" } else { "2" };
    let class = if message.handlers.is_empty() { "message unhandled" } else { "message" };
    html! {
        g class=(class) {
            title { (message.kind) " " (message.name) @if message.handlers.is_empty() { ", which nobody handles" } }
            rect x="1" y=(y + 1) width=(MESSAGE_WIDTH) height=(ROW - 4) rx=(radius) {}
            text x="12" y=(y + 16) { (shortened(message.name, 38)) }
        }
    }
}

fn lines(message: &Message<'_>, y: usize, places: &Places<'_>, modules: &[Module<'_>]) -> Markup {
    let (from, y) = (MESSAGE_WIDTH + 1, y + ROW / 2 - 1);
    let middle = usize::midpoint(from, HANDLERS_AT);
    html! {
        @for handler in &message.handlers {
            @let module = handler.handler().crate_name();
            @if let Some(to) = places.get(&(module, handler.handler().name())) {
                @let color = modules.iter().position(|it| it.name == module).unwrap_or_default() % 6;
                path class={ "line m" (color) }
                    d={ "M" (from) "," (y) " C" (middle) "," (y) " " (middle) "," (to) " " (HANDLERS_AT + 5) "," (to) } {}
            }
        }
    }
}

fn table(messages: &[Message<'_>]) -> Markup {
    html! {
        table {
            thead { tr { th { "Event or request" } th { "Handlers, in the order of their calls" } } }
            tbody {
                @for message in messages {
                    tr {
                        td data-label="Event or request" { code { (message.name) } }
                        td data-label="Handlers" {
                            @for handler in &message.handlers {
                                code { (handler.handler().name()) } @if handler.is_durable() { small { " durable" } } br;
                            }
                            @if message.handlers.is_empty() { small { "none" } }
                        }
                    }
                }
            }
        }
    }
}

/// A handler's name without its crate, which the box has.
fn within<'a>(name: &'a str, module: &str) -> &'a str {
    let path = name.strip_prefix(module).and_then(|rest| rest.strip_prefix("::")).unwrap_or(name);
    path.rsplit("::").next().unwrap_or(path)
}

fn shortened(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.to_owned();
    }
    name.chars().take(most - 1).chain(['…']).collect()
}
