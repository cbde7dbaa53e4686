//! Empty: Cargo asks for a library or a binary.
