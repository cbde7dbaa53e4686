#[derive(Debug)]
pub struct PlaceOrder {
    pub item: String,
    pub total: u32,
}
#[automatically_derived]
impl ::mediator_core::Message for PlaceOrder {
    type Response = OrderConfirmation;
    type Error = OrderError;
    type Kind = ::mediator_core::__private::OfRequest;
}
#[automatically_derived]
impl ::mediator_core::Request for PlaceOrder {
    type Response = OrderConfirmation;
    type Error = OrderError;
    type Output = ::core::result::Result<OrderConfirmation, OrderError>;
    fn into_result(
        __output: ::core::result::Result<OrderConfirmation, OrderError>,
    ) -> ::core::result::Result<OrderConfirmation, OrderError> {
        __output
    }
    fn error_from(
        __error: ::mediator_core::__private::BoxError,
    ) -> ::core::result::Result<OrderError, ::mediator_core::__private::BoxError> {
        #[allow(unused_imports)]
        use ::mediator_core::__private::RecoverOther as _;
        ::mediator_core::__private::Recover::<OrderError>::new().recover(__error)
    }
    fn error_text(
        __error: &OrderError,
    ) -> ::core::option::Option<::std::string::String> {
        #[allow(unused_imports)]
        use ::mediator_core::__private::RecoverOther as _;
        ::mediator_core::__private::Recover::<OrderError>::new().text(__error)
    }
    ::mediator_core::__private::response_text!(OrderConfirmation);
    fn request_name() -> &'static ::core::primitive::str {
        ::core::concat!(::core::module_path!(), "::PlaceOrder")
    }
    fn declared_at() -> ::core::option::Option<
        &'static ::core::panic::Location<'static>,
    > {
        ::core::option::Option::Some(::core::panic::Location::caller())
    }
}
::mediator_core::__private::inventory::submit! {
    ::mediator_core::__private::RequestRegistration::new:: < PlaceOrder > ()
}
enum Tidy {
    Now,
    Later,
}
#[automatically_derived]
impl ::mediator_core::Message for Tidy {
    type Response = ();
    type Error = ::mediator_core::SendError;
    type Kind = ::mediator_core::__private::OfRequest;
}
#[automatically_derived]
impl ::mediator_core::Request for Tidy {
    type Response = ();
    type Error = ::mediator_core::SendError;
    type Output = ();
    fn into_result(
        __output: (),
    ) -> ::core::result::Result<(), ::mediator_core::SendError> {
        ::core::result::Result::Ok(__output)
    }
    fn error_from(
        __error: ::mediator_core::__private::BoxError,
    ) -> ::core::result::Result<
        ::mediator_core::SendError,
        ::mediator_core::__private::BoxError,
    > {
        #[allow(unused_imports)]
        use ::mediator_core::__private::RecoverOther as _;
        ::mediator_core::__private::Recover::<::mediator_core::SendError>::new()
            .recover(__error)
    }
    fn error_text(
        __error: &::mediator_core::SendError,
    ) -> ::core::option::Option<::std::string::String> {
        #[allow(unused_imports)]
        use ::mediator_core::__private::RecoverOther as _;
        ::mediator_core::__private::Recover::<::mediator_core::SendError>::new()
            .text(__error)
    }
    ::mediator_core::__private::response_text!(());
    fn request_name() -> &'static ::core::primitive::str {
        ::core::concat!(::core::module_path!(), "::Tidy")
    }
    fn declared_at() -> ::core::option::Option<
        &'static ::core::panic::Location<'static>,
    > {
        ::core::option::Option::Some(::core::panic::Location::caller())
    }
}
::mediator_core::__private::inventory::submit! {
    ::mediator_core::__private::RequestRegistration::new:: < Tidy > ()
}
