//! Sales and cancellations.

use std::num::TryFromIntError;
use std::sync::Arc;

use mediator_core::prelude::*;
use shop_events::{OrderCancelled, OrderPlaced};

use crate::Sales;

#[event_handler]
async fn count_sale(event: &OrderPlaced, sales: Arc<Sales>) -> Result<(), TryFromIntError> {
    sales.add(i64::try_from(event.total_cents)?);
    Ok(())
}

#[event_handler]
async fn count_cancellation(event: &OrderCancelled, sales: Arc<Sales>) -> Result<(), TryFromIntError> {
    sales.add(-i64::try_from(event.total_cents)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;

    // A function stays a function: to test what it does, no mediator is needed.
    #[test]
    fn a_cancelled_order_is_no_sale() {
        let sales = Arc::<Sales>::default();
        block_on(count_sale(&OrderPlaced::new(7, "ada@example.com".into(), 1_250), sales.clone())).unwrap();
        assert_eq!(sales.cents(), 1_250);
        block_on(count_cancellation(&OrderCancelled::new(7, "ada@example.com".into(), 1_250), sales.clone())).unwrap();
        assert_eq!(sales.cents(), 0);
    }
}
