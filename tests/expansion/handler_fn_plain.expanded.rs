#[allow(clippy::needless_pass_by_value, clippy::trivially_copy_pass_by_ref)]
fn count(event: &OrderPlaced, counter: Counter) {
    counter.increment();
}
const _: () = {
    struct __MediatorHandlerFn;
    #[automatically_derived]
    impl ::bus::__private::FnHandler<OrderPlaced> for __MediatorHandlerFn
    where
        for<'any> Counter: ::bus::Service,
    {
        type Receiver = ::bus::__private::Parameters<(Counter,)>;
        fn call<'a>(
            __receiver: &'a Self::Receiver,
            __event: &'a OrderPlaced,
            _: ::bus::__private::Lent<'a>,
        ) -> impl ::bus::HandlerFuture {
            async move { count(__event, ::core::clone::Clone::clone(&__receiver.0.0)) }
        }
    }
    ::bus::__private::inventory::submit! {
        ::bus::__private::HandlerRegistration::function:: < OrderPlaced,
        __MediatorHandlerFn, _ > (count, ::core::concat!(::core::module_path!(),
        "::count"), ::core::module_path!(), "1.2.3").parameters(& ["counter"])
    }
};
