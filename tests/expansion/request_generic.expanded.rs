struct Find<T: Clone>(T);
#[automatically_derived]
impl<T: Clone> ::mediator_core::Message for Find<T>
where
    Self: ::core::marker::Send + ::core::marker::Sync + 'static,
    Option<T>: ::core::marker::Send + 'static,
{
    type Response = Option<T>;
    type Error = ::mediator_core::SendError;
    type Kind = ::mediator_core::__private::OfRequest;
}
#[automatically_derived]
impl<T: Clone> ::mediator_core::Request for Find<T>
where
    Self: ::core::marker::Send + ::core::marker::Sync + 'static,
    Option<T>: ::core::marker::Send + 'static,
{
    type Response = Option<T>;
    type Error = ::mediator_core::SendError;
    type Output = Option<T>;
    fn into_result(
        __output: Option<T>,
    ) -> ::core::result::Result<Option<T>, ::mediator_core::SendError> {
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
    ::mediator_core::__private::response_text!(Option < T >);
    fn request_name() -> &'static ::core::primitive::str {
        "find"
    }
    fn declared_at() -> ::core::option::Option<
        &'static ::core::panic::Location<'static>,
    > {
        ::core::option::Option::Some(::core::panic::Location::caller())
    }
}
