#[allow(clippy::needless_pass_by_value)]
fn count(event: &OrderPlaced, counter: Counter) {
    counter.increment();
}
#[doc(hidden)]
struct count {
    counter: Counter,
}
#[automatically_derived]
impl ::bus::Inject for count
where
    for<'any> Counter: ::bus::Service,
{
    fn inject(
        services: &::bus::Services<'_>,
    ) -> ::core::result::Result<Self, ::bus::InjectError> {
        let counter = services.get_for::<Counter>("counter");
        ::core::result::Result::Ok(Self { counter: counter? })
    }
}
#[automatically_derived]
impl ::bus::EventHandler<OrderPlaced> for count
where
    for<'any> Counter: ::bus::Service,
{
    fn handle(&self, event: &OrderPlaced) -> impl ::bus::HandlerFuture {
        async move {
            count(event, <Counter as ::core::clone::Clone>::clone(&self.counter))
        }
    }
}
::bus::__private::inventory::submit! {
    ::bus::Registration::new:: < OrderPlaced, count >
    (::core::concat!(::core::module_path!(), "::count"), ::core::module_path!())
}
