//! What the message handlers do, including messages that arrive twice, late or in the other order.

mod support;

use anyhow::Result;
use axum::http::StatusCode;
use contracts::CancelUnpaidOrder;
use order::{
    domain::Status,
    handlers::{CancelUnpaidOrders, ConfirmOrReject, KeepPriceList},
    store,
};
use sqlx::PgPool;
use support::{PAYMENT_DEADLINE, POT, Service, TEA, euros, listing, refused, reserved};
use uuid::Uuid;

const CONFIRM_OR_REJECT: ConfirmOrReject = ConfirmOrReject {
    payment_deadline: PAYMENT_DEADLINE,
};

fn deadline(order_id: Uuid) -> CancelUnpaidOrder {
    CancelUnpaidOrder { order_id }
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
