//! The topology as data; its shape is documented at [`Topology`].

use serde::{Serialize, Serializer};

use super::{EventNode, HandlerNode, Topology, short};

/// Counts up when an entry changes its meaning or is removed.
const VERSION: u32 = 1;

impl Serialize for Topology {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Root { version: VERSION, events: self.events.iter().map(Event::of).collect() }.serialize(serializer)
    }
}

#[derive(Serialize)]
struct Root {
    version: u32,
    events: Vec<Event>,
}

#[derive(Serialize)]
struct Event {
    name: &'static str,
    r#type: &'static str,
    #[serde(rename = "crate")]
    crate_name: &'static str,
    file: Option<&'static str>,
    line: Option<u32>,
    strategy: String,
    handlers: Vec<Handler>,
}

#[derive(Serialize)]
struct Handler {
    position: usize,
    name: &'static str,
    #[serde(rename = "crate")]
    crate_name: &'static str,
    file: &'static str,
    line: u32,
    services: Vec<Service>,
}

#[derive(Serialize)]
struct Service {
    field: Option<&'static str>,
    r#type: &'static str,
}

impl Event {
    fn of(node: &EventNode) -> Self {
        Self {
            name: node.event.name(),
            r#type: node.event.type_name(),
            crate_name: node.event.crate_name(),
            file: node.event.location().map(|location| location.file()),
            line: node.event.location().map(|location| location.line()),
            strategy: short(node.strategy),
            handlers: node.handlers.iter().map(Handler::of).collect(),
        }
    }
}

impl Handler {
    fn of(node: &HandlerNode) -> Self {
        let services = node.services.iter();
        Self {
            position: node.position,
            name: node.handler.name(),
            crate_name: node.handler.crate_name(),
            file: node.handler.location().file(),
            line: node.handler.location().line(),
            services: services.map(|service| Service { field: service.field, r#type: service.type_name }).collect(),
        }
    }
}
