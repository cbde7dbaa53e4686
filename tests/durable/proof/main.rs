//! Durable handlers against what happens to processes, databases and networks.

/// Makes a test for each database of each function of this module.
macro_rules! on_each_database {
    ($($test:ident)*) => {
        mod sqlite {
            $(
                #[test]
                fn $test() {
                    crate::home::run::<durable_tests::Sqlite, _>(
                        concat!(module_path!(), "::", stringify!($test)), super::$test,
                    );
                }
            )*
        }

        mod postgres {
            $(
                #[test]
                fn $test() {
                    crate::home::run::<durable_tests::Postgres, _>(
                        concat!(module_path!(), "::", stringify!($test)), super::$test,
                    );
                }
            )*
        }
    };
}

mod cancelled;
mod crowd;
mod deploy;
mod gate;
mod home;
mod idle;
mod input;
mod kills;
mod network;
mod node;
mod order;
mod pauses;
mod server;
#[path = "../../../mediator-outbox/tests/support/mod.rs"]
mod support;
mod worker;
