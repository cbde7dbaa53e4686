//! Nothing but `benches/publish.rs`: a package needs a target of its own.
