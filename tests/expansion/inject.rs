#[derive(Inject)]
pub struct SendEmail {
    mailer: Arc<dyn Mailer>,
    clock: Option<Arc<dyn Clock>>,
    #[inject(default)]
    sent: AtomicUsize,
    #[inject(with = Duration::from_secs(3))]
    timeout: Duration,
}
