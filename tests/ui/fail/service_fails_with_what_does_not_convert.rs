use mediator_core::prelude::*;

struct ConfigError;

#[service]
fn limit() -> Result<u32, ConfigError> {
    Ok(1)
}

mod config {
    pub type Result<T> = std::result::Result<T, super::ConfigError>;
}

#[service]
fn by_alias() -> config::Result<u64> {
    Ok(1)
}

#[service]
fn not_shared() -> Result<u16, Box<dyn std::error::Error>> {
    Ok(1)
}

fn main() {}
