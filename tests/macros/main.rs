//! The macros called as functions: what they write, and that they answer whatever is written under them.
#![allow(missing_docs)]

include!("../macros.rs");

mod any_tokens;
mod expansion;
