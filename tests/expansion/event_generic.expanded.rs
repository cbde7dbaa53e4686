pub struct Created<T: Clone, const N: usize>
where
    T: Default,
{
    /// This event's identity, a UUID of version 7.
    pub event_id: ::mediator_core::EventId,
    pub values: [T; N],
    #[cfg(feature = "audit")]
    pub by: UserId,
}
#[automatically_derived]
impl<T: Clone, const N: usize> Created<T, { N }>
where
    T: Default,
{
    /// Makes the event, with a fresh `event_id`.
    #[must_use]
    pub fn new(values: [T; N], #[cfg(feature = "audit")] by: UserId) -> Self {
        Self {
            event_id: ::mediator_core::EventId::new(),
            values,
            #[cfg(feature = "audit")]
            by,
        }
    }
}
#[automatically_derived]
impl<T: Clone, const N: usize> ::mediator_core::Notification for Created<T, { N }>
where
    T: Default,
    Self: ::core::marker::Send + ::core::marker::Sync + 'static,
{
    fn event_name() -> &'static ::core::primitive::str {
        ::core::any::type_name::<Self>()
    }
    fn declared_at() -> ::core::option::Option<
        &'static ::core::panic::Location<'static>,
    > {
        ::core::option::Option::Some(::core::panic::Location::caller())
    }
    fn notification_id(&self) -> ::core::option::Option<::mediator_core::EventId> {
        ::core::option::Option::Some(self.event_id)
    }
}
#[automatically_derived]
impl<T: Clone, const N: usize> ::mediator_core::Event for Created<T, { N }>
where
    T: Default,
    for<'any> Self: ::mediator_core::Notification,
{
    fn event_id(&self) -> ::mediator_core::EventId {
        self.event_id
    }
}
