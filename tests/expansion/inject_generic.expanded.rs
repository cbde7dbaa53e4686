struct Store<T>(Arc<T>, #[inject(default)] Cache);
#[automatically_derived]
impl<T> ::mediator_core::Inject for Store<T>
where
    Arc<T>: ::mediator_core::Service,
{
    #[inline]
    fn inject(
        __services: &::mediator_core::Services<'_>,
    ) -> ::core::result::Result<Self, ::mediator_core::InjectError> {
        let __field_0 = ::mediator_core::Services::get_for(__services, "0");
        ::core::result::Result::Ok(Self {
            0: match __field_0 {
                ::core::result::Result::Ok(__service) => __service,
                ::core::result::Result::Err(__error) => {
                    return ::core::result::Result::Err(__error);
                }
            },
            1: ::core::default::Default::default(),
        })
    }
}
