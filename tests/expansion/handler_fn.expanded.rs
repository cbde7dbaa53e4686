pub async fn update_stats(
    event: &OrderPlaced,
    stats: Arc<Stats>,
    attempts: u32,
) -> anyhow::Result<()> {
    stats.add(event.total, attempts).await
}
const _: () = {
    struct __MediatorHandlerFn {
        stats: Arc<Stats>,
        attempts: u32,
    }
    #[automatically_derived]
    impl ::mediator_core::Inject for __MediatorHandlerFn
    where
        for<'any> u32: ::mediator_core::Service,
    {
        #[inline]
        fn inject(
            __services: &::mediator_core::Services<'_>,
        ) -> ::core::result::Result<Self, ::mediator_core::InjectError> {
            let __field_0 = ::mediator_core::Services::get_for(__services, "stats");
            ::core::result::Result::Ok(Self {
                stats: match __field_0 {
                    ::core::result::Result::Ok(__service) => __service,
                    ::core::result::Result::Err(__error) => {
                        return ::core::result::Result::Err(__error);
                    }
                },
                attempts: 3,
            })
        }
    }
    #[automatically_derived]
    impl ::mediator_core::__private::FnHandler<OrderPlaced> for __MediatorHandlerFn
    where
        for<'any> u32: ::mediator_core::Service,
    {
        type Receiver = Self;
        fn call<'a>(
            __receiver: &'a Self::Receiver,
            __event: &'a OrderPlaced,
            _: ::mediator_core::__private::Lent<'a>,
        ) -> impl ::mediator_core::HandlerFuture {
            update_stats(
                __event,
                ::core::clone::Clone::clone(&__receiver.stats),
                ::core::clone::Clone::clone(&__receiver.attempts),
            )
        }
    }
    ::mediator_core::__private::inventory::submit! {
        ::mediator_core::__private::HandlerRegistration::function:: < OrderPlaced,
        __MediatorHandlerFn, _ > (update_stats, ::core::concat!(::core::module_path!(),
        "::update_stats"), ::core::module_path!(), "1.2.3").named("stats.update")
    }
};
