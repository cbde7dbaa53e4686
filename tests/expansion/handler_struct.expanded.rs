struct SendEmail {
    mailer: Arc<dyn Mailer>,
}
#[automatically_derived]
impl ::mediator_core::Inject for SendEmail {
    #[inline]
    fn inject(
        __services: &::mediator_core::Services<'_>,
    ) -> ::core::result::Result<Self, ::mediator_core::InjectError> {
        let __field_0 = ::mediator_core::Services::get_for(__services, "mailer");
        ::core::result::Result::Ok(Self {
            mailer: match __field_0 {
                ::core::result::Result::Ok(__service) => __service,
                ::core::result::Result::Err(__error) => {
                    return ::core::result::Result::Err(__error);
                }
            },
        })
    }
}
::mediator_core::__private::inventory::submit! {
    ::mediator_core::__private::HandlerRegistration::new:: < OrderPlaced, SendEmail >
    (::core::concat!(::core::module_path!(), "::SendEmail"), ::core::module_path!(),
    "1.2.3").order_by(- 10i32).after(const { &
    [::mediator_core::__private::HandlerRef::to:: < ReserveStock > ()] })
}
::mediator_core::__private::inventory::submit! {
    ::mediator_core::__private::HandlerRegistration::new:: < orders::OrderCancelled,
    SendEmail > (::core::concat!(::core::module_path!(), "::SendEmail"),
    ::core::module_path!(), "1.2.3").order_by(- 10i32).after(const { &
    [::mediator_core::__private::HandlerRef::to:: < ReserveStock > ()] })
}
