pub struct SendEmail {
    mailer: Arc<dyn Mailer>,
    #[inject(default)]
    sent: AtomicUsize,
    #[inject(with = Duration::from_secs(3))]
    timeout: Duration,
}
#[automatically_derived]
impl ::mediator_core::Inject for SendEmail {
    fn inject(
        services: &::mediator_core::Services<'_>,
    ) -> ::core::result::Result<Self, ::mediator_core::InjectError> {
        let mailer = services.get_for::<Arc<dyn Mailer>>("mailer");
        ::core::result::Result::Ok(Self {
            mailer: mailer?,
            sent: <AtomicUsize as ::core::default::Default>::default(),
            timeout: Duration::from_secs(3),
        })
    }
}
