#[behavior]
struct Timing {
    log: Arc<Log>,
    #[inject(default)]
    calls: AtomicUsize,
}
