//! Services that modules provide.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use futures::executor::block_on;
use mediator_core::prelude::*;
use mediator_core::{BuildProblem, InjectError, MediatorBuilder, PublishErrorKind, Services};

#[event]
struct Placed;

static UNNEEDED: AtomicUsize = AtomicUsize::new(0);

mod audit {
    use super::*;

    #[service]
    pub(super) struct Lines {
        #[inject(default)]
        pub(super) lines: Mutex<Vec<String>>,
    }

    #[service]
    fn unneeded() -> u8 {
        UNNEEDED.fetch_add(1, Ordering::Relaxed);
        1
    }

    pub(super) trait Mailer: Send + Sync {
        fn url(&self) -> &str;
    }

    #[service(dyn Mailer)]
    pub(super) struct Smtp {
        url: Url,
        lines: Arc<Lines>,
        _publisher: Publisher,
    }

    impl Mailer for Smtp {
        fn url(&self) -> &str {
            self.lines.lines.lock().unwrap().push("url".into());
            &self.url.0
        }
    }

    #[derive(Clone)]
    pub(super) struct Url(pub(super) String);

    #[service]
    fn url(lines: Arc<Lines>, port: Option<u16>) -> Result<Url, std::num::ParseIntError> {
        lines.lines.lock().unwrap().push("made".into());
        let port: u16 = port.map_or("25".parse(), Ok)?;
        Ok(Url(format!("smtp://localhost:{port}")))
    }

    #[event_handler]
    fn mail(_event: &Placed, mailer: Arc<dyn Mailer>, smtp: Arc<Smtp>, lines: Arc<Lines>) {
        assert!(std::ptr::addr_eq(Arc::as_ptr(&mailer), Arc::as_ptr(&smtp)));
        let line = format!("mail by {}", mailer.url());
        lines.lines.lock().unwrap().push(line);
    }
}

mod second {
    use super::*;

    #[service]
    fn another_url() -> audit::Url {
        audit::Url("smtp://elsewhere".into())
    }
}

mod circle {
    use super::*;

    #[derive(Clone)]
    pub(super) struct Chicken;

    #[derive(Clone)]
    pub(super) struct Egg;

    #[service]
    fn chicken(_egg: Egg) -> Chicken {
        Chicken
    }

    #[service]
    fn egg(_chicken: Chicken) -> Egg {
        Egg
    }

    #[event_handler]
    fn asks(_event: &Placed, _chicken: Chicken) {}
}

/// A service that publishes.
mod relay {
    use super::*;

    #[derive(Clone)]
    pub(super) struct Relay(pub(super) Publisher);

    #[service]
    fn relay(publisher: Publisher) -> Relay {
        Relay(publisher)
    }

    #[event]
    pub(super) struct Relayed;

    #[event_handler]
    async fn placed(_event: &Placed, relay: Relay, shared: Arc<Mutex<Vec<Relay>>>) -> Result<(), PublishError> {
        shared.lock().unwrap().push(relay.clone());
        relay.0.publish(Relayed::new()).await
    }

    #[event_handler]
    fn relayed(_event: &Relayed) -> Result<(), String> {
        Err("arrived".to_owned())
    }
}

mod failing {
    use super::*;

    #[service]
    fn config() -> Result<i64, String> {
        Err("no such file".to_owned())
    }

    #[service]
    fn panics(_text: &'static str) -> i128 {
        panic!("out of luck")
    }

    #[event_handler]
    fn asks(_event: &Placed, _config: i64) {}

    #[event_handler]
    fn asks_too(_event: &Placed, _number: i128) {}
}

/// With what these modules register.
fn with_modules(modules: &'static [&'static str]) -> MediatorBuilder {
    Mediator::builder().discover_where(|registration| {
        let module = registration.module_path().strip_prefix(concat!(module_path!(), "::"));
        module.is_some_and(|module| modules.contains(&module))
    })
}

#[test]
fn services_are_made_once_in_the_order_of_their_needs_and_only_if_they_are_needed() {
    let mediator = with_modules(&["audit"]).build().unwrap();
    block_on(mediator.publish(Placed::new())).unwrap();
    block_on(mediator.publish(Placed::new())).unwrap();
    assert_eq!(UNNEEDED.load(Ordering::Relaxed), 0);
    let services = mediator.topology().services();
    let names: Vec<_> = services.iter().map(|service| mediator_tests::short(service.service().name())).collect();
    assert_eq!(names, ["Lines", "Smtp", "url"]);
    assert_eq!(services[1].types().len(), 2);
    let needs: Vec<_> = services[1].services().iter().filter_map(|need| need.provided_by()).collect();
    assert_eq!(needs.len(), 2);
}

#[test]
fn a_module_reads_what_its_service_has_gathered() {
    let lines = Arc::new(audit::Lines { lines: Mutex::default() });
    let mediator = with_modules(&["audit"]).provide(lines.clone()).provide(2525_u16).build().unwrap();
    block_on(mediator.publish(Placed::new())).unwrap();
    assert_eq!(*lines.lines.lock().unwrap(), ["made", "url", "mail by smtp://localhost:2525"]);
}

#[test]
fn what_the_builder_is_given_comes_before_what_modules_provide() {
    let lines = Arc::new(audit::Lines { lines: Mutex::default() });
    let builder = with_modules(&["audit", "second"]).provide(lines.clone());
    let mediator = builder.provide(audit::Url("smtp://given".into())).build().unwrap();
    block_on(mediator.publish(Placed::new())).unwrap();
    assert_eq!(*lines.lines.lock().unwrap(), ["url", "mail by smtp://given"]);
}

#[test]
fn two_modules_that_provide_one_type_are_an_error_with_all_places() {
    let error = with_modules(&["audit", "second"]).build().unwrap_err();
    let [BuildProblem::DuplicateModuleService { modules, .. }] = error.problems() else { panic!("{error}") };
    assert_eq!(modules.len(), 2);
    let text = error.to_string();
    assert!(text.contains("::audit::url` (tests/behavior/module_services.rs:"), "{text}");
    assert!(text.contains("::second::another_url` (tests/behavior/module_services.rs:"), "{text}");
}

#[test]
fn a_circle_of_needs_is_an_error_with_all_places() {
    let error = with_modules(&["circle"]).build().unwrap_err();
    let [BuildProblem::ServiceCircle { services, .. }] = error.problems() else { panic!("{error}") };
    assert_eq!(services.len(), 2);
    assert!(error.to_string().contains("::chicken` (") && error.to_string().contains("needs `"), "{error}");
}

#[test]
fn a_service_that_cannot_be_made_is_reported_once_with_its_reason() {
    let error = with_modules(&["failing"]).provide("text").build().unwrap_err();
    let text = error.to_string();
    assert_eq!(error.problems().len(), 2, "{text}");
    assert!(text.contains("::failing::config` (") && text.contains("cannot be made: no such file"), "{text}");
    assert!(text.contains("cannot be made: it panicked: out of luck"), "{text}");
    let error = with_modules(&["failing"]).build().unwrap_err();
    assert!(error.to_string().contains("service `behavior::module_services::failing::panics` ("), "{error}");
    assert!(error.to_string().contains("needs `&str`"), "{error}");
}

#[test]
fn debug_tells_the_causes_of_what_cannot_be_made() {
    struct Asks;

    impl Inject for Asks {
        fn inject(_services: &Services<'_>) -> Result<Self, InjectError> {
            Err(InjectError::new(anyhow::anyhow!("no such file").context("reading the settings")))
        }
    }

    impl EventHandler<Placed> for Asks {
        async fn handle(&self, _event: &Placed) {}
    }

    let error = Mediator::builder().without_discovery().bind::<Placed, Asks>().build().unwrap_err();
    assert!(error.to_string().ends_with(" cannot be built: reading the settings"), "{error}");
    let told = format!("{error:?}");
    assert!(told.ends_with(" cannot be built: reading the settings: no such file"), "{told}");
    assert_eq!(told, format!("{error:#}"));
}

#[test]
fn a_service_may_publish_and_does_not_keep_the_mediator_alive() {
    let shared = Arc::new(Mutex::new(Vec::new()));
    let mediator = with_modules(&["relay"]).provide(shared.clone()).build().unwrap();
    let error = block_on(mediator.publish(Placed::new())).unwrap_err();
    assert!(format!("{error:#}").contains("arrived"), "{error:#}");
    drop(mediator);
    let relay: relay::Relay = shared.lock().unwrap().remove(0);
    let error = block_on(relay.0.publish(relay::Relayed::new())).unwrap_err();
    assert_eq!(error.kind(), PublishErrorKind::MediatorDropped);
}

#[test]
fn without_discovery_there_are_no_services_of_modules() {
    let error = Mediator::builder().without_discovery().bind::<Placed, Asks>().build().unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::MissingService { .. }]), "{error}");
}

#[derive(Inject)]
struct Asks {
    _lines: Arc<audit::Lines>,
}

impl EventHandler<Placed> for Asks {
    async fn handle(&self, _event: &Placed) {}
}

#[test]
fn each_mediator_has_services_of_its_own() {
    #[derive(Inject)]
    struct Keeps {
        lines: Arc<audit::Lines>,
        #[inject(with = KEPT.lock().unwrap().clone())]
        kept: Kept,
    }

    type Kept = Arc<Mutex<Vec<Arc<audit::Lines>>>>;

    static KEPT: LazyLock<Mutex<Kept>> = LazyLock::new(Mutex::default);

    impl EventHandler<Placed> for Keeps {
        async fn handle(&self, _event: &Placed) {
            self.kept.lock().unwrap().push(self.lines.clone());
        }
    }

    for _ in 0..2 {
        let mediator = with_modules(&["audit"]).bind::<Placed, Keeps>().build().unwrap();
        block_on(mediator.publish(Placed::new())).unwrap();
    }
    let kept = KEPT.lock().unwrap().lock().unwrap().clone();
    assert!(!Arc::ptr_eq(&kept[0], &kept[1]));
}
