async fn place_order(
    request: &PlaceOrder,
    orders: Arc<Orders>,
) -> Result<OrderConfirmation, OrderError> {
    orders.place(request).await
}
const _: () = {
    struct __MediatorHandlerFn;
    type __MediatorParameter0 = Arc<Orders>;
    #[automatically_derived]
    impl ::mediator_core::__private::FnRequestHandler<PlaceOrder>
    for __MediatorHandlerFn {
        type Receiver = ::mediator_core::__private::Parameters<(__MediatorParameter0,)>;
        type Returned = Result<OrderConfirmation, OrderError>;
        fn call<'a>(
            __receiver: &'a Self::Receiver,
            __request: &'a PlaceOrder,
            _: ::mediator_core::__private::Lent<'a>,
        ) -> ::core::result::Result<
            impl ::core::future::Future<Output = Self::Returned> + ::core::marker::Send,
            ::mediator_core::__private::BorrowError<'a>,
        > {
            ::core::result::Result::Ok(
                place_order(__request, ::core::clone::Clone::clone(&__receiver.0.0)),
            )
        }
    }
    ::mediator_core::__private::inventory::submit! {
        ::mediator_core::__private::HandlerRegistration::request_function:: < PlaceOrder,
        __MediatorHandlerFn, Result < OrderConfirmation, OrderError >, _ > (place_order,
        ::core::concat!(::core::module_path!(), "::place_order"), ::core::module_path!(),
        "1.2.3").parameters(& ["orders"])
    }
};
#[allow(clippy::trivially_copy_pass_by_ref)]
fn write(request: &Write, tx: &mut Connection, sender: &Sender) -> usize {
    tx.write(request)
}
const _: () = {
    struct __MediatorHandlerFn;
    #[automatically_derived]
    impl ::mediator_core::__private::FnRequestHandler<Write> for __MediatorHandlerFn {
        type Receiver = ::mediator_core::__private::Parameters<()>;
        type Returned = usize;
        const BORROWS: &'static [::mediator_core::__private::Borrow] = &[
            ::mediator_core::__private::Borrow::exclusive::<Connection>("tx"),
            ::mediator_core::__private::Borrow::shared::<Sender>("sender"),
        ];
        fn call<'a>(
            __receiver: &'a Self::Receiver,
            __request: &'a Write,
            __lent: ::mediator_core::__private::Lent<'a>,
        ) -> ::core::result::Result<
            impl ::core::future::Future<Output = Self::Returned> + ::core::marker::Send,
            ::mediator_core::__private::BorrowError<'a>,
        > {
            let mut __borrowed_0 = __lent.exclusive::<Connection>("tx")?;
            let __borrowed_1 = __lent.shared::<Sender>("sender")?;
            ::core::result::Result::Ok(async move {
                write(__request, &mut *__borrowed_0, &*__borrowed_1)
            })
        }
    }
    ::mediator_core::__private::inventory::submit! {
        ::mediator_core::__private::HandlerRegistration::request_function:: < Write,
        __MediatorHandlerFn, usize, _ > (write, ::core::concat!(::core::module_path!(),
        "::write"), ::core::module_path!(), "1.2.3").manual()
    }
};
