//! The topology as a picture: events, requests, handlers and services grouped by crate, an arrow for each delivery and each injection.

use std::any::TypeId;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use super::{HandlerNode, Topology, inside, label, printable, short};

/// What Mermaid and Graphviz draw alike.
#[derive(Default)]
struct Picture {
    crates: BTreeMap<&'static str, Vec<Node>>,
    deliveries: Vec<Delivery>,
    /// From a request to its handler.
    sends: Vec<(String, String)>,
    /// From a handler or a service to a service that it needs.
    injections: Vec<(String, String)>,
}

struct Node {
    id: String,
    /// What it is, and what it borrows, a line each.
    lines: Vec<String>,
    shape: Shape,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Event,
    UnhandledEvent,
    Request,
    UnhandledRequest,
    Handler,
    /// Handles every event: without arrows, which would be one from each.
    Observer,
    Service,
}

impl Shape {
    fn is_unhandled(self) -> bool {
        matches!(self, Self::UnhandledEvent | Self::UnhandledRequest)
    }
}

struct Delivery {
    event: String,
    position: usize,
    handler: String,
}

impl Picture {
    fn of(topology: &Topology) -> Self {
        let mut picture = Self::default();
        let services = picture.add_services(topology);
        let mut handlers = HashMap::new();
        for (index, node) in topology.events.iter().enumerate() {
            let event = format!("event{index}");
            let shape = if node.is_unhandled() { Shape::UnhandledEvent } else { Shape::Event };
            let name = label(node.event.name(), node.event.type_name());
            let lines = [short(&name)].into_iter().chain(node.is_external.then(|| "external".to_owned()));
            picture.add(node.event.crate_name(), &event, lines.collect(), shape);
            for node in node.handlers.iter().filter(|node| !node.is_observer) {
                let handler = picture.handler(node, &mut handlers, &services);
                picture.deliveries.push(Delivery { event: event.clone(), position: node.position, handler });
            }
        }
        for (index, node) in topology.requests.iter().enumerate() {
            let request = format!("request{index}");
            let shape = if node.handler.is_some() { Shape::Request } else { Shape::UnhandledRequest };
            let name = label(node.request.name(), node.request.type_name());
            picture.add(node.request.crate_name(), &request, vec![short(&name)], shape);
            if let Some(node) = &node.handler {
                let handler = picture.handler(node, &mut handlers, &services);
                picture.sends.push((request.clone(), handler));
            }
        }
        for (index, node) in topology.observers.iter().enumerate() {
            picture.add_handler(node, &format!("observer{index}"), Shape::Observer, &services);
        }
        picture
    }

    /// The ids of the services by their names.
    fn add_services(&mut self, topology: &Topology) -> HashMap<&'static str, String> {
        let ids =
            topology.services.iter().enumerate().map(|(index, node)| (node.service.name(), format!("service{index}")));
        let ids: HashMap<_, _> = ids.collect();
        for node in &topology.services {
            let id = &ids[node.service.name()];
            self.add(node.service.crate_name(), id, vec![short(&printable(node.service.name()))], Shape::Service);
            let needed = node.needs.iter().filter_map(|need| ids.get(need.provided_by?.name()));
            self.injections.extend(needed.map(|service| (id.clone(), service.clone())));
        }
        ids
    }

    /// The id of a handler, which is one box, whatever it handles.
    fn handler(
        &mut self,
        node: &HandlerNode,
        handlers: &mut HashMap<TypeId, String>,
        services: &HashMap<&'static str, String>,
    ) -> String {
        let count = handlers.len();
        let handler = handlers.entry(node.identity).or_insert_with(|| {
            let id = format!("handler{count}");
            self.add_handler(node, &id, Shape::Handler, services);
            id
        });
        handler.clone()
    }

    fn add_handler(&mut self, node: &HandlerNode, id: &str, shape: Shape, services: &HashMap<&'static str, String>) {
        let mut lines = vec![short(&printable(node.handler.name()))];
        lines.extend(node.is_durable.then(|| "durable".to_owned()));
        lines.extend(node.borrows.iter().map(ToString::to_string).chain(inside(node)));
        self.add(node.handler.crate_name(), id, lines, shape);
        let needed = node.services.iter().filter_map(|need| services.get(need.provided_by?.name()));
        self.injections.extend(needed.map(|service| (id.to_owned(), service.clone())));
    }

    fn add(&mut self, crate_name: &'static str, id: &str, lines: Vec<String>, shape: Shape) {
        self.crates.entry(crate_name).or_default().push(Node { id: id.to_owned(), lines, shape });
    }
}

pub(super) fn mermaid(topology: &Topology) -> String {
    let picture = Picture::of(topology);
    let mut lines = "flowchart LR\n".to_owned();
    for (index, (name, nodes)) in picture.crates.iter().enumerate() {
        _ = writeln!(lines, "    subgraph crate{index}[\"{}\"]", mermaid_text(name));
        for Node { id, lines: texts, shape } in nodes {
            let (open, close) = match shape {
                Shape::Event => ("([\"", "\"])"),
                Shape::UnhandledEvent => ("([\"", "\"]):::unhandled"),
                Shape::Request => ("[/\"", "\"/]"),
                Shape::UnhandledRequest => ("[/\"", "\"/]:::unhandled"),
                Shape::Handler => ("[\"", "\"]"),
                Shape::Observer => ("{{\"", "<br/>every event\"}}"),
                Shape::Service => ("[(\"", "\")]"),
            };
            let texts: Vec<_> = texts.iter().map(|text| mermaid_text(text)).collect();
            _ = writeln!(lines, "        {id}{open}{}{close}", texts.join("<br/>"));
        }
        lines.push_str("    end\n");
    }
    for Delivery { event, position, handler } in &picture.deliveries {
        _ = writeln!(lines, "    {event} -->|{position}| {handler}");
    }
    for (request, handler) in &picture.sends {
        _ = writeln!(lines, "    {request} --> {handler}");
    }
    for (by, service) in &picture.injections {
        _ = writeln!(lines, "    {by} -.-> {service}");
    }
    if picture.crates.values().flatten().any(|node| node.shape.is_unhandled()) {
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
        for Node { id, lines: texts, shape } in nodes {
            let style = match shape {
                Shape::Event => "shape=box, style=rounded",
                Shape::UnhandledEvent => "shape=box, style=\"rounded,dashed\"",
                Shape::Request => "shape=parallelogram",
                Shape::UnhandledRequest => "shape=parallelogram, style=dashed",
                Shape::Handler => "shape=box",
                Shape::Observer => "shape=hexagon, xlabel=\"every event\"",
                Shape::Service => "shape=cylinder",
            };
            _ = writeln!(lines, "        {id} [label={}, {style}];", dot_text(&texts.join("\n")));
        }
        lines.push_str("    }\n");
    }
    for Delivery { event, position, handler } in &picture.deliveries {
        _ = writeln!(lines, "    {event} -> {handler} [label={position}];");
    }
    for (request, handler) in &picture.sends {
        _ = writeln!(lines, "    {request} -> {handler};");
    }
    for (by, service) in &picture.injections {
        _ = writeln!(lines, "    {by} -> {service} [style=dotted];");
    }
    lines.push_str("}\n");
    lines
}

fn dot_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
