//! The hub's service as GitHub, an operator and those who mean no good see it.

/// Makes a test for each database of each function of this module, which is given a hub.
macro_rules! on_each_database {
    ($($test:ident)*) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    super::$test(crate::hub::Hub::start().await).await;
                }
            )*
        }

        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    let name = concat!(module_path!(), "::", stringify!($test));
                    crate::hub::on_postgres(name, super::$test).await;
                }
            )*
        }
    };
}

mod browser;
mod chromium;
mod client;
mod crashes;
mod dead_letters;
mod hub;
mod input;
mod nats;
#[path = "../../../mediator-outbox/tests/support/mod.rs"]
mod postgres;
mod stopping;
#[path = "../../../mediator-nats/tests/support/mod.rs"]
mod support;
