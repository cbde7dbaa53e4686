//! What a recorder knows of handlers.

use mediator_core::testing::Recorder;

/// The handlers that have run so far, in that order.
pub(crate) fn ran(recorder: &Recorder) -> Vec<&'static str> {
    let records = recorder.records();
    records.iter().flat_map(|record| record.handlers()).map(|it| it.handler().name()).collect()
}
