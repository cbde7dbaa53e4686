//! The program that both sides are: what a user would write, and what one would write without us.

use std::fmt::Write;
use std::path::{Path, PathBuf};

const CRATES: usize = 20;
const EVENTS_PER_CRATE: usize = 25;
pub const HANDLERS_PER_CRATE: usize = 100;
pub const HANDLERS: usize = CRATES * HANDLERS_PER_CRATE;

#[derive(Clone, Copy, PartialEq)]
pub enum Style {
    Macros,
    /// Trait impls, a registration list per crate, a boxed future per call.
    ByHand,
    /// By macros, an event for each handler.
    EventPairs,
    /// By macros, a request for each handler.
    RequestPairs,
}

impl Style {
    pub fn name(self) -> &'static str {
        match self {
            Self::Macros => "macros",
            Self::ByHand => "by-hand",
            Self::EventPairs => "event-pairs",
            Self::RequestPairs => "request-pairs",
        }
    }

    fn messages_per_crate(self) -> usize {
        match self {
            Self::Macros | Self::ByHand => EVENTS_PER_CRATE,
            Self::EventPairs | Self::RequestPairs => HANDLERS_PER_CRATE,
        }
    }
}

/// The crates that are timed; what they depend on is not.
///
/// Of pairs the modules alone: a program that sends 2,000 requests in one function takes longer than all of them.
pub fn crates(style: Style) -> Vec<String> {
    let modules = (0..CRATES).map(|number| format!("module_{number:02}"));
    let app = matches!(style, Style::Macros | Style::ByHand).then(|| "app".to_owned());
    modules.chain(app).collect()
}

pub fn files(style: Style) -> Vec<(PathBuf, String)> {
    let mut files = vec![(PathBuf::from("Cargo.toml"), WORKSPACE.to_owned())];
    for number in 0..CRATES {
        files.push((format!("module_{number:02}/Cargo.toml").into(), manifest(&format!("module_{number:02}"), "")));
        files.push((format!("module_{number:02}/src/lib.rs").into(), module(style, number)));
    }
    let modules: String =
        (0..CRATES).map(|number| format!("module_{number:02} = {{ path = \"../module_{number:02}\" }}\n")).collect();
    files.push(("app/Cargo.toml".into(), manifest("app", &modules)));
    files.push(("app/src/main.rs".into(), app(style)));
    files.push(("runtime/Cargo.toml".into(), runtime_manifest(style)));
    files.push(("runtime/src/lib.rs".into(), runtime(style)));
    files
}

fn manifest(name: &str, dependencies: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nedition = \"2024\"\n[dependencies]\nruntime = {{ path = \"../runtime\" }}\nfutures-executor = \"0.3\"\n{dependencies}"
    )
}

/// Both sides share the service; the hand-written one has its bus here.
fn runtime_manifest(style: Style) -> String {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../mediator-core");
    let dependency = match style {
        Style::Macros | Style::EventPairs | Style::RequestPairs => format!("mediator-core = {{ path = {core:?} }}"),
        Style::ByHand => "uuid = { version = \"1\", features = [\"v7\"] }".to_owned(),
    };
    format!("[package]\nname = \"runtime\"\nedition = \"2024\"\n[dependencies]\n{dependency}\n")
}

const WORKSPACE: &str =
    "[workspace]\nresolver = \"3\"\nmembers = [\"app\", \"module_*\", \"runtime\"]\n[profile.release]\nstrip = true\n";

const SERVICE: &str = "
#[derive(Clone, Default)]
pub struct Log(pub std::sync::Arc<std::sync::Mutex<Vec<u64>>>);

impl Log {
    pub async fn write(&self, number: u64) -> Result<(), std::io::Error> {
        self.0.lock().map_err(|_| std::io::Error::other(\"poisoned\"))?.push(number);
        Ok(())
    }
}
";

const BUS: &str = "
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
pub use uuid::Uuid;

pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
pub type BoxFuture<'a> = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'a>>;

pub trait Handler<E>: Send + Sync + 'static {
    fn handle<'a>(&'a self, event: &'a E) -> BoxFuture<'a>;
}

#[derive(Default)]
pub struct Bus(HashMap<TypeId, Box<dyn Any + Send + Sync>>);

type Handlers<E> = Vec<Arc<dyn Handler<E>>>;

impl Bus {
    pub fn add<E: 'static>(&mut self, handler: Arc<dyn Handler<E>>) {
        let handlers = self.0.entry(TypeId::of::<E>()).or_insert_with(|| Box::new(Handlers::<E>::new()));
        if let Some(handlers) = handlers.downcast_mut::<Handlers<E>>() {
            handlers.push(handler);
        }
    }

    pub async fn publish<E: 'static>(&self, event: E) -> Result<(), BoxError> {
        let handlers = self.0.get(&TypeId::of::<E>()).and_then(|handlers| handlers.downcast_ref::<Handlers<E>>());
        for handler in handlers.into_iter().flatten() {
            handler.handle(&event).await?;
        }
        Ok(())
    }
}
";

fn runtime(style: Style) -> String {
    match style {
        Style::Macros | Style::EventPairs | Style::RequestPairs => format!("pub use mediator_core::*;\n{SERVICE}"),
        Style::ByHand => format!("{BUS}{SERVICE}"),
    }
}

fn module(style: Style, number: usize) -> String {
    let mut text = String::from(match style {
        Style::Macros | Style::EventPairs => "use runtime::{EventHandler, Log, event, event_handler};\n",
        Style::RequestPairs => "use runtime::{Log, RequestHandler, SendError, request, request_handler};\n",
        Style::ByHand => "use std::sync::Arc;\nuse runtime::{BoxFuture, Bus, Handler, Log, Uuid};\n",
    });
    for event in 0..style.messages_per_crate() {
        text += &match style {
            Style::Macros | Style::EventPairs => event_by_macro(event),
            Style::RequestPairs => request_by_macro(event),
            Style::ByHand => event_by_hand(event),
        };
    }
    for handler in 0..HANDLERS_PER_CRATE {
        let event = handler % style.messages_per_crate();
        text += &match style {
            Style::Macros | Style::EventPairs => handler_by_macro(number, handler, event),
            Style::RequestPairs => request_handler_by_macro(number, handler),
            Style::ByHand => handler_by_hand(number, handler, event),
        };
    }
    match style {
        Style::ByHand => text += &registrations(),
        Style::RequestPairs => text += FAILURE,
        Style::Macros | Style::EventPairs => {}
    }
    text
}

fn event_by_macro(event: usize) -> String {
    format!(
        "\n#[event(crate = ::runtime)]\n#[derive(Debug, Clone)]\npub struct Event{event} {{ pub order_id: String, pub total: u64 }}\n"
    )
}

fn request_by_macro(request: usize) -> String {
    format!(
        "\n#[request(u64, error = Failure, crate = ::runtime)]\n#[derive(Debug, Clone)]\npub struct Request{request} {{ pub order_id: String, pub total: u64 }}\n"
    )
}

fn event_by_hand(event: usize) -> String {
    format!(
        "\n#[derive(Debug, Clone)]\npub struct Event{event} {{ pub event_id: Uuid, pub order_id: String, pub total: u64 }}\n\
         impl Event{event} {{\n    pub fn new(order_id: String, total: u64) -> Self {{\n        Self {{ event_id: Uuid::now_v7(), order_id, total }}\n    }}\n}}\n"
    )
}

fn body(module: usize, handler: usize) -> String {
    format!("if event.total > {handler} {{ self.log.write(event.total + {module}).await?; }}")
}

fn handler_by_macro(module: usize, handler: usize, event: usize) -> String {
    let body = body(module, handler);
    format!(
        "\n#[event_handler(Event{event}, crate = ::runtime)]\nstruct Handler{handler} {{ log: Log }}\n\
         impl EventHandler<Event{event}> for Handler{handler} {{\n    async fn handle(&self, event: &Event{event}) -> Result<(), std::io::Error> {{\n        {body}\n        Ok(())\n    }}\n}}\n"
    )
}

fn request_handler_by_macro(module: usize, handler: usize) -> String {
    let body = body(module, handler).replace("event.", "request.");
    format!(
        "\n#[request_handler(Request{handler}, crate = ::runtime)]\nstruct Handler{handler} {{ log: Log }}\n\
         impl RequestHandler<Request{handler}> for Handler{handler} {{\n    async fn handle(&self, request: &Request{handler}) -> Result<u64, Failure> {{\n        {body}\n        Ok(request.total)\n    }}\n}}\n"
    )
}

const FAILURE: &str = "
#[derive(Debug)]
pub enum Failure { Io, Send }

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(\"failed\") }
}

impl std::error::Error for Failure {}

impl From<SendError> for Failure { fn from(_: SendError) -> Self { Self::Send } }

impl From<std::io::Error> for Failure { fn from(_: std::io::Error) -> Self { Self::Io } }
";

fn handler_by_hand(module: usize, handler: usize, event: usize) -> String {
    let body = body(module, handler);
    format!(
        "\nstruct Handler{handler} {{ log: Log }}\n\
         impl Handler<Event{event}> for Handler{handler} {{\n    fn handle<'a>(&'a self, event: &'a Event{event}) -> BoxFuture<'a> {{\n        Box::pin(async move {{ {body} Ok(()) }})\n    }}\n}}\n"
    )
}

fn registrations() -> String {
    let mut text = String::from("\npub fn register(bus: &mut Bus, log: &Log) {\n");
    for handler in 0..HANDLERS_PER_CRATE {
        let event = handler % EVENTS_PER_CRATE;
        let _ = writeln!(text, "    bus.add::<Event{event}>(Arc::new(Handler{handler} {{ log: log.clone() }}));");
    }
    text + "}\n"
}

/// Publishes or sends each message of each module, so that nothing is dead code.
fn app(style: Style) -> String {
    let mut text = String::from("use runtime::*;\n\nfn main() {\n    let log = Log::default();\n");
    match style {
        Style::Macros | Style::EventPairs | Style::RequestPairs => {
            text += "    let bus = Mediator::builder().provide(log.clone()).build().unwrap();\n"
        }
        Style::ByHand => {
            text += "    let mut bus = Bus::default();\n";
            for number in 0..CRATES {
                let _ = writeln!(text, "    module_{number:02}::register(&mut bus, &log);");
            }
        }
    }
    text += "    futures_executor::block_on(async {\n";
    for number in 0..CRATES {
        for event in 0..style.messages_per_crate() {
            let _ = match style {
                Style::RequestPairs => writeln!(
                    text,
                    "        bus.send(module_{number:02}::Request{event} {{ order_id: String::new(), total: 1000 }}).await.unwrap();"
                ),
                _ => writeln!(
                    text,
                    "        bus.publish(module_{number:02}::Event{event}::new(String::new(), 1000)).await.unwrap();"
                ),
            };
        }
    }
    text + "    });\n    println!(\"{}\", log.0.lock().unwrap().len());\n}\n"
}
