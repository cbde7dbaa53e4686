#[derive(Serialize, Deserialize)]
pub struct OrderPlaced {
    /// This event's identity, a UUID of version 7.
    pub event_id: ::mediator_core::EventId,
    pub order_id: String,
}
#[automatically_derived]
impl OrderPlaced {
    /// Makes the event, with a fresh `event_id`.
    #[must_use]
    pub fn new(order_id: String) -> Self {
        Self {
            event_id: ::mediator_core::EventId::new(),
            order_id,
        }
    }
}
#[automatically_derived]
impl ::mediator_core::Notification for OrderPlaced {
    fn event_name() -> &'static ::core::primitive::str {
        "orders.placed"
    }
    fn declared_at() -> ::core::option::Option<
        &'static ::core::panic::Location<'static>,
    > {
        ::core::option::Option::Some(::core::panic::Location::caller())
    }
    fn notification_id(&self) -> ::core::option::Option<::mediator_core::EventId> {
        ::core::option::Option::Some(self.event_id)
    }
}
#[automatically_derived]
impl ::mediator_core::Event for OrderPlaced
where
    for<'any> Self: ::mediator_core::Notification,
{
    fn event_id(&self) -> ::mediator_core::EventId {
        self.event_id
    }
}
#[automatically_derived]
impl ::mediator_core::durable::DurableEvent for OrderPlaced {
    const NAME: &'static ::core::primitive::str = "orders.placed";
    const VERSION: ::core::primitive::u32 = 3u32;
    const ALIASES: &'static [&'static ::core::primitive::str] = &["orders.created"];
    fn key(&self) -> ::core::option::Option<::mediator_core::__private::String> {
        ::core::option::Option::Some(
            ::mediator_core::__private::ToString::to_string(&self.order_id),
        )
    }
    fn upcast(
        __version: ::core::primitive::u32,
        __payload: ::mediator_core::__private::serde_json::Value,
    ) -> ::core::result::Result<
        ::mediator_core::__private::serde_json::Value,
        ::mediator_core::__private::BoxError,
    > {
        let __payload = if __version <= 1u32 {
            ::mediator_core::__private::upcast(from_1, __payload)?
        } else {
            __payload
        };
        let __payload = if __version <= 2u32 {
            ::mediator_core::__private::upcast(from_2, __payload)?
        } else {
            __payload
        };
        ::core::result::Result::Ok(__payload)
    }
}
::mediator_core::__private::inventory::submit! {
    ::mediator_core::__private::EventRegistration::new:: < OrderPlaced > ().named()
    .aliases(& ["orders.created"])
}
async fn write_invoice(
    event: &OrderPlaced,
    tx: &mut SqliteConnection,
) -> sqlx::Result<()> {
    Ok(())
}
const _: () = {
    struct __MediatorHandlerFn;
    #[automatically_derived]
    impl ::mediator_core::__private::FnHandler<OrderPlaced> for __MediatorHandlerFn {
        type Receiver = ::mediator_core::__private::Parameters<()>;
        const BORROWS: &'static [::mediator_core::__private::Borrow] = &[
            ::mediator_core::__private::Borrow::exclusive::<SqliteConnection>("tx"),
        ];
        fn call<'a>(
            __receiver: &'a Self::Receiver,
            __event: &'a OrderPlaced,
            __lent: ::mediator_core::__private::Lent<'a>,
        ) -> impl ::mediator_core::HandlerFuture {
            async move {
                let mut __borrowed_0 = __lent.exclusive::<SqliteConnection>("tx")?;
                let __output = write_invoice(__event, &mut *__borrowed_0).await;
                ::mediator_core::HandlerOutput::into_result(__output)
            }
        }
    }
    ::mediator_core::__private::inventory::submit! {
        ::mediator_core::__private::HandlerRegistration::function:: < OrderPlaced,
        __MediatorHandlerFn, _ > (write_invoice, ::core::concat!(::core::module_path!(),
        "::write_invoice"), ::core::module_path!(), "1.2.3").named("billing.invoice")
        .durable(const { & ::mediator_core::__private::DurableOptions::new:: <
        OrderPlaced > ().aliases(& ["billing.bill"]).attempts(10u32)
        .base(::core::time::Duration::from_millis(1000u64))
        .cap(::core::time::Duration::from_millis(300000u64)).skip_dead() })
    }
};
