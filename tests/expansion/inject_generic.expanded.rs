struct Store<T>(Arc<T>, #[inject(default)] Cache);
#[automatically_derived]
impl<T> ::mediator_core::Inject for Store<T>
where
    Arc<T>: ::mediator_core::Service,
{
    fn inject(
        services: &::mediator_core::Services<'_>,
    ) -> ::core::result::Result<Self, ::mediator_core::InjectError> {
        let field_0 = services.get_for::<Arc<T>>("0");
        ::core::result::Result::Ok(Self {
            0: field_0?,
            1: <Cache as ::core::default::Default>::default(),
        })
    }
}
