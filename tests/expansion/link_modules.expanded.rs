extern crate orders as _;
#[cfg(feature = "billing")]
extern crate billing as _;
