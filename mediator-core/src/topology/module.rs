//! What one module handles, and whether it may.

use std::error::Error;
use std::fmt;

use super::{EventNode, HandlerNode, Topology};
use crate::event::info::EventInfo;
use crate::handler::info::HandlerInfo;

/// One module of a [`Topology`]: a crate, with the handlers that it registers; from [`Topology::module`].
#[derive(Clone, Copy, Debug)]
pub struct Module<'a> {
    topology: &'a Topology,
    name: &'a str,
}

impl Topology {
    /// The module in the crate of this name, whether written with `-` or with `_`.
    ///
    /// ```
    /// use mediator_core::prelude::*;
    ///
    /// # fn f() -> Result<(), Box<dyn std::error::Error>> {
    /// let mediator = Mediator::new()?;
    /// mediator.topology().module("billing").handles_only_events_of(["orders"])?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn module<'a>(&'a self, crate_name: &'a str) -> Module<'a> {
        Module { topology: self, name: crate_name }
    }

    /// Whether something is registered or declared in the crate.
    fn knows(&self, module: &str) -> bool {
        let of_events = self.events.iter().map(|node| node.event.crate_name());
        let of_requests = self.requests.iter().map(|node| node.request.crate_name());
        let of_services = self.services.iter().map(|node| node.service.crate_name());
        let handlers = self.events.iter().flat_map(EventNode::handlers).chain(&self.observers);
        let handlers = handlers.chain(self.requests.iter().filter_map(|node| node.handler.as_ref()));
        let of_handlers = handlers.map(|node| node.handler.crate_name());
        of_events.chain(of_requests).chain(of_services).chain(of_handlers).any(|name| is_same(name, module))
    }
}

impl Module<'_> {
    /// Checks that the module handles events of its own and of these other modules only; observers, which handle every event,
    /// do not count.
    ///
    /// # Errors
    ///
    /// With every handler of another module's event, and the places of both. And if nothing in this program belongs to a module of
    /// this name, since what is misspelled or not linked is not checked.
    pub fn handles_only_events_of<'m>(
        &self,
        modules: impl IntoIterator<Item = &'m str>,
    ) -> Result<(), CrossedBoundary> {
        let allowed: Vec<_> = modules.into_iter().map(str::to_owned).collect();
        let may_handle = |name| is_same(name, self.name) || allowed.iter().any(|allowed| is_same(name, allowed));
        let is_foreign = |node: &&EventNode| !may_handle(node.event.crate_name());
        let foreign = self.topology.events.iter().filter(is_foreign);
        let crossed = foreign.flat_map(|node| self.handlers_of(node).map(|handler| (handler.handler, node.event)));
        let crossed: Vec<_> = crossed.collect();
        if crossed.is_empty() && self.topology.knows(self.name) {
            return Ok(());
        }
        Err(CrossedBoundary { module: self.name.to_owned(), allowed, crossed })
    }

    fn handlers_of<'a>(&'a self, node: &'a EventNode) -> impl Iterator<Item = &'a HandlerNode> {
        let own = |node: &&HandlerNode| !node.is_observer && is_same(node.handler.crate_name(), self.name);
        node.handlers.iter().filter(own)
    }
}

fn is_same(one: &str, other: &str) -> bool {
    one.replace('-', "_") == other.replace('-', "_")
}

/// A module handles events that it should not; from [`Module::handles_only_events_of`].
///
/// `Debug` shows the same text as `Display`, since that is what `unwrap` and a test that returns an error print.
#[derive(Clone)]
pub struct CrossedBoundary {
    module: String,
    allowed: Vec<String>,
    crossed: Vec<(HandlerInfo, EventInfo)>,
}

impl CrossedBoundary {
    /// The handlers, each with the event that it should not handle; none if there is no such module.
    #[must_use]
    pub fn handlers(&self) -> &[(HandlerInfo, EventInfo)] {
        &self.crossed
    }
}

impl fmt::Display for CrossedBoundary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { module, allowed, crossed } = self;
        if crossed.is_empty() {
            return write!(f, "no module `{module}` is linked into this program, or it has nothing to do with events");
        }
        write!(f, "module `{module}` may handle events of its own")?;
        if !allowed.is_empty() {
            write!(f, " and of `{}`", allowed.join("`, `"))?;
        }
        f.write_str(" only, but:")?;
        crossed.iter().try_for_each(|(handler, event)| write!(f, "\n- {handler} handles {event}"))
    }
}

impl fmt::Debug for CrossedBoundary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for CrossedBoundary {}
