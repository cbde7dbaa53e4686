#[allow(clippy::trivially_copy_pass_by_ref)]
fn observe(event: &dyn DynNotification, publisher: &Publisher) {}
const _: () = {
    struct __MediatorHandlerFn;
    #[automatically_derived]
    impl ::mediator_core::__private::FnHandler<
        (dyn ::mediator_core::DynNotification + 'static),
    > for __MediatorHandlerFn {
        type Receiver = ::mediator_core::__private::Parameters<()>;
        const BORROWS: &'static [::mediator_core::__private::Borrow] = &[
            ::mediator_core::__private::Borrow::shared::<Publisher>("publisher"),
        ];
        fn call<'a>(
            __receiver: &'a Self::Receiver,
            __event: &'a (dyn ::mediator_core::DynNotification + 'static),
            __lent: ::mediator_core::__private::Lent<'a>,
        ) -> impl ::mediator_core::HandlerFuture {
            async move {
                let __borrowed_0 = __lent.shared::<Publisher>("publisher")?;
                let __output = observe(__event, &*__borrowed_0);
                ::mediator_core::HandlerOutput::into_result(__output)
            }
        }
    }
    ::mediator_core::__private::inventory::submit! {
        ::mediator_core::__private::HandlerRegistration::function:: < (dyn
        ::mediator_core::DynNotification + 'static), __MediatorHandlerFn, _ > (observe,
        ::core::concat!(::core::module_path!(), "::observe"), ::core::module_path!(),
        "1.2.3")
    }
};
