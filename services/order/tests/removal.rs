//! What becomes of orders and keys that are old.

mod support;

use std::time::Duration;

use anyhow::{Result, ensure};
use axum::http::StatusCode;
use contracts::CancelUnpaidOrder;
use jiff::Timestamp;
use messaging::testing::buffers;
use messaging::{OldRows, RemoveOld};
use order::handlers::{CancelUnpaidOrders, ConfirmOrReject};
use order::store;
use sqlx::PgPool;
use support::{PAYMENT_DEADLINE, Service, new_order, one_tea, refused, reserved};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const KEPT: Duration = days(30);

const CONFIRM_OR_REJECT: ConfirmOrReject = ConfirmOrReject {
    payment_deadline: PAYMENT_DEADLINE,
};

/// Buffers for one portion.
const LIMIT: i64 = 6_000;
const ROWS: i32 = 200_000;

#[sqlx::test]
async fn old_orders_are_removed_to_which_nothing_can_happen_any_more(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let (pending, confirmed) = (service.placed().await?, service.confirmed().await?);
    let (rejected, paid) = (service.placed().await?, paid(&service).await?);
    service
        .handle(&CONFIRM_OR_REJECT, [refused(rejected)])
        .await?;
    let now = store::now();
    assert_eq!(remove_orders(&service, now + days(29)).await?, 0);
    assert_eq!(remove_orders(&service, now + days(31)).await?, 2);

    for (id, status) in [
        (pending, StatusCode::OK),
        (confirmed, StatusCode::OK),
        (rejected, StatusCode::NOT_FOUND),
        (paid, StatusCode::NOT_FOUND),
    ] {
        let answer = service.get(&format!("/api/orders/{id}")).await?;
        assert_eq!(answer.status, status, "{id}");
    }
    Ok(())
}

#[sqlx::test]
async fn an_order_is_kept_from_the_last_thing_on_that_happened_to_it(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    paid(&service).await?;
    let now = store::now();
    sqlx::query("update orders set history = jsonb_set(history, '{-1,at}', to_jsonb($1::text))")
        .bind((now + days(20)).to_string())
        .execute(&service.pool)
        .await?;
    assert_eq!(remove_orders(&service, now + days(49)).await?, 0);
    assert_eq!(remove_orders(&service, now + days(51)).await?, 1);
    Ok(())
}

#[sqlx::test]
async fn a_late_message_about_a_removed_order_changes_nothing(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let (removed, waiting) = (paid(&service).await?, service.placed().await?);
    let published = service.published(removed).await?;
    remove_orders(&service, store::now() + days(31)).await?;

    let deadline = CancelUnpaidOrder::of(removed);
    service.handle(&CancelUnpaidOrders, [deadline]).await?;
    // What shares its batch is not held up by it.
    let events = [reserved(removed), refused(removed), reserved(waiting)];
    service.handle(&CONFIRM_OR_REJECT, events).await?;
    assert_eq!(service.published(removed).await?, published);
    assert_eq!(service.order(waiting).await?.version, 2);
    assert_eq!(service.count_orders().await?, 1);

    // One that was never there is still refused.
    let stranger = [reserved(Uuid::now_v7())];
    assert!(service.handle(&CONFIRM_OR_REJECT, stranger).await.is_err());
    Ok(())
}

#[sqlx::test]
async fn an_old_key_is_forgotten_and_its_order_stays(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let first = service.place_with_key("key", &one_tea()).await?.id()?;
    let again = service.place_with_key("key", &one_tea()).await?.id()?;
    assert_eq!(again, first);

    let now = store::now();
    assert_eq!(forget_keys(&service, now + days(29)).await?, 0);
    assert_eq!(forget_keys(&service, now + days(31)).await?, 1);
    assert_eq!(forget_keys(&service, now + days(31)).await?, 0);
    let another = service.place_with_key("key", &one_tea()).await?.id()?;
    assert_ne!(another, first);
    assert_eq!(service.count_orders().await?, 2);
    Ok(())
}

#[sqlx::test]
async fn several_instances_remove_many_orders_in_portions(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let orders: Vec<_> = (0..450).map(|_| new_order(None)).collect();
    let orders: Vec<_> = orders.iter().collect();
    store::insert(&mut *service.pool.acquire().await?, &orders).await?;
    sqlx::query("update orders set status = 'rejected'")
        .execute(&service.pool)
        .await?;

    let now = store::now() + days(31);
    let (one, other) = tokio::join!(remove_orders(&service, now), remove_orders(&service, now));
    assert_eq!(one? + other?, 450);
    assert_eq!(service.count_orders().await?, 0);
    Ok(())
}

#[sqlx::test]
async fn a_portion_costs_the_same_wherever_it_is_in_a_large_table(pool: PgPool) -> Result<()> {
    messaging::migrate(&pool).await?;
    sqlx::query(
        "insert into orders (id, status, version, customer, lines, total_cents, currency, history, created_at,
                             idempotency_key, request_hash)
         select (lpad(to_hex(1700000000000 + n), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
                'paid', 3, jsonb_build_object('email', repeat('x', 200)), '[]', 450, 'EUR',
                '[{\"at\": \"2023-11-14T22:13:20Z\"}]', now(), 'key ' || n, '\\x00'
         from generate_series(1, $1) n",
    )
    .bind(ROWS)
    .execute(&pool)
    .await?;
    sqlx::raw_sql("analyze orders").execute(&pool).await?;
    let pages = sqlx::query_scalar("select pg_relation_size('orders') / 8192");
    let pages: i64 = pages.fetch_one(&pool).await?;
    ensure!(pages > LIMIT, "a table of {pages} pages shows nothing");

    let middle = sqlx::query_scalar("select id from orders order by id offset $1 limit 1");
    let middle: Uuid = middle.bind(ROWS / 2).fetch_one(&pool).await?;
    let begin = [Uuid::nil(), middle];
    cost(&pool, "the beginning, the middle", &begin).await?;
    // Nobody has vacuumed.
    sqlx::query("delete from orders where id < $1")
        .bind(middle)
        .execute(&pool)
        .await?;
    cost(&pool, "behind what is gone", &[middle]).await
}

#[sqlx::test]
async fn orders_are_kept_for_as_long_as_ids_of_messages_at_least(pool: PgPool) -> Result<()> {
    let service = Service::without_database(pool)?;
    let refused = service.bus.outlives_inbox("ORDERS_KEPT", Some(days(6)));
    let refused = refused.err().map(|error| error.to_string());
    let names = |text: String| text.contains("ORDERS_KEPT") && text.contains("INBOX_RETENTION");
    assert!(refused.is_some_and(names));
    for kept in [None, Some(days(7))] {
        service.bus.outlives_inbox("ORDERS_KEPT", kept)?;
    }
    Ok(())
}

/// What portions behind these orders cost.
async fn cost(pool: &PgPool, place: &str, behind: &[Uuid]) -> Result<()> {
    let mut db = pool.acquire().await?;
    for &id in behind {
        let old = OldRows::behind(id, store::now(), KEPT);
        for (name, remove_old) in [
            ("orders", store::remove_old_orders as RemoveOld),
            ("keys", store::forget_old_keys as RemoveOld),
        ] {
            let portion = buffers::statement(remove_old(&old))?;
            let buffers = buffers::of(&mut db, portion).await?;
            println!("{name}, {place}: {buffers} buffers");
            // It has to have something to do.
            assert!((200..=LIMIT).contains(&buffers), "{name}: {buffers}");
        }
    }
    Ok(())
}

async fn paid(service: &Service) -> Result<Uuid> {
    let id = service.confirmed().await?;
    let answer = service.post(&format!("/api/orders/{id}/payment")).await?;
    ensure!(answer.status == StatusCode::OK, "{}", answer.body);
    Ok(id)
}

async fn remove_orders(service: &Service, now: Timestamp) -> Result<i64> {
    let orders = service
        .bus
        .removal("orders", Some(KEPT), store::remove_old_orders);
    Ok(orders.remove(now, &CancellationToken::new()).await?)
}

async fn forget_keys(service: &Service, now: Timestamp) -> Result<i64> {
    let keys = service
        .bus
        .removal("keys", Some(KEPT), store::forget_old_keys);
    Ok(keys.remove(now, &CancellationToken::new()).await?)
}

const fn days(days: u64) -> Duration {
    Duration::from_secs(days * 24 * 3600)
}
