impl Triage {
    #[allow(clippy::unused_async, clippy::unused_self)]
    async fn opened(&self, event: &IssueOpened) {}
    #[allow(clippy::unused_async, clippy::unused_self)]
    async fn closed(&self, event: &IssueClosed, tx: &mut Connection) {}
    #[allow(clippy::needless_pass_by_value, clippy::trivially_copy_pass_by_ref)]
    #[allow(clippy::unused_async, clippy::unused_self)]
    fn watch(&self, event: &dyn DynNotification, journal: Option<&mut dyn Journal>) {}
}
const _: () = {
    struct __MediatorHandlerFn;
    #[automatically_derived]
    impl ::mediator_core::__private::FnHandler<IssueOpened> for __MediatorHandlerFn {
        type Receiver = Triage;
        fn call<'a>(
            __receiver: &'a Self::Receiver,
            __event: &'a IssueOpened,
            _: ::mediator_core::__private::Lent<'a>,
        ) -> impl ::mediator_core::HandlerFuture {
            <Triage>::opened(__receiver, __event)
        }
    }
    ::mediator_core::__private::inventory::submit! {
        ::mediator_core::__private::HandlerRegistration::function:: < IssueOpened,
        __MediatorHandlerFn, _ > (< Triage > ::opened,
        ::core::concat!(::core::module_path!(), "::Triage::opened"),
        ::core::module_path!(), "1.2.3")
    }
};
const _: () = {
    struct __MediatorHandlerFn;
    #[automatically_derived]
    impl ::mediator_core::__private::FnHandler<IssueClosed> for __MediatorHandlerFn {
        type Receiver = Triage;
        const BORROWS: &'static [::mediator_core::__private::Borrow] = &[
            ::mediator_core::__private::Borrow::exclusive::<Connection>("tx"),
        ];
        fn call<'a>(
            __receiver: &'a Self::Receiver,
            __event: &'a IssueClosed,
            __lent: ::mediator_core::__private::Lent<'a>,
        ) -> impl ::mediator_core::HandlerFuture {
            async move {
                let mut __borrowed_0 = __lent.exclusive::<Connection>("tx")?;
                let __output = <Triage>::closed(__receiver, __event, &mut *__borrowed_0)
                    .await;
                ::mediator_core::HandlerOutput::into_result(__output)
            }
        }
    }
    ::mediator_core::__private::inventory::submit! {
        ::mediator_core::__private::HandlerRegistration::function:: < IssueClosed,
        __MediatorHandlerFn, _ > (< Triage > ::closed,
        ::core::concat!(::core::module_path!(), "::Triage::closed"),
        ::core::module_path!(), "1.2.3").behind(1).order_by(3i32).after(const { &
        [::mediator_core::__private::HandlerRef::to_function(Triage::opened)] })
    }
};
const _: () = {
    struct __MediatorHandlerFn;
    #[automatically_derived]
    impl ::mediator_core::__private::FnHandler<
        (dyn ::mediator_core::DynNotification + 'static),
    > for __MediatorHandlerFn {
        type Receiver = Triage;
        const BORROWS: &'static [::mediator_core::__private::Borrow] = &[
            ::mediator_core::__private::Borrow::exclusive::<dyn Journal>("journal")
                .optional(),
        ];
        fn call<'a>(
            __receiver: &'a Self::Receiver,
            __event: &'a (dyn ::mediator_core::DynNotification + 'static),
            __lent: ::mediator_core::__private::Lent<'a>,
        ) -> impl ::mediator_core::HandlerFuture {
            async move {
                let mut __borrowed_0 = __lent
                    .exclusive_if_free::<dyn Journal>("journal");
                let __output = <Triage>::watch(
                    __receiver,
                    __event,
                    match &mut __borrowed_0 {
                        ::core::option::Option::Some(__lent) => {
                            ::core::option::Option::Some(&mut **__lent)
                        }
                        ::core::option::Option::None => ::core::option::Option::None,
                    },
                );
                ::mediator_core::HandlerOutput::into_result(__output)
            }
        }
    }
    ::mediator_core::__private::inventory::submit! {
        ::mediator_core::__private::HandlerRegistration::function:: < (dyn
        ::mediator_core::DynNotification + 'static), __MediatorHandlerFn, _ > (< Triage >
        ::watch, ::core::concat!(::core::module_path!(), "::Triage::watch"),
        ::core::module_path!(), "1.2.3").behind(2).manual()
    }
};
