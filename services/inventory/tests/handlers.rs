//! What commands do to the database and to the outbox.

use anyhow::Result;
use contracts::{Inbound, Line, Message, ReleaseStock, ReserveStock, SellStock, StockCommand};
use inventory::announce::announce_products;
use inventory::handlers;
use messaging::{Bus, testing};
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

#[sqlx::test]
async fn each_reservation_of_a_batch_is_answered_and_each_level_published_once(
    pool: PgPool,
) -> Result<()> {
    let bus = testing::bus("inventory", &pool).await?;
    handle(
        &bus,
        [
            reserve(1, "LAMP-HEAD"),
            reserve(2, "LAMP-HEAD"),
            reserve(3, "NONE"),
        ],
    )
    .await?;
    let published = published(&pool).await?;
    let types: Vec<_> = published.iter().map(|(kind, _)| kind.as_str()).collect();
    let (reserved, refused) = ("spillway.stock-reserved.v1", "spillway.stock-refused.v1");
    assert_eq!(
        types,
        [
            reserved,
            reserved,
            refused,
            "spillway.stock-level-changed.v1"
        ]
    );
    assert_eq!(published[2].1["reason"], r#"there is no product "NONE""#);
    assert_eq!(
        (&published[3].1["reserved"], &published[3].1["version"]),
        (&2.into(), &2.into())
    );
    Ok(())
}

#[sqlx::test]
async fn a_release_finds_the_products_of_its_order_by_itself(pool: PgPool) -> Result<()> {
    let bus = testing::bus("inventory", &pool).await?;
    handle(&bus, [reserve(1, "LAMP-HEAD"), reserve(2, "DRYBAG-20")]).await?;
    let first = Uuid::from_u128(1);
    handle(&bus, [ReleaseStock { order_id: first }.into(), sell(2)]).await?;
    let levels: Vec<(String, i64, i64)> =
        sqlx::query_as("select sku, reserved, sold from stock where version > 1 order by sku")
            .fetch_all(&pool)
            .await?;
    assert_eq!(
        levels,
        [
            ("DRYBAG-20".to_owned(), 0, 1),
            ("LAMP-HEAD".to_owned(), 0, 0)
        ]
    );
    Ok(())
}

#[sqlx::test]
async fn commands_that_change_nothing_publish_nothing(pool: PgPool) -> Result<()> {
    let bus = testing::bus("inventory", &pool).await?;
    let order_id = Uuid::from_u128(1);
    handle(&bus, [ReleaseStock { order_id }.into()]).await?;
    handle(&bus, [ReleaseStock { order_id }.into()]).await?;
    assert_eq!(published(&pool).await?, []);
    handle(&bus, [reserve(2, "LAMP-HEAD"), sell(2)]).await?;
    let before = published(&pool).await?;
    handle(&bus, [sell(2), sell(2)]).await?;
    assert_eq!(published(&pool).await?, before);
    Ok(())
}

#[sqlx::test]
async fn a_reservation_that_is_asked_for_again_gets_the_same_answer_and_moves_nothing(
    pool: PgPool,
) -> Result<()> {
    let bus = testing::bus("inventory", &pool).await?;
    handle(&bus, [reserve(1, "LAMP-HEAD"), reserve(2, "NONE")]).await?;
    let first = published(&pool).await?;
    handle(&bus, [reserve(1, "LAMP-HEAD"), reserve(2, "NONE")]).await?;

    let all = published(&pool).await?;
    // The two answers, and no level: that was published once.
    assert_eq!(all[first.len()..], first[..2]);
    // Once the order is paid or cancelled, nobody waits for an answer.
    handle(&bus, [sell(1), reserve(3, "LAMP-HEAD")]).await?;
    let order_id = Uuid::from_u128(3);
    handle(&bus, [ReleaseStock { order_id }.into()]).await?;
    let before = published(&pool).await?;
    handle(&bus, [reserve(1, "LAMP-HEAD"), reserve(3, "LAMP-HEAD")]).await?;
    assert_eq!(published(&pool).await?, before);
    Ok(())
}

#[sqlx::test]
async fn a_sale_of_what_is_not_reserved_is_rejected_with_a_reason(pool: PgPool) -> Result<()> {
    let bus = testing::bus("inventory", &pool).await?;
    let order_id = Uuid::from_u128(2);
    handle(&bus, [ReleaseStock { order_id }.into()]).await?;
    handle(&bus, [reserve(3, "NONE")]).await?;
    for (order, status) in [(1, "missing"), (2, "released"), (3, "refused")] {
        let rejected = handle(&bus, [reserve(4, "LAMP-HEAD"), sell(order)]).await;
        let reason = format!(
            "the reservation of order {} is {status}, so it cannot be sold",
            Uuid::from_u128(order)
        );
        assert_eq!(rejected.err().map(|e| e.to_string()), Some(reason));
    }
    // The neighbour was rolled back as well, and is handled on its own.
    handle(&bus, [reserve(4, "LAMP-HEAD")]).await?;
    Ok(())
}

#[sqlx::test]
async fn a_nonsensical_wish_is_refused_with_a_short_reason(pool: PgPool) -> Result<()> {
    let bus = testing::bus("inventory", &pool).await?;
    for (sku, quantity) in [
        ("LAMP-HEAD".to_owned(), 3_000_000_000_i64),
        ("X".repeat(1_000_000), 1),
    ] {
        let body = json!({
            "order_id": Uuid::now_v7(),
            "lines": [{"sku": sku, "quantity": quantity}],
        });
        let command = StockCommand::decode(ReserveStock::TYPE, body.to_string().as_bytes())?;
        handle(&bus, [command]).await?;
    }
    let reasons = published(&pool).await?.into_iter().map(|(kind, body)| {
        assert_eq!(kind, "spillway.stock-refused.v1");
        body["reason"].clone()
    });
    let expected = [
        json!("3000000000 pieces of LAMP-HEAD are not within 1 to 1000"),
        json!(format!("there is no product \"{}\"", "X".repeat(64))),
    ];
    assert_eq!(reasons.collect::<Vec<_>>(), expected);
    Ok(())
}

#[sqlx::test]
async fn a_start_publishes_every_product_with_its_level_and_a_restart_nothing(
    pool: PgPool,
) -> Result<()> {
    let bus = testing::bus("inventory", &pool).await?;
    announce_products(&bus).await?;
    announce_products(&bus).await?;
    let published = published(&pool).await?;
    let count = |name: &str| published.iter().filter(|(kind, _)| kind == name).count();
    assert_eq!(count("spillway.product-listed.v1"), 12);
    assert_eq!(count("spillway.stock-level-changed.v1"), 12);
    Ok(())
}

async fn handle<const N: usize>(bus: &Bus, commands: [StockCommand; N]) -> Result<()> {
    testing::handle(bus, &handlers::DecideAboutStock, commands).await
}

/// Type and body of the messages in the outbox.
async fn published(pool: &PgPool) -> Result<Vec<(String, Value)>> {
    let rows: Vec<(String, Vec<u8>)> =
        sqlx::query_as("select message_type, body from messaging.outbox order by seq")
            .fetch_all(pool)
            .await?;
    rows.into_iter()
        .map(|(kind, body)| Ok((kind, serde_json::from_slice(&body)?)))
        .collect()
}

fn reserve(order: u128, sku: &str) -> StockCommand {
    let lines = vec![Line {
        sku: sku.to_owned(),
        quantity: 1,
    }];
    ReserveStock {
        order_id: Uuid::from_u128(order),
        lines,
    }
    .into()
}

fn sell(order: u128) -> StockCommand {
    SellStock {
        order_id: Uuid::from_u128(order),
    }
    .into()
}
