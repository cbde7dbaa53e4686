//! What is published: notifications, events and their identity.

pub(crate) mod dynamic;
pub(crate) mod id;
pub(crate) mod info;
pub(crate) mod notification;
pub(crate) mod pending;
mod uuid_v7;
