struct Find<T: Clone>(T);
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
        output: Option<T>,
    ) -> ::core::result::Result<Option<T>, ::mediator_core::SendError> {
        ::core::result::Result::Ok(output)
    }
    fn request_name() -> &'static ::core::primitive::str {
        "find"
    }
    fn declared_at() -> ::core::option::Option<
        &'static ::core::panic::Location<'static>,
    > {
        ::core::option::Option::Some(::core::panic::Location::caller())
    }
}
