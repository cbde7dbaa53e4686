async fn write_invoice(
    event: &OrderPlaced,
    mailer: Arc<dyn Mailer>,
    tx: &mut Connection<'_>,
    tenant: Option<&Tenant>,
) -> Result<(), DbError> {
    tx.insert(event).await
}
const _: () = {
    struct __MediatorHandlerFn;
    type __MediatorParameter0 = Arc<dyn Mailer>;
    #[automatically_derived]
    impl ::mediator_core::__private::FnHandler<OrderPlaced> for __MediatorHandlerFn
    where
        for<'any> dyn Mailer + 'any: ::mediator_core::__private::SharedTrait,
    {
        type Receiver = ::mediator_core::__private::Parameters<(__MediatorParameter0,)>;
        const BORROWS: &'static [::mediator_core::__private::Borrow] = &[
            ::mediator_core::__private::Borrow::exclusive::<Connection<'_>>("tx"),
            ::mediator_core::__private::Borrow::shared::<Tenant>("tenant").optional(),
        ];
        fn call<'a>(
            __receiver: &'a Self::Receiver,
            __event: &'a OrderPlaced,
            __lent: ::mediator_core::__private::Lent<'a>,
        ) -> impl ::mediator_core::HandlerFuture {
            async move {
                let mut __borrowed_0 = __lent.exclusive::<Connection<'_>>("tx")?;
                let __borrowed_1 = __lent.shared_if_free::<Tenant>("tenant");
                let __output = write_invoice(
                        __event,
                        ::core::clone::Clone::clone(&__receiver.0.0),
                        &mut *__borrowed_0,
                        __borrowed_1.as_deref(),
                    )
                    .await;
                ::mediator_core::HandlerOutput::into_result(__output)
            }
        }
    }
    ::mediator_core::__private::inventory::submit! {
        ::mediator_core::__private::HandlerRegistration::function:: < OrderPlaced,
        __MediatorHandlerFn, _ > (write_invoice, ::core::concat!(::core::module_path!(),
        "::write_invoice"), ::core::module_path!(), "1.2.3").parameters(& ["mailer"])
    }
};
