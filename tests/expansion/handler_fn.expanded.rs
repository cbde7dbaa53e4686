pub async fn update_stats(
    event: &OrderPlaced,
    stats: Arc<Stats>,
    attempts: u32,
) -> anyhow::Result<()> {
    stats.add(event.total, attempts).await
}
#[doc(hidden)]
pub struct update_stats {
    stats: Arc<Stats>,
    attempts: u32,
}
#[automatically_derived]
impl ::mediator_core::Inject for update_stats
where
    for<'any> u32: ::mediator_core::Service,
{
    fn inject(
        services: &::mediator_core::Services<'_>,
    ) -> ::core::result::Result<Self, ::mediator_core::InjectError> {
        let stats = services.get_for::<Arc<Stats>>("stats");
        ::core::result::Result::Ok(Self { stats: stats?, attempts: 3 })
    }
}
#[automatically_derived]
impl ::mediator_core::EventHandler<OrderPlaced> for update_stats
where
    for<'any> u32: ::mediator_core::Service,
{
    fn handle(&self, event: &OrderPlaced) -> impl ::mediator_core::HandlerFuture {
        update_stats(
            event,
            <Arc<Stats> as ::core::clone::Clone>::clone(&self.stats),
            <u32 as ::core::clone::Clone>::clone(&self.attempts),
        )
    }
}
::mediator_core::__private::inventory::submit! {
    ::mediator_core::Registration::new:: < OrderPlaced, update_stats > ("stats.update",
    ::core::module_path!())
}
