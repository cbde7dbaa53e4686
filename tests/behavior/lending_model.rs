//! Random trees of nested publishes with random lendings, against a plain model: who gets what, who is refused, in which order.

use std::pin::Pin;

use futures::executor::block_on;
use mediator_core::prelude::*;
use mediator_core::{MediatorBuilder, PublishErrorKind};
use mediator_tests::{Log, cases, pending};
use proptest::prelude::*;

/// What is lent and borrowed, one type for each number.
struct Cell<const NUMBER: usize>;

/// How a publish lends a cell, or a handler borrows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    No,
    Shared,
    Exclusive,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    InOrder,
    BestEffort,
    AtOnce,
}

/// A publish of the event whose two handlers borrow by `borrows`, lending `lends`.
#[derive(Clone, Debug)]
struct Tree {
    how: How,
    lends: [Access; 2],
    /// What the first handler borrows of each cell; the second one borrows nothing.
    borrows: [Access; 2],
    /// Whether the first handler lends on what it holds to the publishes that it makes.
    lends_on: bool,
    waits: usize,
    /// Published by the first handler while it holds what it borrows.
    by_holder: Vec<Tree>,
    /// Published by the second handler.
    by_other: Vec<Tree>,
}

/// An event that tells its handlers what to publish; one type for each pair of borrows.
#[derive(Notification)]
struct Node<const FIRST: usize, const SECOND: usize>(Tree, String);

type Publishing<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Publishes the trees one after another and logs how it went.
fn publish_all<'a>(publisher: &'a Publisher, trees: &'a [Tree], path: &'a str, log: &'a Log) -> Publishing<'a> {
    Box::pin(async move {
        for (index, tree) in trees.iter().enumerate() {
            publish(publisher, tree, format!("{path}.{index}"), log).await;
        }
    })
}

async fn publish(publisher: &Publisher, tree: &Tree, path: String, log: &Log) {
    let (mut zero, mut one) = (Cell::<0>, Cell::<1>);
    let published = match tree.lends {
        [Access::No, Access::No] => publish_by(publisher, tree, &path).await,
        [Access::Shared, Access::No] => publish_by(&publisher.with(&zero), tree, &path).await,
        [Access::Exclusive, Access::No] => publish_by(&publisher.with(&mut zero), tree, &path).await,
        [Access::No, Access::Shared] => publish_by(&publisher.with(&one), tree, &path).await,
        [Access::No, Access::Exclusive] => publish_by(&publisher.with(&mut one), tree, &path).await,
        [Access::Shared, Access::Shared] => publish_by(&publisher.with(&zero).with(&one), tree, &path).await,
        [Access::Shared, Access::Exclusive] => publish_by(&publisher.with(&zero).with(&mut one), tree, &path).await,
        [Access::Exclusive, Access::Shared] => publish_by(&publisher.with(&mut zero).with(&one), tree, &path).await,
        [Access::Exclusive, Access::Exclusive] => {
            publish_by(&publisher.with(&mut zero).with(&mut one), tree, &path).await
        }
    };
    match published {
        Ok(()) => log.add(format!("{path} ok")),
        Err(error) if error.kind() == PublishErrorKind::NotLent && error.unpublished().len() == 1 => {
            log.add(format!("{path} refused"));
        }
        Err(error) => log.add(format!("{path} failed: {error:#}")),
    }
}

async fn publish_by(publisher: &Publisher, tree: &Tree, path: &str) -> Result<(), PublishError> {
    macro_rules! node {
        ($first:literal, $second:literal) => {{
            let event = Node::<$first, $second>(tree.clone(), path.to_owned());
            match tree.how {
                How::InOrder => publisher.publish(event).await,
                How::BestEffort => publisher.publish_with(&BestEffortEventPublisher, event).await,
                How::AtOnce => publisher.publish_with(&JoinEventPublisher, event).await,
            }
        }};
    }
    match tree.borrows {
        [Access::No, Access::No] => node!(0, 0),
        [Access::No, Access::Shared] => node!(0, 1),
        [Access::No, Access::Exclusive] => node!(0, 2),
        [Access::Shared, Access::No] => node!(1, 0),
        [Access::Shared, Access::Shared] => node!(1, 1),
        [Access::Shared, Access::Exclusive] => node!(1, 2),
        [Access::Exclusive, Access::No] => node!(2, 0),
        [Access::Exclusive, Access::Shared] => node!(2, 1),
        [Access::Exclusive, Access::Exclusive] => node!(2, 2),
    }
}

/// The two handlers of one kind of node: the first borrows and, if it is to lend on, does so by the last argument; the second
/// borrows nothing.
macro_rules! handlers {
    ($module:ident, $first:literal, $second:literal, $publisher:ident, [$($cell:ident: $ty:ty),*], $scope:expr) => {
        mod $module {
            use super::*;

            #[event_handler(manual)]
            pub(super) async fn holder(event: &Node<$first, $second>, $($cell: $ty,)* $publisher: &Publisher, log: Log) {
                let tree = &event.0;
                log.add(format!("{} holder", event.1));
                pending(tree.waits).await;
                let path = format!("{}h", event.1);
                if tree.lends_on {
                    let scope = $scope;
                    publish_all(&*scope, &tree.by_holder, &path, &log).await;
                } else {
                    publish_all($publisher, &tree.by_holder, &path, &log).await;
                }
                log.add(format!("{} holder ends", event.1));
            }

            #[event_handler(manual)]
            pub(super) async fn other(event: &Node<$first, $second>, publisher: &Publisher, log: Log) {
                let tree = &event.0;
                log.add(format!("{} other", event.1));
                publish_all(publisher, &tree.by_other, &format!("{}o", event.1), &log).await;
            }
        }
    };
}

handlers!(h00, 0, 0, publisher, [], publisher);
handlers!(h01, 0, 1, publisher, [one: &Cell<1>], publisher.with(one));
handlers!(h02, 0, 2, publisher, [one: &mut Cell<1>], publisher.with(&mut *one));
handlers!(h10, 1, 0, publisher, [zero: &Cell<0>], publisher.with(zero));
handlers!(h11, 1, 1, publisher, [zero: &Cell<0>, one: &Cell<1>], publisher.with(zero).with(one));
handlers!(h12, 1, 2, publisher, [zero: &Cell<0>, one: &mut Cell<1>], publisher.with(zero).with(&mut *one));
handlers!(h20, 2, 0, publisher, [zero: &mut Cell<0>], publisher.with(&mut *zero));
handlers!(h21, 2, 1, publisher, [zero: &mut Cell<0>, one: &Cell<1>], publisher.with(&mut *zero).with(one));
handlers!(h22, 2, 2, publisher, [zero: &mut Cell<0>, one: &mut Cell<1>], publisher.with(&mut *zero).with(&mut *one));

fn bind_all(builder: MediatorBuilder) -> MediatorBuilder {
    macro_rules! bind {
        ($($module:ident)*) => { builder$(.bind_fn($module::holder).bind_fn($module::other))* };
    }
    bind!(h00 h01 h02 h10 h11 h12 h20 h21 h22)
}

/// What ought to happen.
#[derive(Default)]
struct Model {
    log: Vec<String>,
    /// Of each value that is lent exclusively: who holds it.
    held: Vec<Access>,
}

/// What a publish sees around it, the innermost last.
#[derive(Clone, Copy)]
enum Around {
    Shared { cell: usize },
    Exclusive { cell: usize, value: usize },
    Publish { at_once: bool },
}

impl Model {
    fn publish(&mut self, tree: &Tree, around: &[Around], path: &str) {
        let mut around = around.to_vec();
        self.lend(tree.lends, &mut around);
        let Some(values) = self.borrow(tree.borrows, &around) else {
            self.log.push(format!("{path} refused"));
            return;
        };
        around.push(Around::Publish { at_once: tree.how == How::AtOnce });
        self.log.push(format!("{path} holder"));
        let mut lent_on = around.clone();
        if tree.lends_on {
            self.lend(tree.borrows, &mut lent_on);
        }
        let before: Vec<_> =
            values.iter().map(|&(value, access)| (value, std::mem::replace(&mut self.held[value], access))).collect();
        self.publish_all(&tree.by_holder, &lent_on, &format!("{path}h"));
        before.into_iter().for_each(|(value, access)| self.held[value] = access);
        self.log.push(format!("{path} holder ends"));
        self.log.push(format!("{path} other"));
        self.publish_all(&tree.by_other, &around, &format!("{path}o"));
        self.log.push(format!("{path} ok"));
    }

    fn publish_all(&mut self, trees: &[Tree], around: &[Around], path: &str) {
        for (index, tree) in trees.iter().enumerate() {
            self.publish(tree, around, &format!("{path}.{index}"));
        }
    }

    fn lend(&mut self, lends: [Access; 2], around: &mut Vec<Around>) {
        for (cell, access) in lends.into_iter().enumerate() {
            match access {
                Access::No => {}
                Access::Shared => around.push(Around::Shared { cell }),
                Access::Exclusive => {
                    around.push(Around::Exclusive { cell, value: self.held.len() });
                    self.held.push(Access::No);
                }
            }
        }
    }

    /// The values that are lent exclusively and held by these borrows; `None` if one of them is refused.
    fn borrow(&self, borrows: [Access; 2], around: &[Around]) -> Option<Vec<(usize, Access)>> {
        let mut values = Vec::new();
        for (cell, access) in borrows.into_iter().enumerate() {
            if access != Access::No {
                values.extend(self.borrow_one(cell, access, around)?);
            }
        }
        Some(values)
    }

    fn borrow_one(&self, wanted: usize, access: Access, around: &[Around]) -> Option<Option<(usize, Access)>> {
        let mut from_at_once = false;
        for around in around.iter().rev() {
            match *around {
                Around::Publish { at_once } => from_at_once |= at_once,
                Around::Shared { cell } if cell == wanted => return (access == Access::Shared).then_some(None),
                Around::Exclusive { cell, value } if cell == wanted => {
                    let is_free = match access {
                        Access::Shared => self.held[value] != Access::Exclusive,
                        _ => self.held[value] == Access::No,
                    };
                    return (is_free && !from_at_once).then_some(Some((value, access)));
                }
                Around::Shared { .. } | Around::Exclusive { .. } => {}
            }
        }
        None
    }
}

fn accesses() -> impl Strategy<Value = [Access; 2]> {
    let access = || prop_oneof![3 => Just(Access::No), 2 => Just(Access::Shared), 3 => Just(Access::Exclusive)];
    [access(), access()]
}

fn trees() -> impl Strategy<Value = Tree> {
    let node = |children: BoxedStrategy<Vec<Tree>>| {
        let how = prop_oneof![3 => Just(How::InOrder), 1 => Just(How::BestEffort), 1 => Just(How::AtOnce)];
        (how, accesses(), accesses(), any::<bool>(), 0_usize..3, children.clone(), children).prop_map(
            |(how, lends, borrows, lends_on, waits, by_holder, by_other)| Tree {
                how,
                lends,
                borrows,
                lends_on,
                waits,
                by_holder,
                by_other,
            },
        )
    };
    let leaf = node(Just(Vec::new()).boxed());
    leaf.prop_recursive(4, 24, 3, move |inner| node(prop::collection::vec(inner, 0..3).boxed()))
}

fn runs_at_once(tree: &Tree) -> bool {
    tree.how == How::AtOnce || tree.by_holder.iter().chain(&tree.by_other).any(runs_at_once)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(1000),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nested_publishes_get_what_is_lent_and_free(tree in trees()) {
        let log = Log::default();
        let mediator = bind_all(Mediator::builder().without_discovery().provide(log.clone())).build().unwrap();
        block_on(publish(&mediator.publisher(), &tree, "0".to_owned(), &log));
        let mut model = Model::default();
        model.publish(&tree, &[], "0");
        let mut observed = log.entries();
        if runs_at_once(&tree) {
            // In which order depends on who waits for how long; what is granted does not.
            observed.sort();
            model.log.sort();
        }
        prop_assert_eq!(observed, model.log);
    }
}
