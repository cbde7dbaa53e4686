//! What is generated is as quiet as the item it is generated for.
#![deny(warnings)]
#![warn(clippy::all)]

use mediator_core::prelude::*;

#[derive(Notification)]
#[allow(non_camel_case_types)]
pub struct order_placed;

#[event]
#[allow(non_snake_case)]
pub struct Weird {
    pub orderId: u32,
}

mod deprecated {
    #![allow(deprecated)]

    use mediator_core::prelude::*;

    #[event]
    #[deprecated(note = "use Placed")]
    pub struct Old {
        #[deprecated]
        pub id: u32,
    }
}

#[event_handler]
#[deprecated(note = "will go")]
async fn old_way(_event: &Weird) {}

#[event_handler]
#[deprecated]
fn old_plain(_event: &Weird) {}

#[event_handler(Weird)]
#[deprecated(note = "will go")]
struct OldHandler;

#[allow(deprecated)]
impl EventHandler<Weird> for OldHandler {
    async fn handle(&self, _event: &Weird) {}
}

#[allow(deprecated)]
#[event_handler]
async fn still(_event: &deprecated::Old) {}

#[allow(deprecated)]
#[event_handler(deprecated::Old)]
struct Still;

#[allow(deprecated)]
impl EventHandler<deprecated::Old> for Still {
    async fn handle(&self, _event: &deprecated::Old) {}
}

#[event_handler]
#[allow(non_snake_case)]
async fn OnWeird(event: &Weird) {
    let _ = event.orderId;
}

#[event_handler]
#[allow(non_snake_case)]
async fn on_placed(_event: &order_placed, #[inject(default)] myArg: u32) {
    let _ = myArg;
}

#[expect(unused_variables)]
#[event_handler]
async fn expects_above(event: &Weird) {}

#[event_handler]
#[expect(unused_variables)]
async fn expects_below(event: &Weird) {}

#[derive(Inject)]
struct Methods;

#[event_handlers]
impl Methods {
    #[deprecated]
    async fn old(&self, _event: &Weird) {}

    #[allow(non_snake_case)]
    fn newWay(&self, _event: &Weird) {}
}

#[service]
#[deprecated]
fn old_service() -> u8 {
    1
}

fn main() {}
