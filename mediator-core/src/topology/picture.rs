//! The topology as a picture: events and handlers grouped by crate, an arrow for each delivery.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use super::{Topology, event_label, short};

/// What Mermaid and Graphviz draw alike.
struct Picture {
    crates: BTreeMap<&'static str, Vec<Node>>,
    arrows: Vec<Arrow>,
}

struct Node {
    id: String,
    label: String,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Event,
    UnhandledEvent,
    Handler,
}

struct Arrow {
    event: String,
    position: usize,
    handler: String,
}

impl Picture {
    fn of(topology: &Topology) -> Self {
        let mut picture = Self { crates: BTreeMap::new(), arrows: Vec::new() };
        let mut handlers = HashMap::new();
        for (index, node) in topology.events.iter().enumerate() {
            let event = format!("event{index}");
            let kind = if node.handlers.is_empty() { Kind::UnhandledEvent } else { Kind::Event };
            picture.add(node.event.crate_name(), &event, event_label(&node.event), kind);
            for node in &node.handlers {
                let count = handlers.len();
                // A handler of several events is one box.
                let handler = handlers.entry(node.handler_type).or_insert_with(|| {
                    let id = format!("handler{count}");
                    picture.add(node.handler.crate_name(), &id, node.handler.name(), Kind::Handler);
                    id
                });
                let (event, handler) = (event.clone(), handler.clone());
                picture.arrows.push(Arrow { event, position: node.position, handler });
            }
        }
        picture
    }

    fn add(&mut self, crate_name: &'static str, id: &str, name: &str, kind: Kind) {
        self.crates.entry(crate_name).or_default().push(Node { id: id.to_owned(), label: short(name), kind });
    }
}

pub(super) fn mermaid(topology: &Topology) -> String {
    let picture = Picture::of(topology);
    let mut lines = "flowchart LR\n".to_owned();
    for (index, (name, nodes)) in picture.crates.iter().enumerate() {
        _ = writeln!(lines, "    subgraph crate{index}[\"{}\"]", mermaid_text(name));
        for Node { id, label, kind } in nodes {
            let (open, close) = match kind {
                Kind::Event => ("([\"", "\"])"),
                Kind::UnhandledEvent => ("([\"", "\"]):::unhandled"),
                Kind::Handler => ("[\"", "\"]"),
            };
            _ = writeln!(lines, "        {id}{open}{}{close}", mermaid_text(label));
        }
        lines.push_str("    end\n");
    }
    for Arrow { event, position, handler } in &picture.arrows {
        _ = writeln!(lines, "    {event} -->|{position}| {handler}");
    }
    if picture.crates.values().flatten().any(|node| node.kind == Kind::UnhandledEvent) {
        lines.push_str("    classDef unhandled stroke-dasharray: 4\n");
    }
    lines
}

/// Mermaid reads labels as HTML, and has a spelling of its own for HTML's entities.
fn mermaid_text(text: &str) -> String {
    let escape = |c| match c {
        '"' | '<' | '>' | '&' | '#' | '`' | '\\' => format!("#{};", u32::from(c)),
        _ => String::from(c),
    };
    text.chars().map(escape).collect()
}

pub(super) fn dot(topology: &Topology) -> String {
    let picture = Picture::of(topology);
    let mut lines = "digraph mediator {\n    rankdir=LR;\n    node [fontname=\"sans-serif\"];\n".to_owned();
    for (index, (name, nodes)) in picture.crates.iter().enumerate() {
        _ = writeln!(lines, "    subgraph cluster_{index} {{\n        label={};", dot_text(name));
        for Node { id, label, kind } in nodes {
            let style = match kind {
                Kind::Event => "shape=box, style=rounded",
                Kind::UnhandledEvent => "shape=box, style=\"rounded,dashed\"",
                Kind::Handler => "shape=box",
            };
            _ = writeln!(lines, "        {id} [label={}, {style}];", dot_text(label));
        }
        lines.push_str("    }\n");
    }
    for Arrow { event, position, handler } in &picture.arrows {
        _ = writeln!(lines, "    {event} -> {handler} [label={position}];");
    }
    lines.push_str("}\n");
    lines
}

fn dot_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
