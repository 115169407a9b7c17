//! What becomes of orders that wait for a message which never comes.

mod support;

use std::time::Duration;

use anyhow::Result;
use contracts::CancelUnpaidOrder;
use jiff::Timestamp;
use messaging::testing::buffers;
use order::domain::Status;
use order::handlers::{CancelUnpaidOrders, ConfirmOrReject};
use order::store;
use order::sweep::Sweep;
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use support::{PAYMENT_DEADLINE, Service, new_order, refused, reserved};
use tokio_util::sync::CancellationToken;

const PENDING_AFTER: Duration = minutes(5);
/// After the payment deadline, which is 15 minutes here.
const UNPAID_AFTER: Duration = minutes(5);

const CONFIRM_OR_REJECT: ConfirmOrReject = ConfirmOrReject {
    payment_deadline: PAYMENT_DEADLINE,
};

#[sqlx::test]
async fn an_order_without_an_answer_is_asked_about_again_and_ever_more_rarely(
    pool: PgPool,
) -> Result<()> {
    let service = Service::start(pool).await?;
    let id = service.placed().await?;
    let placed = store::now();
    // It is asked again after 5 minutes, 10 more, and 20 more.
    for (minute, times) in [(4, 1), (6, 2), (6, 2), (15, 2), (17, 3), (36, 3), (38, 4)] {
        sweep(&service, placed + minutes(minute)).await?;
        let published = service.published(id).await?;
        let asked = published.iter().filter(|name| *name == "reserve-stock");
        assert_eq!(asked.count(), times, "after {minute} minutes");
    }
    // The question is the same each time, and nobody else is told anything.
    let bodies = "select count(distinct body) from messaging.outbox where message_type = 'spillway.reserve-stock.v1'";
    let bodies: i64 = sqlx::query_scalar(bodies).fetch_one(&service.pool).await?;
    assert_eq!(bodies, 1);
    assert_eq!(service.published(id).await?.len(), 5);
    assert_eq!(service.order(id).await?.version, 1);
    Ok(())
}

#[sqlx::test]
async fn an_order_that_was_answered_is_not_asked_about_again(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let (late, rejected) = (service.placed().await?, service.placed().await?);
    let placed = store::now();
    service
        .handle(&CONFIRM_OR_REJECT, [refused(rejected)])
        .await?;
    sweep(&service, placed + minutes(6)).await?;
    assert_eq!(asked_again(&service).await?, 1);

    service.handle(&CONFIRM_OR_REJECT, [reserved(late)]).await?;
    sweep(&service, placed + minutes(18)).await?;
    assert_eq!(asked_again(&service).await?, 0);
    let published = service.published(late).await?;
    assert_eq!(
        published[2..],
        ["reserve-stock", "order-confirmed", "cancel-unpaid-order"]
    );
    assert_eq!(
        service.published(rejected).await?,
        ["reserve-stock", "order-placed", "order-rejected"]
    );
    Ok(())
}

#[sqlx::test]
async fn an_unpaid_order_whose_deadline_never_comes_is_cancelled_as_by_its_message(
    pool: PgPool,
) -> Result<()> {
    let service = Service::start(pool).await?;
    let id = service.confirmed().await?;
    let confirmed = store::now();
    sweep(&service, confirmed + minutes(19)).await?;
    assert_eq!(service.order(id).await?.status, Status::Confirmed);

    sweep(&service, confirmed + minutes(21)).await?;
    sweep(&service, confirmed + minutes(22)).await?;
    // The message comes after all.
    let deadline = CancelUnpaidOrder::of(id);
    service.handle(&CancelUnpaidOrders, [deadline]).await?;

    let order = service.order(id).await?;
    assert_eq!((order.status, order.version), (Status::Cancelled, 3));
    assert_eq!(order.reason(), Some("not paid in time"));
    let published = service.published(id).await?;
    assert_eq!(published[4..], ["release-stock", "order-cancelled"]);
    Ok(())
}

#[sqlx::test]
async fn an_order_has_the_time_that_it_was_given_when_it_was_confirmed(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let id = service.confirmed().await?;
    let placed = store::now();
    let given = "update orders set history = jsonb_set(history, '{-1,pay_by}', to_jsonb($1::text))";
    sqlx::query(given)
        .bind((placed + minutes(25)).to_string())
        .execute(&service.pool)
        .await?;
    sweep(&service, placed + minutes(29)).await?;
    assert_eq!(service.order(id).await?.status, Status::Confirmed);
    sweep(&service, placed + minutes(31)).await?;
    assert_eq!(service.order(id).await?.status, Status::Cancelled);
    Ok(())
}

#[sqlx::test]
async fn an_order_that_knows_no_deadline_is_left_to_its_message(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let id = service.confirmed().await?;
    // As an older program has confirmed it.
    sqlx::query("update orders set history = history #- '{-1,pay_by}'")
        .execute(&service.pool)
        .await?;
    sweep(&service, store::now() + minutes(6_000)).await?;
    assert_eq!(service.order(id).await?.status, Status::Confirmed);
    Ok(())
}

#[sqlx::test]
async fn many_orders_are_asked_about_in_portions_by_several_instances(pool: PgPool) -> Result<()> {
    let service = Service::start(pool).await?;
    let orders: Vec<_> = (0..450).map(|_| new_order(None)).collect();
    let orders: Vec<_> = orders.iter().collect();
    store::insert(&mut *service.pool.acquire().await?, &orders).await?;

    let now = store::now() + minutes(6);
    let (one, other) = tokio::join!(sweep(&service, now), sweep(&service, now));
    one?;
    other?;

    let asked: i64 = sqlx::query_scalar("select count(distinct body) from messaging.outbox")
        .fetch_one(&service.pool)
        .await?;
    assert_eq!(asked, 450);
    assert_eq!(asked_again(&service).await?, 450);
    Ok(())
}

/// Of 20,000 orders the newer half waits, and not yet for too long: 10 minutes for a payment. Whoever passes by either
/// half touches hundreds of buffers.
#[sqlx::test]
async fn what_a_status_tells_apart_is_found_by_a_plan_that_is_made_without_it(
    pool: PgPool,
) -> Result<()> {
    const FEW: i64 = 100;
    let (order, now) = (new_order(None).order, store::now());
    sqlx::query(
        "insert into orders (id, status, version, customer, lines, total_cents, currency, history, created_at)
         select (lpad(to_hex(case when n <= 10000 then 1700000000000
                                  when n % 2 = 0 then $1 - 600000 else $1 end + n), 12, '0')
                 || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
                case when n > 10000 then (array['confirmed', 'pending'])[1 + n % 2]
                     else (array['paid', 'cancelled', 'rejected'])[1 + n % 3] end,
                1, $2, $3, 450, 'EUR', $4, now()
         from generate_series(1, 20000) n",
    )
    .bind(now.as_millisecond())
    .bind(Json(&order.customer))
    .bind(Json(&order.lines))
    .bind(Json(&order.history))
    .execute(&pool)
    .await?;
    sqlx::raw_sql("analyze orders").execute(&pool).await?;

    let mut db = pool.acquire().await?;
    let page = buffers::of_kept_plans(&mut db, async |db: &mut PgConnection| {
        let page = store::page(db, Some(Status::Rejected), None, 21).await;
        page.map(|page| assert_eq!(page.len(), 21))
    });
    let page = page.await?;
    let unanswered = buffers::of_kept_plans(&mut db, async |db: &mut PgConnection| {
        let orders = store::take_unanswered(db, now, PENDING_AFTER, 200).await;
        orders.map(|orders| assert!(orders.is_empty()))
    });
    let unanswered = unanswered.await?;
    let unpaid = buffers::of_kept_plans(&mut db, async |db: &mut PgConnection| {
        let orders = store::unpaid(db, now, PAYMENT_DEADLINE, UNPAID_AFTER, 200).await;
        orders.map(|orders| assert!(orders.is_empty()))
    });
    let unpaid = unpaid.await?;
    let all = [page, unanswered, unpaid];
    assert!(all.iter().all(|buffers| *buffers <= FEW), "{all:?}");
    Ok(())
}

async fn sweep(service: &Service, now: Timestamp) -> Result<()> {
    let bus = service.bus.clone();
    let sweep = Sweep::new(bus, PENDING_AFTER, PAYMENT_DEADLINE, UNPAID_AFTER);
    Ok(sweep.sweep(now, &CancellationToken::new()).await?)
}

async fn asked_again(service: &Service) -> Result<i64> {
    Ok(sqlx::query_scalar("select count(*) from asked_again")
        .fetch_one(&service.pool)
        .await?)
}

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}
