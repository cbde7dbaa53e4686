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

    pub(crate) trait Speaks: ::core::marker::Send + ::core::marker::Sync {}

    #[::mediator_core::service(dyn Speaks)]
    struct Voice {
        #[inject(default)]
        word: &'static str,
    }

    impl Speaks for Voice {}

    #[derive(::core::clone::Clone)]
    struct Word(&'static str);

    #[::mediator_core::service]
    fn word(_voice: ::std::sync::Arc<dyn Speaks>) -> ::core::result::Result<Word, ::std::string::String> {
        ::core::result::Result::Ok(Word("method"))
    }

    #[derive(::mediator_core::Inject)]
    struct Methods {
        word: Word,
    }

    #[::mediator_core::event_handlers]
    impl Methods {
        #[event_handler(order = 3, after = [Self::plain, not_async])]
        async fn asked(
            &self,
            event: &Asked,
            publisher: &::mediator_core::Publisher,
            one: ::core::option::Option<&u8>,
            other: ::core::option::Option<&mut dyn Speaks>,
        ) {
            if publisher.is_weak() && one.is_none() && other.is_none() {
                super::answer(&event.answers, self.word.0);
            }
        }

        #[event_handler(order = 2, after = not_async)]
        fn plain(&self, event: &Asked) {
            super::answer(&event.answers, "plain method");
        }
    }

    #[::mediator_core::event_handler(order = 4)]
    fn observe(event: &dyn ::mediator_core::DynNotification) {
        if let ::core::option::Option::Some(asked) = event.downcast_ref::<Asked>() {
            super::answer(&asked.answers, "observer");
        }
    }
}

#[test]
fn no_prelude_is_needed() {
    let answers = ["struct", "impl", "fn", "plain fn", "plain method", "method", "observer"];
    assert_eq!(answers_to(without_a_prelude::Asked::new), answers);
}

#[allow(non_camel_case_types, unused_macros)]
mod between_namesakes {
    use ::mediator_core::{EventHandler as Handles, Inject as inject, event, event_handler, event_handlers, service};

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
    #[derive(::core::clone::Clone)]
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

    pub(crate) struct Borrow;
    pub(crate) struct FnHandler;
    pub(crate) struct HandlerFuture;
    pub(crate) struct HandlerRegistration;
    pub(crate) struct Lent;
    pub(crate) struct ProvidedAs;
    pub(crate) struct ServiceFn;

    /// Parameters that are called as the macros call theirs.
    #[event_handler(order = 2)]
    async fn lent(
        event: &Asked,
        #[inject(default)] receiver: usize,
        lent: ::core::option::Option<&Lent>,
        borrowed_0: ::core::option::Option<&Borrow>,
        output: ::core::option::Option<&mut FnHandler>,
    ) {
        if lent.is_none() && borrowed_0.is_none() && output.is_none() {
            super::answer(&event.answers, ["fn lent"][receiver]);
        }
    }

    #[service]
    fn service(
        #[inject(default)] services: bool,
        #[inject(default)] service: bool,
        #[inject(default)] error: bool,
    ) -> Result {
        [Result, Result][usize::from(services || service || error)].clone()
    }

    #[derive(inject)]
    struct Methods {
        #[inject(default)]
        receiver: usize,
    }

    #[event_handlers]
    impl Methods {
        #[event_handler(order = 3)]
        fn call(
            &self,
            event: &Asked,
            lent: ::core::option::Option<&Services>,
            output: ::core::option::Option<&mut Sync>,
        ) {
            if lent.is_none() && output.is_none() {
                super::answer(&event.answers, ["method"][self.receiver]);
            }
        }
    }

    pub(crate) fn asked(answers: super::Answers) -> Asked {
        Asked::new(answers, Option, Result)
    }
}

#[test]
fn names_of_the_users_own_do_not_collide() {
    assert_eq!(answers_to(between_namesakes::asked), ["struct", "tuple", "fn event", "fn inject", "fn lent", "method"]);
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

    #[derive(Inject)]
    struct r#Methods {
        r#fn: Option<Arc<u8>>,
    }

    #[event_handlers]
    impl r#Methods {
        #[event_handler(order = 2, after = r#async)]
        async fn r#await(&self, r#event: &Asked, r#let: Option<&u8>) {
            answer(&event.r#type, self.r#fn.as_deref().or(r#let).map_or("method", |_| "services"));
        }
    }

    #[service]
    fn r#loop(r#in: Option<Arc<u8>>) -> Arc<(Asked, u8)> {
        Arc::new((Asked::new(Answers::default(), true), *r#in.unwrap_or_default()))
    }

    pub(crate) fn bind(builder: ::mediator_core::MediatorBuilder) -> ::mediator_core::MediatorBuilder {
        builder.bind_fn(r#async).bind_fn(Methods::r#await)
    }
}

#[test]
fn raw_identifiers_are_names_like_any_other() {
    assert_eq!(answers_to(|answers| raw_identifiers::Asked::new(answers, true)), ["struct", "fn", "method"]);
    assert!(raw_identifiers::Asked::event_name().ends_with("raw_identifiers::Asked"));
    let mediator = raw_identifiers::bind(Mediator::builder().without_discovery()).build().unwrap();
    let names = format!("{}", mediator.topology());
    assert!(names.contains("raw_identifiers::async") && names.contains("raw_identifiers::Methods::await"), "{names}");
}

/// What is deprecated, or breaks a lint by permission, is used by the generated code without a word.
#[warn(clippy::partial_pub_fields, clippy::trivially_copy_pass_by_ref)]
mod lint_levels {
    use ::std::fmt::Debug;

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

    #[event]
    pub(crate) struct WithPublicFields {
        pub a: u8,
    }

    #[event]
    pub(crate) struct WithPrivateFields {
        a: u8,
        pub(crate) b: u8,
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

    #[service(dyn Debug + Send + Sync)]
    #[deprecated]
    #[derive(Debug)]
    pub(crate) struct OldService {
        #[deprecated]
        old: Option<Arc<u8>>,
    }

    #[service]
    #[deprecated = "use another"]
    #[expect(non_snake_case, clippy::unnecessary_wraps, reason = "as others call it")]
    fn OldNumber(oldNumber: Option<u8>) -> Result<i8, String> {
        Ok(oldNumber.map_or(0, u8::cast_signed))
    }

    #[derive(Inject)]
    #[deprecated]
    pub(crate) struct OldMethods;

    #[event_handlers]
    #[allow(deprecated)]
    impl OldMethods {
        #[expect(unused_variables, reason = "of interest later")]
        async fn asked(&self, event: &Asked, text: Option<&str>) {}

        #[deprecated]
        #[event_handler(after = Self::asked)]
        fn old_way(&self, _event: &Asked) {}

        #[expect(non_snake_case, reason = "as others call it")]
        fn newWay(&self, _event: &Asked, someNumber: Option<&u8>) {
            _ = someNumber;
        }
    }

    #[event_handler]
    #[deprecated]
    #[allow(clippy::needless_pass_by_value)]
    fn observes(_event: &dyn DynNotification, _text: Option<String>) {}

    #[event_handler]
    #[inline]
    fn marked(_event: &Asked) -> Result<(), String> {
        Ok(())
    }

    /// So small that clippy would have it passed by value, which handlers cannot.
    #[derive(Clone, Copy, Notification)]
    struct Small(u8);

    #[request(u8)]
    #[derive(Clone, Copy)]
    struct AskSmall(u8);

    #[event_handler]
    fn small(event: &Small, other: Option<&Small>, lent: &Small) {
        assert_eq!((event.0, other.map(|small| small.0)), (lent.0, None));
    }

    #[request_handler]
    fn answers(request: &AskSmall) -> u8 {
        request.0
    }

    pub(crate) fn in_a_body() -> impl Event {
        #[event]
        #[deprecated]
        #[allow(dead_code, reason = "only made")]
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

    #[event]
    pub(crate) struct Created<T> {
        pub(crate) of: T,
    }

    #[derive(Inject)]
    pub(crate) struct User {
        #[inject(default)]
        pub(crate) answers: Answers,
    }

    #[event_handler(order = 1)]
    impl EventHandler<Created<Self>> for User {
        async fn handle(&self, event: &Created<Self>) {
            answer(&event.of.answers, "impl");
        }
    }

    #[event_handlers]
    impl User {
        #[event_handler(Created<Self>, after = Self)]
        async fn created(&self, event: &Created<Self>, other: Option<&Self>) {
            answer(&event.of.answers, other.map_or("method", |_| "lent"));
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
    let created = |answers| own_type_in_itself::Created::new(own_type_in_itself::User { answers });
    assert_eq!(answers_to(created), ["impl", "method"]);
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

    #[service]
    #[cfg(any())]
    struct GoneService(Absent);

    #[service]
    #[cfg(any())]
    fn gone_service(_absent: Absent) -> u64 {}

    #[service]
    #[cfg_attr(not(any()), derive(Debug))]
    struct Kept {
        #[cfg(any())]
        absent: Absent,
        #[cfg_attr(not(any()), inject(default))]
        _number: u64,
    }

    #[event_handlers]
    #[cfg(any())]
    impl Gone {
        fn gone(&self, _absent: Absent) {}
    }

    #[derive(Inject)]
    struct Methods {
        _kept: Arc<Kept>,
    }

    #[event_handlers]
    #[cfg(not(any()))]
    impl Methods {
        #[cfg(any())]
        async fn asked(&self, event: &Asked, _absent: Absent) {}

        #[cfg(not(any()))]
        #[event_handler(order = 2)]
        async fn asked(&self, event: &Asked) {
            answer(&event.answers, "method");
        }
    }

    #[event_handler(order = 1)]
    #[cfg(not(any()))]
    async fn function(event: &Asked, #[cfg_attr(not(any()), inject(with = "fn"))] name: &'static str) {
        answer(&event.answers, name);
    }
}

#[test]
fn what_is_configured_away_leaves_nothing_behind() {
    assert_eq!(answers_to(|answers| conditional::Asked::new(answers, true, true)), ["struct", "fn", "method"]);
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

    macro_rules! methods {
        ($ty:ty, $receiver:tt, $event:ident: $event_ty:ty, $lent:ty, $answer:expr, $after:path) => {
            #[event_handlers]
            impl $ty {
                #[event_handler($event_ty, order = 4, after = $after)]
                async fn method(&$receiver, $event: &$event_ty, lent: $lent) {
                    answer(&$event.answers, lent.map_or($answer, |_| "lent"));
                }
            }
        };
    }

    methods!(Block, self, event: Asked, Option<&u8>, "method", Block);

    macro_rules! service {
        ($name:ident($from:ident: $from_ty:ty) -> $to:ty $body:block) => {
            #[service]
            fn $name($from: $from_ty) -> $to $body
        };
    }

    service!(made(from: Option<Arc<u8>>) -> Result<Arc<u64>, String> { Ok(Arc::new(u64::from(*from.unwrap_or_default()))) });

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
    assert_eq!(
        answers_to(|answers| generated::Asked::new(answers, Some(1))),
        ["struct", "fn", "impl", "item", "method"]
    );
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
    async fn function(event: &Asked, made: Arc<i64>) {
        answer(&event.answers, ["fn"][usize::from(*made != 0)]);
    }

    #[service]
    fn made() -> Arc<i64> {
        Arc::default()
    }

    #[event_handlers]
    impl Struct {
        #[event_handler(after = function)]
        async fn method(&self, event: &Asked, lent: Option<&mut u8>) {
            answer(&event.answers, lent.map_or("method", |_| "lent"));
        }
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
    assert_eq!(answers_to(in_a_body), ["struct", "fn", "method"]);
}

/// The names of functions stay free for modules, imports and crates.
mod namespaces {
    use super::*;

    #[event]
    pub(crate) struct Asked {
        pub(crate) answers: Answers,
    }

    mod audit {
        pub(super) const WORD: &str = "audit";
    }

    mod infra {
        pub(super) mod mailer {
            pub(in super::super) const WORD: &str = "mailer";
        }
    }

    use infra::mailer;

    #[event_handler]
    async fn audit(event: &Asked) {
        answer(&event.answers, audit::WORD);
    }

    #[event_handler(after = audit)]
    fn mailer(event: &Asked) {
        answer(&event.answers, mailer::WORD);
    }

    /// Called as crates are whose paths stand beside it.
    #[event_handler(after = mailer)]
    async fn futures(event: &Asked) {
        futures::future::ready(()).await;
        answer(&event.answers, "futures");
    }

    #[event_handler]
    fn serde(_event: &Asked) {}

    #[event_handler]
    fn mediator_core(_event: &Asked) {}

    #[derive(::serde::Serialize, serde::Deserialize)]
    struct Elsewhere {
        text: String,
    }

    #[service]
    fn smtp() -> Arc<smtp::Smtp> {
        Arc::new(smtp::Smtp)
    }

    mod smtp {
        pub(super) struct Smtp;
    }
}

#[test]
fn the_name_of_a_function_stays_free_for_modules_imports_and_crates() {
    assert_eq!(answers_to(namespaces::Asked::new), ["audit", "mailer", "futures"]);
}

mod requests_without_a_prelude {
    #![no_implicit_prelude]

    mod alloc {}
    mod core {}
    mod inventory {}
    mod mediator_core {}
    mod std {}

    pub(crate) struct Failure;

    impl ::core::convert::From<::mediator_core::SendError> for Failure {
        fn from(_: ::mediator_core::SendError) -> Self {
            Self
        }
    }

    impl ::core::convert::From<Failure>
        for ::std::boxed::Box<dyn ::core::error::Error + ::core::marker::Send + ::core::marker::Sync>
    {
        fn from(_: Failure) -> Self {
            ::core::convert::From::from("failed")
        }
    }

    #[::mediator_core::request(&'static str, error = Failure)]
    pub(crate) struct AskFn;

    #[::mediator_core::request]
    pub(crate) enum AskPlain {
        Yes,
    }

    #[::mediator_core::request(::core::option::Option<T>)]
    pub(crate) struct AskStruct<T>(pub(crate) ::core::marker::PhantomData<T>);

    #[::mediator_core::request(u8)]
    pub(crate) struct AskMethod;

    #[::mediator_core::request_handler]
    async fn function(
        _request: &AskFn,
        #[inject(with = "fn")] name: &'static str,
        lent: ::core::option::Option<&mut u8>,
        sender: &::mediator_core::Sender,
    ) -> ::core::result::Result<&'static str, Failure> {
        if lent.is_some() || !sender.is_weak() {
            ::core::result::Result::Err(Failure)
        } else {
            ::core::result::Result::Ok(name)
        }
    }

    #[::mediator_core::request_handler]
    fn plain(AskPlain::Yes: &AskPlain) {}

    #[::mediator_core::request_handler(AskStruct<u8>)]
    struct Struct {
        #[inject(with = 7)]
        seven: u8,
    }

    impl ::mediator_core::RequestHandler<AskStruct<u8>> for Struct {
        async fn handle(&self, _request: &AskStruct<u8>) -> ::core::option::Option<u8> {
            ::core::option::Option::Some(self.seven)
        }
    }

    #[derive(::mediator_core::Inject)]
    struct Methods;

    #[::mediator_core::request_handlers]
    impl Methods {
        const ANSWER: u8 = 3;

        #[::mediator_core::request_handler(name = "method")]
        async fn method(&self, _request: &AskMethod) -> u8 {
            Self::ANSWER
        }
    }
}

mod requests_between_namesakes {
    pub(crate) enum Result {}
    pub(crate) enum Option {}
    pub(crate) enum String {}
    pub(crate) struct Request;
    pub(crate) struct Sender;
    pub(crate) struct SendError;
    pub(crate) struct Lent;

    #[::mediator_core::request(u8, error = ::anyhow::Error)]
    pub(crate) struct Ok;

    #[::mediator_core::request_handler]
    async fn request(request: &Ok, receiver: &mut Lent, lent: ::core::option::Option<&u8>) -> ::anyhow::Result<u8> {
        let (_, _) = (request, receiver);
        ::core::result::Result::Ok(*lent.unwrap_or(&1))
    }

    #[allow(non_camel_case_types)]
    #[::mediator_core::request(r#type)]
    pub(crate) struct r#fn {
        pub(crate) r#move: u8,
    }

    #[allow(non_camel_case_types)]
    #[derive(Debug, PartialEq)]
    pub(crate) struct r#type(pub(crate) u8);

    #[::mediator_core::request_handler]
    fn r#async(r#request: &r#fn, #[inject(with = 2)] r#let: u8) -> r#type {
        r#type(request.r#move + r#let)
    }
}

#[test]
fn requests_need_no_prelude_and_mind_no_namesakes() {
    use ::core::marker::PhantomData;

    use crate::requests_between_namesakes::{Lent, Ok as AskOk, r#fn, r#type};
    use crate::requests_without_a_prelude::{AskFn, AskMethod, AskPlain, AskStruct};

    let mediator = Mediator::new().unwrap();
    assert_eq!(block_on(mediator.send(AskFn)).ok(), Some("fn"));
    block_on(mediator.send(AskPlain::Yes)).unwrap();
    assert_eq!(block_on(mediator.send(AskStruct(PhantomData::<u8>))).unwrap(), Some(7));
    assert_eq!(block_on(mediator.send(AskMethod)).unwrap(), 3);
    assert_eq!(block_on(mediator.with(&mut Lent).with(&4_u8).send(AskOk)).unwrap(), 4);
    assert_eq!(block_on(mediator.send(r#fn { r#move: 1 })).unwrap(), r#type(3));
    assert!(r#fn::request_name().ends_with("requests_between_namesakes::fn"));
}

mod behaviors_without_a_prelude {
    #![no_implicit_prelude]

    mod core {}
    mod inventory {}
    mod mediator_core {}
    mod std {}

    pub(crate) enum Result {}
    pub(crate) enum Option {}
    pub(crate) struct Borrow;

    #[::mediator_core::request(u8)]
    pub(crate) struct Ask;

    #[::mediator_core::request_handler]
    fn ask(_request: &Ask, lent: &Borrow) -> u8 {
        let Borrow = lent;
        1
    }

    #[allow(non_camel_case_types)]
    #[::mediator_core::behavior(Ask, order = FIRST, before = [Last], lends(&Borrow, &mut u64))]
    struct r#fn {
        #[inject(with = 10)]
        r#let: u8,
    }

    const FIRST: i32 = -1;

    impl ::mediator_core::Behavior<Ask> for r#fn {
        async fn handle(&self, mut call: ::mediator_core::Call<'_, Ask>) -> ::mediator_core::Outcome<Ask> {
            match call.with(&Borrow).run().await {
                ::core::result::Result::Ok(answer) => ::core::result::Result::Ok(answer + self.r#let),
                error => error,
            }
        }
    }

    #[derive(::mediator_core::Inject)]
    struct Last;

    #[::mediator_core::behavior]
    impl ::mediator_core::Behavior<Ask> for Last {
        async fn handle(&self, mut call: ::mediator_core::Call<'_, Ask>) -> ::mediator_core::Outcome<Ask> {
            match call.run().await {
                ::core::result::Result::Ok(answer) => ::core::result::Result::Ok(2 * answer),
                error => error,
            }
        }
    }

    #[cfg(any())]
    #[::mediator_core::behavior(Missing)]
    struct Away;
}

#[test]
fn behaviors_need_no_prelude_and_mind_no_namesakes() {
    let mediator = Mediator::new().unwrap();
    assert_eq!(block_on(mediator.send(behaviors_without_a_prelude::Ask)).unwrap(), 12);
}

/// A request that comes out of another macro, is configured away, stands in a body, or is deprecated.
mod requests_in_odd_places {
    macro_rules! asks {
        ($name:ident, $answer:ty, $handler:ident, $value:expr) => {
            #[::mediator_core::request($answer)]
            pub(crate) struct $name;

            #[::mediator_core::request_handler]
            fn $handler(_request: &$name) -> $answer {
                $value
            }
        };
    }

    asks!(One, ::std::vec::Vec<u8>, one, vec![1]);
    asks!(Two, (), two, ());

    #[cfg(any())]
    #[::mediator_core::request(Missing)]
    pub(crate) struct Away;

    #[::mediator_core::request_handler]
    #[cfg(any())]
    fn away(_request: &Away) -> Missing {}

    #[deprecated]
    #[allow(non_camel_case_types)]
    #[::mediator_core::request(u8)]
    pub(crate) struct old;

    #[allow(deprecated)]
    #[::mediator_core::request_handler]
    fn on_old(_request: &old) -> u8 {
        1
    }

    #[derive(::mediator_core::Inject)]
    struct Methods;

    #[::mediator_core::request(u8)]
    pub(crate) struct Three;

    #[::mediator_core::request_handlers]
    impl Methods {
        #[cfg(any())]
        fn away(&self, _request: &Away) {}

        #[cfg(not(any()))]
        fn three(&self, _request: &Three) -> u8 {
            3
        }
    }
}

#[test]
fn requests_may_come_out_of_other_macros_and_stand_in_a_body() {
    #[request(&'static str)]
    struct Local;

    #[request_handler]
    async fn local(_request: &Local) -> &'static str {
        "in a body"
    }

    let mediator = Mediator::new().unwrap();
    assert_eq!(block_on(mediator.send(Local)).unwrap(), "in a body");
    assert_eq!(block_on(mediator.send(requests_in_odd_places::One)).unwrap(), [1]);
    block_on(mediator.send(requests_in_odd_places::Two)).unwrap();
    assert_eq!(block_on(mediator.send(requests_in_odd_places::Three)).unwrap(), 3);
}

/// Statics, constants and unit structs, which a pattern of the same name would mean.
#[allow(non_upper_case_globals, non_camel_case_types)]
mod between_values {
    use ::serde::{Deserialize, Serialize};
    use ::serde_json::Value;

    use super::answer as add_answer;
    use super::*;

    macro_rules! values {
        ($($static:ident $const:ident $unit:ident,)*) => {
            $(
                static $static: u8 = 0;
                const $const: u8 = 0;
                struct $unit;
            )*
        };
    }

    values! {
        receiver event request,
        lent borrowed_0 borrowed_1,
        output answer service,
        error response show,
        version payload services,
        field_0 field_1 into_result,
        provided make call,
        search handler message,
    }

    #[event(name = "between-values.asked", version = 2, upcast = [as_it_is])]
    #[derive(Serialize, Deserialize)]
    pub(crate) struct Asked {
        #[serde(skip)]
        pub(crate) answers: Answers,
    }

    fn as_it_is(value: Value) -> Result<Value, String> {
        Ok(value)
    }

    #[request(u8)]
    struct Count;

    #[request(u8, error = SendError)]
    struct Recount;

    #[event_handler(order = 1)]
    async fn function(asked: &Asked, a: Option<Arc<u8>>, b: Option<&u8>, c: Option<&mut i8>) -> Result<(), String> {
        add_answer(&asked.answers, "fn");
        (a.is_none() && b.is_none() && c.is_none()).then_some(()).ok_or_else(String::new)
    }

    #[event_handler(manual)]
    fn never(_: &Asked, _: Option<&u8>) -> ! {
        panic!()
    }

    #[request_handler]
    async fn count(_: &Count, a: Option<Arc<u8>>, b: Option<&u8>) -> u8 {
        u8::from(a.is_none() && b.is_none())
    }

    #[request_handler]
    fn never_counted(_: &Recount, _: Option<&mut u8>) -> ! {
        panic!()
    }

    impl ::std::fmt::LowerHex for Voice {
        fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
            self.number.fmt(f)
        }
    }

    #[service(dyn ::std::fmt::LowerHex + Send + Sync)]
    struct Voice {
        #[inject(default)]
        number: u8,
        other: Option<Arc<u8>>,
    }

    #[service]
    fn number(voice: Arc<Voice>) -> Result<u16, String> {
        Ok(u16::from(voice.number))
    }

    #[derive(Inject)]
    struct Methods {
        number: u16,
    }

    #[event_handlers]
    impl Methods {
        #[event_handler(order = 2)]
        async fn asked(&self, asked: &Asked, other: Option<&mut u8>) {
            add_answer(&asked.answers, if self.number == 0 && other.is_none() { "method" } else { "" });
        }
    }
}

#[test]
fn values_of_the_users_own_are_not_taken_for_bindings() {
    assert_eq!(answers_to(between_values::Asked::new), ["fn", "method"]);
}

mod between_types {
    use super::*;

    struct N;
    struct T;

    #[event]
    pub(crate) struct Asked<const N: usize> {
        pub(crate) answers: Answers,
        pub(crate) names: [&'static str; N],
    }

    #[derive(Notification)]
    struct Noticed<const N: usize, T>([T; N]);

    #[request]
    struct Count<T, const N: usize>([T; N]);

    #[derive(Inject)]
    pub(crate) struct Handler<const N: usize> {
        #[inject(with = [""; N])]
        names: [&'static str; N],
    }

    impl<const N: usize> EventHandler<Asked<{ N }>> for Handler<{ N }> {
        async fn handle(&self, event: &Asked<{ N }>) {
            assert_eq!(self.names.len(), event.names.len());
            answer(&event.answers, event.names[0]);
        }
    }
}

#[test]
fn a_constant_parameter_may_be_called_as_a_type() {
    let mediator = Mediator::builder().without_discovery().bind::<between_types::Asked<2>, between_types::Handler<2>>();
    let answers = Answers::default();
    block_on(mediator.build().unwrap().publish(between_types::Asked::new(answers.clone(), ["a", "b"]))).unwrap();
    assert_eq!(*answers.lock().unwrap(), ["a"]);
}
