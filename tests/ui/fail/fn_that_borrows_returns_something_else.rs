use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

struct MailError;

#[event_handler]
async fn counts(_event: &OrderPlaced, limit: &mut u32) -> u32 {
    *limit
}

#[event_handler]
fn fails(_event: &OrderPlaced, _limit: Option<&u32>) -> Result<(), MailError> {
    Ok(())
}

fn main() {}
