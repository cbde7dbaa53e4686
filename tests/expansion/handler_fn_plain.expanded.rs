#[allow(clippy::needless_pass_by_value, clippy::trivially_copy_pass_by_ref)]
fn count(event: &OrderPlaced, counter: Counter) {
    counter.increment();
}
const _: () = {
    struct __MediatorHandlerFn {
        counter: Counter,
    }
    #[automatically_derived]
    impl ::bus::Inject for __MediatorHandlerFn
    where
        for<'any> Counter: ::bus::Service,
    {
        #[inline]
        fn inject(
            __services: &::bus::Services<'_>,
        ) -> ::core::result::Result<Self, ::bus::InjectError> {
            let __field_0 = ::bus::Services::get_for(__services, "counter");
            ::core::result::Result::Ok(Self {
                counter: match __field_0 {
                    ::core::result::Result::Ok(__service) => __service,
                    ::core::result::Result::Err(__error) => {
                        return ::core::result::Result::Err(__error);
                    }
                },
            })
        }
    }
    #[automatically_derived]
    impl ::bus::__private::FnHandler<OrderPlaced> for __MediatorHandlerFn
    where
        for<'any> Counter: ::bus::Service,
    {
        type Receiver = Self;
        fn call<'a>(
            __receiver: &'a Self,
            __event: &'a OrderPlaced,
            _: ::bus::__private::Lent<'a>,
        ) -> impl ::bus::HandlerFuture {
            async move {
                count(__event, ::core::clone::Clone::clone(&__receiver.counter))
            }
        }
    }
    ::bus::__private::inventory::submit! {
        ::bus::__private::HandlerRegistration::function:: < OrderPlaced,
        __MediatorHandlerFn, _ > (count, ::core::concat!(::core::module_path!(),
        "::count"), ::core::module_path!(), "1.2.3")
    }
};
