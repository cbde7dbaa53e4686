mod no_runtime {
    #[mediator_core::event(crate = ::mediator)]
    pub struct OrderPlaced {
        pub order_id: u64,
    }

    #[mediator_core::event_handler(crate = ::mediator)]
    async fn log(event: &OrderPlaced) {
        println!("{}", event.order_id);
    }
}

fn main() {}
