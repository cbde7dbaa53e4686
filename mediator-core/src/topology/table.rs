//! The topology as a table for a terminal.

use std::fmt;
use std::panic::Location;

use super::{EventNode, HandlerNode, RequestNode, ServiceNode, ServiceUse, Topology, inside, label, printable, short};

/// Columns: the event, the request or its handler, the crate, the place, what the handler needs.
type Row = [String; 4];

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heads = ["event and handlers", "crate", "declared at", "strategy, services, borrows and behaviors"];
        let mut rows = vec![heads.map(str::to_owned)];
        for event in &self.events {
            rows.push(event_row(event));
            rows.extend(event.handlers.iter().map(handler_row));
        }
        for request in &self.requests {
            rows.push(request_row(request));
            rows.extend(request.handler.iter().map(handler_row));
        }
        rows.extend(self.services.iter().map(service_row));
        let mut widths = [0; 4];
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let lines: Vec<_> = rows.iter().map(|row| line(row, &widths)).collect();
        f.write_str(&lines.join("\n"))
    }
}

fn event_row(node: &EventNode) -> Row {
    let event = node.event;
    let mut name = declared_name(event.name(), event.type_name(), event.crate_name());
    if node.is_external {
        name.push_str(" (external)");
    }
    let strategy = if node.is_unhandled() { "no handler".to_owned() } else { short(node.strategy) };
    [name, event.crate_name().to_owned(), place(event.location()), strategy]
}

fn request_row(node: &RequestNode) -> Row {
    let request = node.request;
    let name = declared_name(request.name(), request.type_name(), request.crate_name());
    let name = format!("request {name} -> {}", short(request.response()));
    let handled = if node.handler.is_none() { "no handler" } else { "" };
    [name, request.crate_name().to_owned(), place(request.location()), handled.to_owned()]
}

/// `orders.placed = OrderPlaced`
fn declared_name(name: &str, type_name: &str, crate_name: &str) -> String {
    let path = within_crate(type_name, crate_name);
    match label(name, type_name) {
        label if label == type_name => path,
        label => format!("{label} = {path}"),
    }
}

fn place(location: Option<&Location<'_>>) -> String {
    location.map_or_else(|| "by hand".to_owned(), |at| format!("{}:{}", at.file(), at.line()))
}

fn handler_row(node: &HandlerNode) -> Row {
    let (handler, at) = (node.handler, node.handler.location());
    let kind = match (node.is_observer, node.is_durable) {
        (true, _) => " (observer)",
        (_, true) => " (durable)",
        _ => "",
    };
    let needs = node.services.iter().map(need).chain(node.borrows.iter().map(ToString::to_string));
    let needs = needs.chain(inside(node));
    [
        format!("  {}. {}{kind}", node.position, within_crate(handler.name(), handler.crate_name())),
        handler.crate_name().to_owned(),
        format!("{}:{}", at.file(), at.line()),
        needs.collect::<Vec<_>>().join(", "),
    ]
}

fn service_row(node: &ServiceNode) -> Row {
    let (service, at) = (node.service, node.service.location());
    let types: Vec<_> = node.types.iter().map(|service| short(service)).collect();
    [
        format!("service {} = {}", types.join(", "), within_crate(service.name(), service.crate_name())),
        service.crate_name().to_owned(),
        format!("{}:{}", at.file(), at.line()),
        node.needs.iter().map(need).collect::<Vec<_>>().join(", "),
    ]
}

/// `Arc<Log> from audit`
fn need(service: &ServiceUse) -> String {
    let name = short(service.type_name);
    match service.provided_by {
        Some(provider) => format!("{name} from {}", provider.crate_name()),
        None => name,
    }
}

/// A path without the crate, which has a column of its own.
fn within_crate(path: &str, crate_name: &str) -> String {
    printable(path.strip_prefix(crate_name).and_then(|path| path.strip_prefix("::")).unwrap_or(path))
}

fn line(row: &Row, widths: &[usize; 4]) -> String {
    let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
    cells.join("  ").trim_end().to_owned()
}
