use mediator_core::prelude::*;

#[event]
struct OrderPlaced {
    order_id: u64,
}

struct Tenant;

#[behavior(manual, name = "timing", oder = 3, retry(5), order = "first", after = 3, crate = self::runtime)]
struct Timing;

impl Behavior for Timing {
    async fn handle(&self, mut call: Call<'_>) -> Outcome {
        call.run().await
    }
}

#[behavior(OrderPlaced, OrderPlaced, dyn Send, order, order(3), lends(Tenant, Option<&Tenant>, &'static Tenant))]
struct Lending;

impl Behavior<OrderPlaced> for Lending {
    async fn handle(&self, mut call: Call<'_, OrderPlaced>) -> Outcome {
        call.run().await
    }
}

#[behavior(lends)]
struct LendsNothing;

#[behavior(lends())]
struct LendsNothingToo;

#[behavior(lends = &mut Tenant)]
struct LendsByEquals;

#[behavior(lends(mut Tenant), lends(&Tenant))]
struct LendsTwice;

fn main() {}
