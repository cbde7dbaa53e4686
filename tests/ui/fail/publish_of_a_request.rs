use mediator_core::prelude::*;

#[request]
struct PlaceOrder;

fn publish(publisher: &Publisher) {
    let _ = publisher.publish(PlaceOrder);
}

fn sends_nothing(publisher: &Publisher) {
    let _ = publisher.send(PlaceOrder);
}

fn publishes_nothing(sender: &Sender) {
    let _ = sender.publish(PlaceOrder);
}

fn main() {}
