//! What is measured: a function for each table, with all candidates for one kind of work.

/// Repeats an expression with `.await`, with `quantity` as the number of the repetition.
macro_rules! publishes {
    ($table:ident, $name:expr, |$quantity:ident| $publish:expr) => {
        $table.add($name, move |times| {
            block_on(async {
                for $quantity in 0..times {
                    if $publish.is_err() {
                        panic!("no handler fails");
                    }
                }
            });
        });
    };
}

pub mod behaving;
pub mod lending;
pub mod measure;
mod peers;
pub mod report;
pub mod scale;
pub mod sending;
mod work;

use std::hint::black_box;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures::future::join_all;
use futures::stream::{FuturesUnordered, StreamExt};
use mediator_core::{GroupEventPublisher, Notification};

use measure::{Table, block_on};
use work::{At, Boxed, Collect, OrderPlaced, Ready, Yielding, builder, four_yielding, handles, sixty_four_yielding};

type D<const DIGIT: usize> = At<(), DIGIT>;

pub fn one_ready() -> Table {
    let mut table = Table::new("One handler, ready");
    let handler = Ready::<D<0>>::new();
    publishes!(table, "handwritten `.await`", |quantity| {
        let event = OrderPlaced::new(quantity);
        handler.run(black_box(&event)).await
    });
    let mediator = builder().ready::<D<0>>().build().expect("wired");
    publishes!(table, "**mediator**", |quantity| mediator.publish(OrderPlaced::new(quantity)).await);
    table
}

pub fn three_ready() -> Table {
    let mut table = Table::new("Three handlers, ready");
    let (first, second, third) = (Ready::<D<0>>::new(), Ready::<D<1>>::new(), Ready::<D<2>>::new());
    publishes!(table, "handwritten `.await`s", |quantity| {
        let event = OrderPlaced::new(quantity);
        let event = black_box(&event);
        async { first.run(event).await.and(second.run(event).await).and(third.run(event).await) }.await
    });
    let mediator = builder().ready::<D<0>>().ready::<D<1>>().ready::<D<2>>().build().expect("wired");
    publishes!(table, "**mediator**", |quantity| mediator.publish(OrderPlaced::new(quantity)).await);
    table
}

/// A handler as a function pointer, and what it is called with.
type Bare = (fn(&work::Total, &OrderPlaced) -> io::Result<()>, Arc<work::Total>);

fn bare<const NUMBER: u64>() -> Bare {
    let call = |total: &work::Total, event: &OrderPlaced| {
        total.add(event);
        black_box(NUMBER);
        Ok(())
    };
    (call, Arc::default())
}

fn bare_functions() -> Vec<Bare> {
    black_box(vec![bare::<0>(), bare::<1>(), bare::<2>(), bare::<3>()])
}

fn call_all(functions: &[Bare], event: &OrderPlaced) -> io::Result<()> {
    functions.iter().try_for_each(|(call, total)| call(total, event))
}

pub fn four_ready() -> Table {
    let mut table = Table::new("Four handlers, ready");
    let functions = bare_functions();
    table.add("loop over sync function pointers", move |times| {
        for quantity in 0..times {
            if call_all(&functions, &OrderPlaced::new(quantity)).is_err() {
                panic!("no handler fails");
            }
        }
    });
    // The row of the mediator keeps it for those of its publishers.
    let (mediator, publisher, injected) = handles(work::four_ready(builder()));
    let group = work::four_ready(builder()).event_publisher(GroupEventPublisher).build().expect("wired");
    publishes!(table, "**mediator**", |quantity| mediator.publish(OrderPlaced::new(quantity)).await);
    publishes!(table, "**mediator**, through a `Publisher`", |quantity| {
        publisher.publish(OrderPlaced::new(quantity)).await
    });
    publishes!(table, "**mediator**, through an injected `Publisher`", |quantity| {
        injected.publish(OrderPlaced::new(quantity)).await
    });
    publishes!(table, "**mediator**, group", |quantity| group.publish(OrderPlaced::new(quantity)).await);
    boxed(&mut table, work::four_ready(Vec::new()));
    peers::add_ready(&mut table);
    table
}

fn boxed(table: &mut Table, handlers: Vec<Arc<dyn Boxed>>) {
    publishes!(table, "loop over boxed futures", |quantity| {
        let event = OrderPlaced::new(quantity);
        let mut result = Ok(());
        for handler in &handlers {
            result = handler.call(&event).await;
            if result.is_err() {
                break;
            }
        }
        result
    });
}

/// What parts of a publish cost by themselves, on top of the function pointers.
pub fn parts() -> Table {
    let mut table = Table::new("Parts of a publish");
    let functions = bare_functions();
    table.add("loop over four sync function pointers", move |times| {
        for quantity in 0..times {
            let _ = black_box(call_all(&functions, &OrderPlaced::new(quantity)));
        }
    });
    let functions = bare_functions();
    table.add("the same, panics caught", move |times| {
        for quantity in 0..times {
            let event = OrderPlaced::new(quantity);
            let _ = black_box(catch_unwind(AssertUnwindSafe(|| call_all(&functions, &event))).is_ok());
        }
    });
    table.add("an event, made and dropped", |times| {
        for quantity in 0..times {
            black_box(&OrderPlaced::new(quantity));
        }
    });
    struct Unhandled(#[expect(dead_code, reason = "moved and dropped like the others")] OrderPlaced);
    impl Notification for Unhandled {}
    let (mediator, publisher, injected) = handles(work::four_ready(builder()));
    publishes!(table, "publish without a handler: future and lookup", |quantity| {
        mediator.publish(Unhandled(OrderPlaced::new(quantity))).await
    });
    publishes!(table, "the same through a `Publisher`", |quantity| {
        publisher.publish(Unhandled(OrderPlaced::new(quantity))).await
    });
    publishes!(table, "the same through an injected `Publisher`", |quantity| {
        injected.publish(Unhandled(OrderPlaced::new(quantity))).await
    });
    table
}

pub fn four_pending() -> Table {
    let mut table = Table::new("Four handlers, each pending once");
    boxed(&mut table, four_yielding(Vec::new()));
    let mediator = four_yielding(builder()).build().expect("wired");
    publishes!(table, "**mediator**", |quantity| mediator.publish(OrderPlaced::new(quantity)).await);
    let (first, second) = (Yielding::<D<0>, 1>::new(), Yielding::<D<1>, 1>::new());
    let (third, fourth) = (Yielding::<D<2>, 1>::new(), Yielding::<D<3>, 1>::new());
    publishes!(table, "handwritten `.await`s", |quantity| {
        let event = OrderPlaced::new(quantity);
        let event = black_box(&event);
        async {
            first.run(event).await?;
            second.run(event).await?;
            third.run(event).await?;
            fourth.run(event).await
        }
        .await
    });
    table
}

pub fn group_of_four() -> Table {
    let mut table = Table::new("Group of four handlers, each pending once");
    let mediator = four_yielding(builder()).event_publisher(GroupEventPublisher).build().expect("wired");
    publishes!(table, "**mediator**", |quantity| mediator.publish(OrderPlaced::new(quantity)).await);
    groups(&mut table, four_yielding(Vec::new()));
    peers::add_concurrent(&mut table, "registry-io, concurrent (no results)", 4, 1);
    table
}

pub fn group_of_sixty_four() -> Table {
    let mut table = Table::new("Group of 64 handlers, each pending four times");
    let mediator = sixty_four_yielding(builder()).event_publisher(GroupEventPublisher).build().expect("wired");
    publishes!(table, "**mediator**", |quantity| mediator.publish(OrderPlaced::new(quantity)).await);
    groups(&mut table, sixty_four_yielding(Vec::new()));
    peers::add_concurrent(&mut table, "registry-io, concurrent (no results)", 64, 4);
    table
}

fn groups(table: &mut Table, handlers: Vec<Arc<dyn Boxed>>) {
    let joined = handlers.clone();
    publishes!(table, "`join_all` of boxed futures", |quantity| {
        let event = OrderPlaced::new(quantity);
        let results = join_all(joined.iter().map(|handler| handler.call(&event))).await;
        results.into_iter().collect::<Result<(), _>>()
    });
    publishes!(table, "`FuturesUnordered` of boxed futures", |quantity| {
        let event = OrderPlaced::new(quantity);
        let mut futures: FuturesUnordered<_> = handlers.iter().map(|handler| handler.call(&event)).collect();
        let mut result = Ok(());
        while let Some(next) = futures.next().await {
            result = result.and(next);
        }
        result
    });
}

pub fn new_event() -> Table {
    #[mediator_core::event]
    struct OrderShipped {
        #[expect(dead_code, reason = "only made")]
        order_id: String,
    }

    let mut table = Table::new("Creating an event");
    table.add("reading the clock", |times| {
        for _ in 0..times {
            black_box(std::time::SystemTime::now());
        }
    });
    table.add("**`#[event]`, its id included**", |times| {
        for _ in 0..times {
            black_box(&OrderShipped::new(String::new()));
        }
    });
    table.add("`Uuid::now_v7`, with `fast-rng`", |times| {
        for _ in 0..times {
            black_box(uuid::Uuid::now_v7());
        }
    });
    table
}
