//! What the message handlers do, including messages that arrive twice, late or in the other order.

mod support;

use anyhow::{Context, Result};
use axum::http::StatusCode;
use contracts::{CancelUnpaidOrder, Message};
use messaging::{Cause, testing};
use order::{
    domain::Status,
    handlers::{CancelUnpaidOrders, ConfirmOrReject, KeepPriceList},
    store,
};
use serde_json::Value;
use sqlx::PgPool;
use support::{PAYMENT_DEADLINE, POT, Service, TEA, euros, listing, refused, reserved};
use uuid::Uuid;

const CONFIRM_OR_REJECT: ConfirmOrReject = ConfirmOrReject {
    payment_deadline: PAYMENT_DEADLINE,
};

fn deadline(order_id: Uuid) -> CancelUnpaidOrder {
    CancelUnpaidOrder::of(order_id)
}

#[sqlx::test]
async fn a_batch_confirms_and_rejects_orders(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let (lucky, unlucky) = (service.placed().await?, service.placed().await?);
    // One event comes twice, and what contradicts the first answer comes too late.
    let events = [
        refused(unlucky),
        reserved(lucky),
        reserved(lucky),
        reserved(unlucky),
    ];
    service.handle(&CONFIRM_OR_REJECT, events).await?;

    let order = service.order(lucky).await?;
    assert_eq!((order.status, order.version), (Status::Confirmed, 2));
    let published = [
        "reserve-stock",
        "order-placed",
        "order-confirmed",
        "cancel-unpaid-order",
    ];
    assert_eq!(service.published(lucky).await?, published);

    let order = service.order(unlucky).await?;
    assert_eq!((order.status, order.version), (Status::Rejected, 2));
    assert_eq!(order.reason(), Some("only 3 left"));
    assert_eq!(
        service.published(unlucky).await?,
        ["reserve-stock", "order-placed", "order-rejected"]
    );
    Ok(())
}

#[sqlx::test]
async fn orders_that_are_confirmed_together_share_their_payment_deadline(
    pool: PgPool,
) -> Result<()> {
    let service = Service::start(pool).await?;
    let mut orders = Vec::new();
    for _ in 0..12 {
        orders.push(service.placed().await?);
    }
    let reservations = orders.iter().map(|id| reserved(*id));
    service.handle(&CONFIRM_OR_REJECT, reservations).await?;

    let bodies = "select convert_from(body, 'UTF8')::jsonb from messaging.outbox where message_type = $1 order by seq";
    let bodies: Vec<Value> = sqlx::query_scalar(bodies)
        .bind(CancelUnpaidOrder::TYPE)
        .fetch_all(&service.pool)
        .await?;
    let deadlines: Vec<CancelUnpaidOrder> =
        serde_json::from_value(Value::Array(bodies)).context("deadlines")?;
    let shared: Vec<_> = deadlines
        .iter()
        .map(|deadline| deadline.orders().count())
        .collect();
    assert_eq!(shared, [10, 2]);

    let payment = format!("/api/orders/{}/payment", orders[3]);
    assert_eq!(service.post(&payment).await?.status, StatusCode::OK);
    service.handle(&CancelUnpaidOrders, deadlines).await?;
    for id in &orders {
        let status = match *id == orders[3] {
            true => Status::Paid,
            false => Status::Cancelled,
        };
        assert_eq!(service.order(*id).await?.status, status, "{id}");
    }
    Ok(())
}

#[sqlx::test]
async fn an_order_whose_trace_is_exported_has_a_payment_deadline_of_its_own(
    pool: PgPool,
) -> Result<()> {
    let service = Service::start(pool).await?;
    let traced = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let mut batch = Vec::new();
    for traceparent in [None, Some(traced), None] {
        let mut event = testing::received(reserved(service.placed().await?));
        event.cause = traceparent.map_or_else(Cause::none, testing::cause);
        batch.push(event);
    }
    testing::handle_batch(&service.bus, &CONFIRM_OR_REJECT, &batch).await?;

    let deadlines = "select traceparent, jsonb_array_length(coalesce(convert_from(body, 'UTF8')::jsonb -> 'others', '[]'))
                     from messaging.outbox where message_type = $1 order by seq";
    let deadlines: Vec<(Option<String>, i32)> = sqlx::query_as(deadlines)
        .bind(CancelUnpaidOrder::TYPE)
        .fetch_all(&service.pool)
        .await?;
    assert_eq!(deadlines, [(Some(traced.to_owned()), 0), (None, 1)]);
    Ok(())
}

#[sqlx::test]
async fn an_unknown_order_holds_up_none_that_shares_its_deadline(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let (id, stranger) = (service.confirmed().await?, Uuid::now_v7());
    let mut shared = deadline(stranger);
    shared.others.push(id);
    service.handle(&CancelUnpaidOrders, [shared]).await?;
    assert_eq!(service.order(id).await?.status, Status::Cancelled);
    let alone = service.published(stranger).await?;
    assert_eq!(alone, ["cancel-unpaid-order"]);
    let alone = service.handle(&CancelUnpaidOrders, [deadline(stranger)]);
    assert!(alone.await.is_err());
    Ok(())
}

#[sqlx::test]
async fn an_event_of_an_unknown_order_is_refused_with_its_id(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let stranger = Uuid::now_v7();
    let Err(error) = service
        .handle(&CONFIRM_OR_REJECT, [reserved(stranger)])
        .await
    else {
        anyhow::bail!("it was handled");
    };
    assert_eq!(error.to_string(), format!("there is no order {stranger}"));
    Ok(())
}

#[sqlx::test]
async fn a_payment_before_the_deadline_wins(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let id = service.confirmed().await?;
    assert_eq!(
        service
            .post(&format!("/api/orders/{id}/payment"))
            .await?
            .status,
        StatusCode::OK
    );
    service.handle(&CancelUnpaidOrders, [deadline(id)]).await?;

    assert_eq!(service.order(id).await?.status, Status::Paid);
    let published = service.published(id).await?;
    assert_eq!(published[4..], ["sell-stock", "order-paid"]);
    Ok(())
}

#[sqlx::test]
async fn a_payment_after_the_deadline_is_refused(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let id = service.confirmed().await?;
    service
        .handle(&CancelUnpaidOrders, [deadline(id), deadline(id)])
        .await?;

    let answer = service.post(&format!("/api/orders/{id}/payment")).await?;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    let order = service.order(id).await?;
    assert_eq!((order.status, order.version), (Status::Cancelled, 3));
    assert_eq!(order.reason(), Some("not paid in time"));
    let published = service.published(id).await?;
    assert_eq!(published[4..], ["release-stock", "order-cancelled"]);
    Ok(())
}

#[sqlx::test]
async fn a_cancellation_that_overtakes_the_reservation_stands(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let id = service.placed().await?;
    assert_eq!(
        service
            .post(&format!("/api/orders/{id}/cancellation"))
            .await?
            .status,
        StatusCode::OK
    );
    service.handle(&CONFIRM_OR_REJECT, [reserved(id)]).await?;

    assert_eq!(service.order(id).await?.status, Status::Cancelled);
    let published = [
        "reserve-stock",
        "order-placed",
        "release-stock",
        "order-cancelled",
    ];
    assert_eq!(service.published(id).await?, published);
    Ok(())
}

#[sqlx::test]
async fn a_cancellation_after_the_reservation_releases_the_stock(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let id = service.confirmed().await?;
    assert_eq!(
        service
            .post(&format!("/api/orders/{id}/cancellation"))
            .await?
            .status,
        StatusCode::OK
    );

    let order = service.order(id).await?;
    assert_eq!(
        (order.status, order.reason()),
        (Status::Cancelled, Some("cancelled by the customer"))
    );
    assert_eq!(
        service.published(id).await?[4..],
        ["release-stock", "order-cancelled"]
    );
    Ok(())
}

#[sqlx::test]
async fn the_price_list_follows_the_products_topic(pool: PgPool) -> Result<()> {
    let service = Service::start_without_products(pool).await?;
    service
        .handle(
            &KeepPriceList,
            [listing(TEA, 450), listing(POT, 2_900), listing(TEA, 500)],
        )
        .await?;
    let prices = store::prices(&mut *service.pool.acquire().await?, &[TEA]).await?;
    assert_eq!(prices[TEA].price, euros(500));
    Ok(())
}
