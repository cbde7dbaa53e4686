impl Orders {
    #[allow(clippy::unused_async, clippy::unused_self)]
    async fn place(
        &self,
        request: &PlaceOrder,
        tx: &mut Connection,
    ) -> Result<OrderConfirmation, OrderError> {}
    #[allow(clippy::trivially_copy_pass_by_ref)]
    #[allow(clippy::unused_async, clippy::unused_self)]
    fn count(&self, _request: &CountOrders) -> usize {}
}
const _: () = {
    struct __MediatorHandlerFn;
    #[automatically_derived]
    impl ::mediator_core::__private::FnRequestHandler<PlaceOrder>
    for __MediatorHandlerFn {
        type Receiver = Orders;
        type Returned = Result<OrderConfirmation, OrderError>;
        const BORROWS: &'static [::mediator_core::__private::Borrow] = &[
            ::mediator_core::__private::Borrow::exclusive::<Connection>("tx"),
        ];
        fn call<'a>(
            __receiver: &'a Self::Receiver,
            __request: &'a PlaceOrder,
            __lent: ::mediator_core::__private::Lent<'a>,
        ) -> ::core::result::Result<
            impl ::core::future::Future<Output = Self::Returned> + ::core::marker::Send,
            ::mediator_core::__private::BorrowError<'a>,
        > {
            let mut __borrowed_0 = __lent.exclusive::<Connection>("tx")?;
            ::core::result::Result::Ok(async move {
                <Orders>::place(__receiver, __request, &mut *__borrowed_0).await
            })
        }
    }
    ::mediator_core::__private::inventory::submit! {
        ::mediator_core::__private::HandlerRegistration::request_function:: < PlaceOrder,
        __MediatorHandlerFn, Result < OrderConfirmation, OrderError >, _ > (< Orders >
        ::place, ::core::concat!(::core::module_path!(), "::Orders::place"),
        ::core::module_path!(), "1.2.3")
    }
};
const _: () = {
    struct __MediatorHandlerFn;
    #[automatically_derived]
    impl ::mediator_core::__private::FnRequestHandler<CountOrders>
    for __MediatorHandlerFn {
        type Receiver = Orders;
        type Returned = usize;
        fn call<'a>(
            __receiver: &'a Self::Receiver,
            __request: &'a CountOrders,
            _: ::mediator_core::__private::Lent<'a>,
        ) -> ::core::result::Result<
            impl ::core::future::Future<Output = Self::Returned> + ::core::marker::Send,
            ::mediator_core::__private::BorrowError<'a>,
        > {
            ::core::result::Result::Ok(async move {
                <Orders>::count(__receiver, __request)
            })
        }
    }
    ::mediator_core::__private::inventory::submit! {
        ::mediator_core::__private::HandlerRegistration::request_function:: <
        CountOrders, __MediatorHandlerFn, usize, _ > (< Orders > ::count,
        ::core::concat!(::core::module_path!(), "::Orders::count"),
        ::core::module_path!(), "1.2.3").behind(1).named("orders.count")
    }
};
struct Listing {
    orders: Arc<Orders>,
}
#[automatically_derived]
impl ::mediator_core::Inject for Listing {
    #[inline]
    fn inject(
        __services: &::mediator_core::Services<'_>,
    ) -> ::core::result::Result<Self, ::mediator_core::InjectError> {
        let __field_0 = ::mediator_core::Services::get_for(__services, "orders");
        ::core::result::Result::Ok(Self {
            orders: match __field_0 {
                ::core::result::Result::Ok(__service) => __service,
                ::core::result::Result::Err(__error) => {
                    return ::core::result::Result::Err(__error);
                }
            },
        })
    }
}
::mediator_core::__private::inventory::submit! {
    ::mediator_core::__private::HandlerRegistration::request:: < ListOrders, Listing >
    (::core::concat!(::core::module_path!(), "::Listing"), ::core::module_path!(),
    "1.2.3")
}
impl RequestHandler<FindOrder> for Orders {
    async fn handle(&self, request: &FindOrder) -> Option<Order> {}
}
::mediator_core::__private::inventory::submit! {
    ::mediator_core::__private::HandlerRegistration::request:: < FindOrder, Orders >
    (::core::concat!(::core::module_path!(), "::Orders"), ::core::module_path!(),
    "1.2.3")
}
