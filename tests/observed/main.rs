//! Features `tracing` and `metrics`, with real layers and a real recorder.

mod metering;
mod recorded;
mod spans;
mod world;
