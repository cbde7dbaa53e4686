async fn write_invoice(
    event: &OrderPlaced,
    mailer: Arc<dyn Mailer>,
    tx: &mut Connection<'_>,
    tenant: Option<&Tenant>,
) -> Result<(), DbError> {
    tx.insert(event).await
}
const _: () = {
    struct __MediatorHandlerFn {
        mailer: Arc<dyn Mailer>,
    }
    #[automatically_derived]
    impl ::mediator_core::Inject for __MediatorHandlerFn {
        #[inline]
        fn inject(
            __services: &::mediator_core::Services<'_>,
        ) -> ::core::result::Result<Self, ::mediator_core::InjectError> {
            let __field_0 = ::mediator_core::Services::get_for(__services, "mailer");
            ::core::result::Result::Ok(Self {
                mailer: match __field_0 {
                    ::core::result::Result::Ok(__service) => __service,
                    ::core::result::Result::Err(__error) => {
                        return ::core::result::Result::Err(__error);
                    }
                },
            })
        }
    }
    #[automatically_derived]
    impl ::mediator_core::__private::FnHandler<OrderPlaced> for __MediatorHandlerFn {
        type Receiver = Self;
        const BORROWS: &'static [::mediator_core::__private::Borrow] = &[
            ::mediator_core::__private::Borrow::exclusive::<Connection<'_>>("tx"),
            ::mediator_core::__private::Borrow::shared::<Tenant>("tenant").optional(),
        ];
        fn call<'a>(
            __receiver: &'a Self,
            __event: &'a OrderPlaced,
            __lent: ::mediator_core::__private::Lent<'a>,
        ) -> impl ::mediator_core::HandlerFuture {
            async move {
                let mut __borrowed_0 = __lent.exclusive::<Connection<'_>>("tx")?;
                let __borrowed_1 = __lent.shared::<Tenant>("tenant").ok();
                let __output = write_invoice(
                        __event,
                        ::core::clone::Clone::clone(&__receiver.mailer),
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
        "::write_invoice"), ::core::module_path!(), "1.2.3")
    }
};
