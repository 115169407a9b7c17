//! What is asked of RabbitMQ while nobody wants to know it.

use anyhow::Result;
use console::statistics::Statistics;
use sqlx::PgPool;

use crate::broker::Broker;
use crate::support::eventually;

#[sqlx::test]
async fn while_nobody_watches_the_queues_are_counted_and_connections_hardly_looked_at(
    pool: PgPool,
) -> Result<()> {
    let broker = Broker::start().await?;
    let statistics = Statistics::default();
    let watching = broker.watch(&statistics, &pool)?;
    let [queues, connections] = eventually("looks at the queues", async || {
        let asked = broker.asked();
        Ok((asked[0] >= 4).then_some(asked))
    })
    .await?;
    assert!(
        (1..=1 + queues / 5).contains(&connections),
        "{connections} of {queues}"
    );
    watching.stop().await
}
