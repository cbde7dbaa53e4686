//! The requests that the macro declares.

use crate::request::info::RequestInfo;
use crate::request::request::Request;

inventory::collect!(RequestRegistration);

/// A request type that the macro declared; known even if nobody handles it.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct RequestRegistration {
    request: fn() -> RequestInfo,
    has_given_name: bool,
}

impl RequestRegistration {
    #[must_use]
    pub const fn new<R: Request>() -> Self {
        Self { request: RequestInfo::of::<R>, has_given_name: false }
    }

    /// With the user's `name = …`, which the request answers with.
    #[must_use]
    pub const fn named(mut self) -> Self {
        self.has_given_name = true;
        self
    }
}

/// The requests that the macro declares in all linked crates, in an order that does not depend on the linker.
pub(crate) fn declared_requests() -> Vec<RequestInfo> {
    sorted(inventory::iter::<RequestRegistration>().map(|registration| (registration.request)()))
}

/// Those of them that have a name by `name = …`.
pub(crate) fn named_requests() -> Vec<RequestInfo> {
    let named = inventory::iter::<RequestRegistration>().filter(|registration| registration.has_given_name);
    sorted(named.map(|registration| (registration.request)()))
}

fn sorted(requests: impl Iterator<Item = RequestInfo>) -> Vec<RequestInfo> {
    let mut requests: Vec<_> = requests.collect();
    requests.sort_by_key(RequestInfo::sort_key);
    requests
}
