async fn announce(event: &OrderPlaced) {}
const _: () = {
    struct __MediatorHandlerFn;
    #[automatically_derived]
    impl ::bus::__private::FnHandler<OrderPlaced> for __MediatorHandlerFn {
        type Receiver = ::bus::__private::Parameters<()>;
        fn call<'a>(
            __receiver: &'a Self::Receiver,
            __event: &'a OrderPlaced,
            _: ::bus::__private::Lent<'a>,
        ) -> impl ::bus::HandlerFuture {
            announce(__event)
        }
    }
    ::bus::__private::inventory::submit! {
        ::bus::__private::HandlerRegistration::function:: < OrderPlaced,
        __MediatorHandlerFn, _ > (announce, ::core::concat!(::core::module_path!(),
        "::announce"), ::core::module_path!(), "1.2.3").around(const { & [||
        ::bus::__private::HandlerBehavior::of_event(::bus::Retry::new().attempts(3u32)
        .base(::core::time::Duration::from_millis(50u64))
        .cap(::core::time::Duration::from_millis(60000u64))), ||
        ::bus::__private::HandlerBehavior::of_event(::bus::Timeout::new(::core::time::Duration::from_millis(2000u64)))]
        })
    }
};
async fn place(request: &PlaceOrder) -> Result<u64, OrderError> {}
const _: () = {
    struct __MediatorHandlerFn;
    #[automatically_derived]
    impl ::bus::__private::FnRequestHandler<PlaceOrder> for __MediatorHandlerFn {
        type Receiver = ::bus::__private::Parameters<()>;
        type Returned = Result<u64, OrderError>;
        fn call<'a>(
            __receiver: &'a Self::Receiver,
            __request: &'a PlaceOrder,
            _: ::bus::__private::Lent<'a>,
        ) -> ::core::result::Result<
            impl ::core::future::Future<Output = Self::Returned> + ::core::marker::Send,
            ::bus::__private::BorrowError<'a>,
        > {
            ::core::result::Result::Ok(place(__request))
        }
    }
    ::bus::__private::inventory::submit! {
        ::bus::__private::HandlerRegistration::request_function:: < PlaceOrder,
        __MediatorHandlerFn, Result < u64, OrderError >, _ > (place,
        ::core::concat!(::core::module_path!(), "::place"), ::core::module_path!(),
        "1.2.3").named("orders.place").around(const { & [||
        ::bus::__private::HandlerBehavior::of_request(::bus::Retry::new().attempts(5u32),
        ::core::marker::PhantomData:: < PlaceOrder >)] })
    }
};
struct SendEmail;
#[automatically_derived]
impl ::bus::Inject for SendEmail {
    #[inline]
    fn inject(
        __services: &::bus::Services<'_>,
    ) -> ::core::result::Result<Self, ::bus::InjectError> {
        ::core::result::Result::Ok(Self {})
    }
}
::bus::__private::inventory::submit! {
    ::bus::__private::HandlerRegistration::new:: < OrderPlaced, SendEmail >
    (::core::concat!(::core::module_path!(), "::SendEmail"), ::core::module_path!(),
    "1.2.3").around(const { & [||
    ::bus::__private::HandlerBehavior::of_event(::bus::Timeout::new(::core::time::Duration::from_millis(90000u64)))]
    })
}
