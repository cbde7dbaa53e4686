struct Store<T>(Arc<T>, #[inject(default)] Cache);
#[automatically_derived]
impl<T> ::mediator_core::Inject for Store<T>
where
    Arc<T>: ::mediator_core::Service,
{
    fn inject(
        __services: &::mediator_core::Services<'_>,
    ) -> ::core::result::Result<Self, ::mediator_core::InjectError> {
        let __field_0 = __services.get_for::<Arc<T>>("0");
        ::core::result::Result::Ok(Self {
            0: __field_0?,
            1: <Cache as ::core::default::Default>::default(),
        })
    }
}
