//! What was recorded, for people to read.

use std::fmt::Write;

use crate::event::id::EventId;
use crate::observe::Operation;
use crate::observe::records::{Cause, Entry, Status};

/// The entries behind `since`, what was published or sent within a handler below that.
pub(super) fn of(entries: &[Entry], since: usize) -> String {
    let mut tree = Tree { entries, ids: Ids::of(entries), text: String::new() };
    let is_root = |entry: &Entry| entry.cause.is_none_or(|cause| cause.entry < since);
    for (index, _) in entries.iter().enumerate().skip(since).filter(|(_, entry)| is_root(entry)) {
        tree.write(Node::Message(index), "", "");
    }
    if tree.text.is_empty() {
        tree.text.push_str("nothing was published or sent\n");
    }
    tree.text
}

struct Tree<'a> {
    entries: &'a [Entry],
    ids: Ids,
    text: String,
}

#[derive(Clone, Copy)]
enum Node {
    /// An entry.
    Message(usize),
    /// An entry and the place of one of its handlers.
    Handler(usize, usize),
}

impl Tree<'_> {
    fn write(&mut self, node: Node, before: &str, below: &str) {
        self.text.push_str(before);
        self.label(node);
        let children = self.children(node);
        for (index, child) in children.iter().enumerate() {
            let is_last = index + 1 == children.len();
            let (branch, continued) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            self.write(*child, &format!("{below}{branch}"), &format!("{below}{continued}"));
        }
    }

    fn children(&self, node: Node) -> Vec<Node> {
        let (entry, handler) = match node {
            Node::Message(entry) => (entry, None),
            Node::Handler(entry, handler) => (entry, Some(handler)),
        };
        let handlers = self.entries[entry].handlers.iter().enumerate().filter(|_| handler.is_none());
        let within = Some(Cause { entry, handler });
        let caused = self.entries.iter().enumerate().filter(|(_, entry)| entry.cause == within);
        let handlers = handlers.map(|(handler, _)| Node::Handler(entry, handler));
        handlers.chain(caused.map(|(entry, _)| Node::Message(entry))).collect()
    }

    fn label(&mut self, node: Node) {
        let (name, status) = match node {
            Node::Message(index) => {
                let entry = &self.entries[index];
                let what = match entry.operation {
                    Operation::Publish => "event",
                    Operation::Send => "request",
                    Operation::Deliver => "delivery",
                };
                let number = entry.id.map(|id| format!(" {}", self.ids.short(id))).unwrap_or_default();
                (format!("{what} {}{number}", entry.name), status_of(entry))
            }
            Node::Handler(entry, handler) => {
                let (handler, status) = &self.entries[entry].handlers[handler];
                (handler.name().to_owned(), status.to_string())
            }
        };
        let status = status.split_whitespace().collect::<Vec<_>>().join(" ");
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.text, "{name}: {}", self.ids.shorten(&status));
    }
}

/// In one word, if its handlers say more; with the answer of a request.
fn status_of(entry: &Entry) -> String {
    let is_told = entry.handlers.iter().any(|(_, status)| matches!(status, Status::Failed(_) | Status::Panicked(_)));
    match &entry.status {
        Status::Failed(_) if is_told => "failed".to_owned(),
        // An answer of nothing is none.
        Status::Ok => match entry.answer.as_deref() {
            None | Some("()") => Status::Ok.to_string(),
            Some(answer) => format!("{}: {answer}", Status::Ok),
        },
        status => status.to_string(),
    }
}

/// The ids of events, in the order of their appearance.
pub(super) struct Ids(Vec<EventId>);

impl Ids {
    pub(super) fn of(entries: &[Entry]) -> Self {
        let mut ids = Vec::new();
        for id in entries.iter().filter_map(|entry| entry.id) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Self(ids)
    }

    /// `#1`
    pub(super) fn short(&self, id: EventId) -> String {
        let number = self.0.iter().position(|known| *known == id).map_or(0, |position| position + 1);
        format!("#{number}")
    }

    /// A text with `#1` in the place of an id.
    pub(super) fn shorten(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, id| text.replace(&id.to_string(), &self.short(*id)))
    }
}
