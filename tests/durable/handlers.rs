//! Events, and handlers that leave traces.

use mediator_core::MediatorBuilder;
use mediator_core::durable::DeliveryInfo;
use mediator_core::prelude::*;
use serde::{Deserialize, Serialize};

use crate::journal::Journal;
use crate::point::{reach, wait_for_renewal};

/// Something that has an effect in the transaction and one outside of it.
#[event(name = "proof.happened")]
#[derive(Debug, Serialize, Deserialize)]
pub struct Happened {
    /// Its number.
    pub number: i64,
}

/// What is published by the effect in the transaction.
#[event(name = "proof.followed")]
#[derive(Debug, Serialize, Deserialize)]
pub struct Followed {
    /// The number of what it follows.
    pub number: i64,
}

/// Something that is to be handled in order.
#[event(name = "proof.in_order", key = key)]
#[derive(Debug, Serialize, Deserialize)]
pub struct InOrder {
    /// Orders it.
    pub key: String,
    /// Counts up within its key.
    pub number: i64,
    /// How many attempts fail.
    pub failures: u32,
}

/// Kills the process that handles it.
#[event(name = "proof.deadly")]
#[derive(Debug, Serialize, Deserialize)]
pub struct Deadly {
    /// Its number.
    pub number: i64,
}

/// At least once: its effect is in the journal.
///
/// # Errors
///
/// In the first attempt, of every seventh event.
#[event_handler(durable, manual, name = "proof.least")]
pub async fn least(event: &Happened, journal: Journal, delivery: &DeliveryInfo) -> anyhow::Result<()> {
    let moment = journal.starts("least", "", event.number, delivery.attempt());
    reach("in least").await;
    wait_for_renewal().await;
    anyhow::ensure!(event.number % 7 != 0 || delivery.attempt() > 1, "the first attempt fails");
    tokio::task::yield_now().await;
    moment.succeeds();
    Ok(())
}

#[event_handler(durable, manual, name = "proof.deadly", retry(attempts = 3))]
async fn deadly(event: &Deadly, journal: Journal, delivery: &DeliveryInfo) {
    let _moment = journal.starts("deadly", "", event.number, delivery.attempt());
    std::process::abort();
}

/// Those that borrow a connection.
macro_rules! handlers {
    ($Connection:ident) => {
        use sqlx::$Connection;

        use super::*;

        const EFFECT: &str = "INSERT INTO effect (handler, key, number) VALUES ($1, $2, $3)";

        #[event_handler(durable, manual, name = "proof.once")]
        async fn once(
            event: &Happened,
            tx: &mut $Connection,
            publisher: &Publisher,
            journal: Journal,
            delivery: &DeliveryInfo,
        ) -> anyhow::Result<()> {
            let moment = journal.starts("once", "", event.number, delivery.attempt());
            reach("in once, before it writes").await;
            sqlx::query(EFFECT).bind("once").bind("").bind(event.number).execute(&mut *tx).await?;
            reach("in once, after it has written").await;
            publisher.with(&mut *tx).publish(Followed::new(event.number)).await?;
            reach("in once, after it has published").await;
            moment.succeeds();
            Ok(())
        }

        #[event_handler(durable, manual, name = "proof.followed")]
        async fn followed(
            event: &Followed,
            tx: &mut $Connection,
            journal: Journal,
            delivery: &DeliveryInfo,
        ) -> anyhow::Result<()> {
            let moment = journal.starts("followed", "", event.number, delivery.attempt());
            sqlx::query(EFFECT).bind("followed").bind("").bind(event.number).execute(&mut *tx).await?;
            reach("in followed").await;
            moment.succeeds();
            Ok(())
        }

        #[event_handler(durable, manual, name = "proof.ordered")]
        async fn ordered(
            event: &InOrder,
            tx: &mut $Connection,
            journal: Journal,
            delivery: &DeliveryInfo,
        ) -> anyhow::Result<()> {
            let moment = journal.starts("ordered", &event.key, event.number, delivery.attempt());
            sqlx::query(EFFECT).bind("ordered").bind(&event.key).bind(event.number).execute(&mut *tx).await?;
            anyhow::ensure!(delivery.attempt() > event.failures, "the first attempts fail");
            moment.succeeds();
            Ok(())
        }

        /// Binds handlers by their names.
        pub(crate) fn bind(builder: MediatorBuilder, handlers: &[&str]) -> MediatorBuilder {
            handlers.iter().fold(builder, |builder, handler| match *handler {
                "once" => builder.bind_fn(once),
                "least" => builder.bind_fn(least),
                "followed" => builder.bind_fn(followed),
                "ordered" => builder.bind_fn(ordered),
                "deadly" => builder.bind_fn(deadly),
                unknown => panic!("there is no handler `{unknown}`"),
            })
        }
    };
}

pub(crate) mod sqlite {
    handlers!(SqliteConnection);
}

pub(crate) mod postgres {
    handlers!(PgConnection);
}
