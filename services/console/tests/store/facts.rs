//! Facts of many orders in one row.

use anyhow::Result;
use console::store::{self, Fact};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::samples::now;

/// So many of one type do not fit into one page.
const ORDERS: i64 = 400;

#[sqlx::test]
async fn every_order_has_its_own_facts_whoever_else_is_in_their_rows(pool: PgPool) -> Result<()> {
    let mut orders: Vec<_> = (0..ORDERS).map(|_| Uuid::now_v7()).collect();
    // An order of long ago, and one whose id says nothing about its time.
    orders.extend([Uuid::nil(), Uuid::from_u128(u128::MAX)]);
    for version in [1_i32, 2] {
        let first = i64::from(version) * 1_000;
        let facts: Vec<_> = (first..)
            .zip(&orders)
            .map(|(offset, order)| fact(*order, offset, version))
            .collect();
        save(&pool, &facts).await?;
    }
    for (n, order) in (0..).zip(&orders) {
        let facts = store::facts_of(&pool, *order).await?;
        assert_eq!(places(&facts), [(1, 1_000 + n), (2, 2_000 + n)], "{order}");
        let trace = Some(order.as_bytes().to_vec());
        assert!(facts.iter().all(|fact| fact.trace_id == trace));
    }
    assert_eq!(store::facts_of(&pool, Uuid::now_v7()).await?.len(), 0);
    assert_eq!(store::news(&pool).await?.0, 2 * (ORDERS + 2));
    Ok(())
}

#[sqlx::test]
async fn a_fact_that_comes_again_among_others_is_one_fact(pool: PgPool) -> Result<()> {
    let orders: Vec<_> = (0..10).map(|_| Uuid::now_v7()).collect();
    let facts: Vec<_> = (0..)
        .zip(&orders)
        .map(|(offset, order)| fact(*order, offset, 1))
        .collect();
    save(&pool, &facts[2..7]).await?;
    save(&pool, &facts).await?;
    save(&pool, &facts[4..]).await?;
    for (n, order) in (0..).zip(&orders) {
        assert_eq!(places(&store::facts_of(&pool, *order).await?), [(1, n)]);
    }
    Ok(())
}

/// The place of a record in a topic that was created anew is that of another one in the old topic.
#[sqlx::test]
async fn a_place_may_have_a_second_fact(pool: PgPool) -> Result<()> {
    let orders = [Uuid::now_v7(), Uuid::now_v7()];
    for order in orders {
        save(&pool, &[fact(order, 7, 1)]).await?;
    }
    for order in orders {
        assert_eq!(places(&store::facts_of(&pool, order).await?), [(1, 7)]);
    }
    save(&pool, &[fact(orders[0], 7, 2)]).await?;
    let mut places = places(&store::facts_of(&pool, orders[0]).await?);
    places.sort_unstable();
    assert_eq!(places, [(1, 7), (2, 7)]);
    Ok(())
}

async fn save(pool: &PgPool, facts: &[Fact]) -> Result<()> {
    Ok(store::save_facts(&mut *pool.acquire().await?, facts).await?)
}

fn fact(order_id: Uuid, offset: i64, version: i32) -> Fact {
    Fact {
        topic: "order-events".to_owned(),
        partition: 3,
        offset,
        message_type: format!("spillway.test-{version}.v1"),
        time: now(),
        recorded_at: now(),
        order_id,
        version: Some(version),
        reason: None,
        trace_id: Some(order_id.as_bytes().to_vec()),
    }
}

/// The version and the offset of each.
fn places(facts: &[Fact]) -> Vec<(i32, i64)> {
    let facts = facts.iter();
    facts
        .map(|fact| (fact.version.unwrap_or_default(), fact.offset))
        .collect()
}
