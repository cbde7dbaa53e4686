//! What the macros write means the same wherever it lands, and whatever its neighbours are called.
//!
//! The modules of the crate root below have the names that the macros' code relies on.
#![deny(warnings)]
#![allow(missing_docs, dead_code)]

mod alloc {}
mod core {}
mod inventory {}
mod mediator_core {}
mod std {}

use ::std::sync::{Arc, Mutex};

use ::futures::executor::block_on;
use ::mediator_core::prelude::*;

type Answers = Arc<Mutex<Vec<&'static str>>>;

fn answers_to<E: Notification>(event: impl FnOnce(Answers) -> E) -> Vec<&'static str> {
    let answers = Answers::default();
    block_on(Mediator::new().unwrap().publish(event(answers.clone()))).unwrap();
    answers.lock().unwrap().clone()
}

fn answer(answers: &Answers, name: &'static str) {
    answers.lock().unwrap().push(name);
}

mod without_a_prelude {
    #![no_implicit_prelude]

    #[::mediator_core::event]
    pub(crate) struct Asked {
        pub(crate) answers: super::Answers,
    }

    #[::mediator_core::event]
    pub(crate) struct Created<T> {
        pub(crate) value: T,
    }

    #[derive(::mediator_core::Notification)]
    pub(crate) struct Noticed;

    #[::mediator_core::event_handler(Asked, order = -1)]
    struct Struct {
        #[inject(default)]
        _count: ::std::sync::atomic::AtomicUsize,
        #[inject(with = "struct")]
        name: &'static str,
    }

    impl ::mediator_core::EventHandler<Asked> for Struct {
        async fn handle(&self, event: &Asked) {
            super::answer(&event.answers, self.name);
        }
    }

    #[derive(::mediator_core::Inject)]
    struct Block;

    #[::mediator_core::event_handler]
    impl ::mediator_core::EventHandler<Asked> for Block {
        async fn handle(&self, event: &Asked) {
            super::answer(&event.answers, "impl");
        }
    }

    #[::mediator_core::event_handler(order = 1, after = [Struct, Block])]
    async fn function(event: &Asked, #[inject(with = "fn")] name: &'static str) {
        super::answer(&event.answers, name);
    }

    #[::mediator_core::event_handler(order = 2)]
    fn not_async(event: &Asked) {
        super::answer(&event.answers, "plain fn");
    }
}

#[test]
fn no_prelude_is_needed() {
    assert_eq!(answers_to(without_a_prelude::Asked::new), ["struct", "impl", "fn", "plain fn"]);
}

#[allow(non_camel_case_types, unused_macros)]
mod between_namesakes {
    use ::mediator_core::{EventHandler as Handles, event, event_handler};

    pub(crate) struct Arc;
    pub(crate) struct Box;
    pub(crate) struct Clone;
    pub(crate) struct Copy;
    pub(crate) struct Default;
    pub(crate) struct Err;
    pub(crate) struct Event;
    pub(crate) struct EventHandler;
    pub(crate) struct Inject;
    pub(crate) struct InjectError;
    pub(crate) struct Location;
    pub(crate) struct None;
    pub(crate) struct Notification;
    pub(crate) struct Ok;
    pub(crate) struct Option;
    pub(crate) struct Registration;
    pub(crate) struct Result;
    pub(crate) struct Send;
    pub(crate) struct Services;
    pub(crate) struct Some;
    pub(crate) struct String;
    pub(crate) struct Sync;
    pub(crate) struct Uuid;
    pub(crate) struct Vec;
    pub(crate) struct str;
    pub(crate) struct i32;
    pub(crate) struct u64;
    pub(crate) mod alloc {}
    pub(crate) mod core {}
    pub(crate) mod inventory {}
    pub(crate) mod mediator_core {}
    pub(crate) mod std {}
    macro_rules! concat {
        () => {};
    }
    macro_rules! module_path {
        () => {};
    }
    macro_rules! submit {
        () => {};
    }

    #[event]
    pub(crate) struct Asked {
        pub(crate) answers: super::Answers,
        pub(crate) option: Option,
        pub(crate) result: Result,
    }

    #[event_handler(Asked, order = -10)]
    struct Struct {
        #[inject(with = "struct")]
        services: &'static ::core::primitive::str,
        #[inject(default)]
        field_0: (),
        #[inject(default)]
        field_1: (),
    }

    impl Handles<Asked> for Struct {
        async fn handle(&self, event: &Asked) {
            super::answer(&event.answers, self.services);
        }
    }

    #[event_handler(Asked, order = -9)]
    struct Tuple(#[inject(with = "tuple")] &'static ::core::primitive::str, #[inject(default)] ());

    impl Handles<Asked> for Tuple {
        async fn handle(&self, event: &Asked) {
            super::answer(&event.answers, self.0);
        }
    }

    #[event_handler(order = -1)]
    async fn event(event: &Asked, #[inject(with = "fn event")] services: &'static ::core::primitive::str) {
        super::answer(&event.answers, services);
    }

    #[event_handler]
    async fn handle(
        _: &Asked,
        #[inject(with = ())] event: (),
        #[inject(with = ())] services: (),
        #[inject(with = ())] _: (),
        #[inject(with = ((), ()))] (_a, _b): ((), ()),
    ) {
        let () = (event, services).0;
    }

    #[event_handler(order = 1)]
    fn inject(Asked { answers, .. }: &Asked) {
        super::answer(answers, "fn inject");
    }

    pub(crate) fn asked(answers: super::Answers) -> Asked {
        Asked::new(answers, Option, Result)
    }
}

#[test]
fn names_of_the_users_own_do_not_collide() {
    assert_eq!(answers_to(between_namesakes::asked), ["struct", "tuple", "fn event", "fn inject"]);
}

mod expressions_of_the_user {
    use super::*;

    static SERVICES: &str = "outer";

    const fn services() -> &'static str {
        SERVICES
    }

    #[event]
    pub(crate) struct Asked {
        pub(crate) answers: Answers,
    }

    /// `with` sees what the user sees, and none of the locals around it.
    #[event_handler(Asked)]
    struct Struct {
        #[inject(with = services())]
        name: &'static str,
    }

    impl EventHandler<Asked> for Struct {
        async fn handle(&self, event: &Asked) {
            answer(&event.answers, self.name);
        }
    }
}

#[test]
fn an_expression_of_the_user_sees_nothing_of_the_macros() {
    assert_eq!(answers_to(expressions_of_the_user::Asked::new), ["outer"]);
}

mod raw_identifiers {
    use super::*;

    #[event]
    pub(crate) struct r#Asked {
        pub(crate) r#type: Answers,
        pub(crate) r#move: bool,
    }

    #[event_handler(r#Asked)]
    struct r#Struct {
        #[inject(with = "struct")]
        r#fn: &'static str,
    }

    impl EventHandler<Asked> for Struct {
        async fn handle(&self, event: &Asked) {
            answer(&event.r#type, self.r#fn);
        }
    }

    #[event_handler(order = 1)]
    async fn r#async(r#event: &Asked, #[inject(with = "fn")] r#impl: &'static str) {
        answer(&event.r#type, r#impl);
    }

    pub(crate) fn bind(builder: ::mediator_core::MediatorBuilder) -> ::mediator_core::MediatorBuilder {
        builder.bind_fn(r#async)
    }
}

#[test]
fn raw_identifiers_are_names_like_any_other() {
    assert_eq!(answers_to(|answers| raw_identifiers::Asked::new(answers, true)), ["struct", "fn"]);
    assert!(raw_identifiers::Asked::event_name().ends_with("raw_identifiers::Asked"));
    raw_identifiers::bind(Mediator::builder().without_discovery()).build().unwrap();
}

/// What is deprecated, or breaks a lint by permission, is used by the generated code without a word.
mod lint_levels {
    use super::*;

    #[event]
    #[deprecated = "use `Asked`"]
    #[derive(Debug, Clone)]
    pub(crate) struct Old {
        pub(crate) answers: Answers,
    }

    #[event(name = "lint-levels.asked")]
    #[derive(Debug, Clone)]
    pub(crate) struct Asked {
        pub(crate) answers: Answers,
        #[deprecated]
        pub(crate) number: u8,
        #[cfg_attr(not(any()), deprecated(note = "conditionally"))]
        pub(crate) letter: char,
        #[cfg_attr(any(), deprecated)]
        pub(crate) text: String,
    }

    #[event]
    #[allow(deprecated, reason = "it carries one")]
    pub(crate) struct Carries {
        pub(crate) old: Old,
    }

    #[event(new = false)]
    #[expect(deprecated, reason = "it carries one")]
    pub(crate) struct CarriesAsWell {
        pub(crate) old: Old,
    }

    #[event]
    #[deprecated]
    pub(crate) struct Generic<T> {
        #[deprecated]
        pub(crate) value: T,
    }

    #[event]
    #[allow(non_snake_case, non_camel_case_types)]
    pub(crate) struct named_by_others {
        pub(crate) orderId: u8,
    }

    #[event]
    #[expect(dead_code, reason = "nobody reads it")]
    #[expect(clippy::struct_excessive_bools, reason = "they are independent")]
    struct Unread {
        a: bool,
        b: bool,
        c: bool,
        d: bool,
    }

    #[derive(Notification)]
    #[deprecated]
    pub(crate) enum Noticed {
        #[deprecated]
        Once,
        Again,
    }

    #[derive(Notification)]
    #[notification(name = "lint-levels.noticed")]
    #[allow(non_camel_case_types)]
    pub(crate) struct noticed_by_others;

    #[derive(Inject)]
    #[deprecated]
    pub(crate) struct OldHandler {
        #[deprecated]
        number: u8,
        #[allow(deprecated)]
        old: Option<Old>,
    }

    #[derive(Inject)]
    #[allow(non_snake_case)]
    pub(crate) struct Handler {
        someNumber: u8,
    }

    pub(crate) fn asked(answers: Answers) -> Asked {
        Asked::new(answers, 1, 'x', "text".to_owned())
    }

    pub(crate) fn in_a_body() -> impl Event {
        #[event]
        #[deprecated]
        #[expect(dead_code, reason = "only made")]
        struct Old {
            #[deprecated]
            number: u8,
        }

        #[allow(deprecated)]
        Old::new(1)
    }

    #[event_handler]
    fn function(event: &Asked) {
        answer(&event.answers, "fn");
    }
}

#[test]
fn generated_code_has_the_lint_levels_of_the_item() {
    assert_eq!(answers_to(lint_levels::asked), ["fn"]);
    assert_eq!(lint_levels::named_by_others::new(7).orderId, 7);
    assert_ne!(lint_levels::in_a_body().event_id(), lint_levels::in_a_body().event_id());
}

mod attributes_of_others {
    /// Another crate's `#[event]`; derives, as anything would do that rustc does not know as ours.
    mod telemetry {
        pub(super) use ::core::prelude::v1::derive as event;
        pub(super) use ::core::prelude::v1::derive as event_handler;
    }

    use ::mediator_core as bus;
    use bus::EventHandler;

    #[bus::event]
    #[telemetry::event(Debug, Clone)]
    pub(crate) struct Asked {
        pub(crate) answers: super::Answers,
    }

    #[bus::event_handler(Asked)]
    #[telemetry::event_handler(Debug, Clone)]
    struct Struct;

    impl EventHandler<Asked> for Struct {
        async fn handle(&self, event: &Asked) {
            super::answer(&event.answers, "struct");
        }
    }
}

#[test]
fn attributes_of_other_crates_are_left_alone() {
    assert_eq!(answers_to(attributes_of_others::Asked::new), ["struct"]);
}

mod own_type_in_itself {
    use super::*;

    #[event]
    pub(crate) struct Asked {
        pub(crate) answers: Answers,
        pub(crate) earlier: Option<Box<Self>>,
    }

    #[event_handler(Asked)]
    struct Struct {
        next: Option<Arc<Self>>,
        #[inject(with = Self::name())]
        name: &'static str,
    }

    impl Struct {
        fn name() -> &'static str {
            "struct"
        }
    }

    impl EventHandler<Asked> for Struct {
        async fn handle(&self, event: &Asked) {
            answer(&event.answers, self.next.as_ref().map_or(self.name, |next| next.name));
        }
    }
}

#[test]
fn a_type_may_name_itself() {
    let asked = |answers: Answers| own_type_in_itself::Asked::new(answers, None);
    assert_eq!(
        answers_to(|answers| own_type_in_itself::Asked::new(answers, Some(Box::new(asked(Answers::default()))))),
        ["struct"]
    );
}

mod conditional {
    use super::*;

    #[event]
    pub(crate) struct Asked {
        pub(crate) answers: Answers,
        #[cfg(any())]
        pub(crate) absent: Absent,
        #[cfg(not(any()))]
        pub(crate) present: bool,
        #[cfg_attr(not(any()), doc = "documented")]
        #[cfg_attr(any(), absent)]
        pub(crate) documented: bool,
    }

    #[event]
    #[cfg(any())]
    struct Gone {
        absent: Absent,
    }

    #[event_handler(Asked)]
    #[cfg_attr(not(any()), derive(Debug))]
    struct Struct {
        #[cfg(any())]
        absent: Absent,
        #[cfg_attr(not(any()), inject(with = "struct"))]
        #[cfg_attr(any(), inject(default))]
        name: &'static str,
    }

    impl EventHandler<Asked> for Struct {
        async fn handle(&self, event: &Asked) {
            answer(&event.answers, self.name);
        }
    }

    #[event_handler(Asked)]
    #[doc = "below"]
    #[cfg(any())]
    struct GoneStruct;

    #[event_handler]
    #[cfg(any())]
    impl EventHandler<Asked> for GoneStruct {}

    #[event_handler]
    #[cfg(any())]
    async fn gone(_event: &Asked, _absent: Absent) {}

    #[event_handler(order = 1)]
    #[cfg(not(any()))]
    async fn function(event: &Asked, #[cfg_attr(not(any()), inject(with = "fn"))] name: &'static str) {
        answer(&event.answers, name);
    }
}

#[test]
fn what_is_configured_away_leaves_nothing_behind() {
    assert_eq!(answers_to(|answers| conditional::Asked::new(answers, true, true)), ["struct", "fn"]);
}

mod generated {
    use super::*;

    macro_rules! events {
        ($($(#[$attribute:meta])* $vis:vis $name:ident { $($field_vis:vis $field:ident: $ty:ty),* })*) => {
            $(
                #[event]
                $(#[$attribute])*
                $vis struct $name {
                    $($field_vis $field: $ty),*
                }
            )*
        };
    }

    events! {
        /// Documented.
        #[derive(Clone)]
        pub(crate) Asked { pub(crate) answers: Answers, pub(crate) number: Option<u64> }
        pub(super) Told { pub(super) answers: Answers }
    }

    macro_rules! handler {
        ($name:ident of $($event:ty),* => $answer:expr, $order:literal, $display:expr, $service:ty = $value:expr) => {
            #[event_handler($($event),*, order = $order, name = $display)]
            struct $name {
                #[inject(with = $value)]
                _service: $service,
            }

            $(
                impl EventHandler<$event> for $name {
                    async fn handle(&self, event: &$event) {
                        answer(&event.answers, $answer);
                    }
                }
            )*
        };
    }

    handler!(Struct of Asked, Told => "struct", -5, "generated.struct", &'static str = "service");

    macro_rules! function {
        ($name:ident($event:ident: $ty:ty, $service:ident: $service_ty:ty) $body:block) => {
            #[event_handler]
            async fn $name($event: $ty, #[inject(default)] $service: $service_ty) $body

            const _: () = {
                // The same names again, and still no collision.
                #[event_handler(order = 1)]
                async fn $name(event: &Told) {
                    answer(&event.answers, stringify!($name));
                }
            };
        };
    }

    function!(function(event: &Asked, services: u8) { answer(&event.answers, ["fn"][usize::from(services)]); });

    macro_rules! block {
        ($handler:ty, $event:path) => {
            #[event_handler(order = 2)]
            impl EventHandler<$event> for $handler {
                async fn handle(&self, event: &$event) {
                    answer(&event.answers, "impl");
                }
            }
        };
    }

    #[derive(Inject)]
    struct Block;

    block!(Block, Asked);

    macro_rules! item {
        ($item:item) => {
            #[event_handler(order = 3)]
            $item
        };
    }

    item! {
        async fn whole_item(event: &Asked) {
            answer(&event.answers, "item");
        }
    }

    macro_rules! derived {
        ($item:item) => {
            #[event]
            $item
        };
    }

    derived! {
        /// Documented.
        #[derive(Debug)]
        pub(crate) struct Whole { pub(crate) answers: Answers }
    }

    macro_rules! through {
        ($krate:path) => {
            #[event(crate = $krate)]
            pub(crate) struct Through {}
        };
    }

    through!(::mediator_core);
}

#[test]
fn items_may_come_out_of_another_macro() {
    assert_eq!(answers_to(|answers| generated::Asked::new(answers, Some(1))), ["struct", "fn", "impl", "item"]);
    assert_eq!(answers_to(generated::Told::new), ["struct", "function"]);
    assert_eq!(answers_to(generated::Whole::new), [""; 0]);
    assert_ne!(generated::Through::new().event_id, generated::Through::new().event_id);
}

fn in_a_body(answers: Answers) -> impl Event {
    #[event]
    struct Asked {
        answers: Answers,
    }

    #[event_handler(Asked)]
    #[derive(Default)]
    struct Struct;

    impl EventHandler<Asked> for Struct {
        async fn handle(&self, event: &Asked) {
            answer(&event.answers, "struct");
        }
    }

    #[event_handler(after = Struct)]
    async fn function(event: &Asked) {
        answer(&event.answers, "fn");
    }

    Asked::new(answers)
}

const _: () = {
    #[event_handler(after = ConstStruct)]
    async fn function(event: &expressions_of_the_user::Asked) {
        _ = event;
    }

    #[event_handler(expressions_of_the_user::Asked)]
    struct ConstStruct;

    impl EventHandler<expressions_of_the_user::Asked> for ConstStruct {
        async fn handle(&self, _event: &expressions_of_the_user::Asked) {}
    }
};

#[test]
fn items_may_stand_in_a_body() {
    assert_eq!(answers_to(in_a_body), ["struct", "fn"]);
}
