//! The topology as data; its shape is documented at [`Topology`].

use serde::{Serialize, Serializer};

use super::{EventNode, HandlerNode, RequestNode, ServiceNode, ServiceUse, Topology, short};
use crate::handler::info::HandlerInfo;

/// Counts up when an entry changes its meaning or is removed.
const VERSION: u32 = 2;

impl Serialize for Topology {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let root = Root {
            version: VERSION,
            events: self.events.iter().map(Event::of).collect(),
            requests: self.requests.iter().map(Request::of).collect(),
            services: self.services.iter().map(Service::of).collect(),
        };
        root.serialize(serializer)
    }
}

#[derive(Serialize)]
struct Root {
    version: u32,
    events: Vec<Event>,
    requests: Vec<Request>,
    services: Vec<Service>,
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
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    external: bool,
    handlers: Vec<Handler>,
}

#[derive(Serialize)]
struct Request {
    name: &'static str,
    r#type: &'static str,
    response: &'static str,
    #[serde(rename = "crate")]
    crate_name: &'static str,
    file: Option<&'static str>,
    line: Option<u32>,
    handler: Option<Handler>,
}

#[derive(Serialize)]
struct Handler {
    position: usize,
    name: &'static str,
    #[serde(rename = "crate")]
    crate_name: &'static str,
    file: &'static str,
    line: u32,
    observer: bool,
    durable: bool,
    behaviors: Vec<&'static str>,
    services: Vec<Need>,
    borrows: Vec<Borrow>,
}

#[derive(Serialize)]
struct Service {
    name: &'static str,
    #[serde(rename = "crate")]
    crate_name: &'static str,
    file: &'static str,
    line: u32,
    types: Vec<&'static str>,
    services: Vec<Need>,
}

/// A service that is injected.
#[derive(Serialize)]
struct Need {
    field: Option<&'static str>,
    r#type: &'static str,
    provided_by: Option<&'static str>,
}

#[derive(Serialize)]
struct Borrow {
    parameter: &'static str,
    r#type: &'static str,
    exclusive: bool,
    optional: bool,
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
            external: node.is_external,
            handlers: node.handlers.iter().map(Handler::of).collect(),
        }
    }
}

impl Request {
    fn of(node: &RequestNode) -> Self {
        Self {
            name: node.request.name(),
            r#type: node.request.type_name(),
            response: node.request.response(),
            crate_name: node.request.crate_name(),
            file: node.request.location().map(|location| location.file()),
            line: node.request.location().map(|location| location.line()),
            handler: node.handler.as_ref().map(Handler::of),
        }
    }
}

impl Handler {
    fn of(node: &HandlerNode) -> Self {
        let borrows = node.borrows.iter().map(|borrow| Borrow {
            parameter: borrow.parameter,
            r#type: borrow.type_name,
            exclusive: borrow.is_exclusive,
            optional: borrow.is_optional,
        });
        Self {
            position: node.position,
            name: node.handler.name(),
            crate_name: node.handler.crate_name(),
            file: node.handler.location().file(),
            line: node.handler.location().line(),
            observer: node.is_observer,
            durable: node.is_durable,
            behaviors: node.behaviors.iter().map(HandlerInfo::name).collect(),
            services: node.services.iter().map(Need::of).collect(),
            borrows: borrows.collect(),
        }
    }
}

impl Service {
    fn of(node: &ServiceNode) -> Self {
        Self {
            name: node.service.name(),
            crate_name: node.service.crate_name(),
            file: node.service.location().file(),
            line: node.service.location().line(),
            types: node.types.clone(),
            services: node.needs.iter().map(Need::of).collect(),
        }
    }
}

impl Need {
    fn of(service: &ServiceUse) -> Self {
        let provided_by = service.provided_by.map(|provider| provider.name());
        Self { field: service.field, r#type: service.type_name, provided_by }
    }
}
