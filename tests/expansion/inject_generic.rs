#[derive(Inject)]
struct Store<T>(Arc<T>, #[inject(default)] Cache);
