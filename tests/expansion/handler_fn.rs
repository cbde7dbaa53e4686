#[event_handler(name = "stats.update")]
pub async fn update_stats(event: &OrderPlaced, stats: Arc<Stats>, #[inject(with = 3)] attempts: u32) -> anyhow::Result<()> {
    stats.add(event.total, attempts).await
}
