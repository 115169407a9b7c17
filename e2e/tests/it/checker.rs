//! The checker looks at a running system and sees what somebody has broken in it.

use anyhow::{Result, ensure};
use checker::{Class, Observed, Observer, Promise, check};
use harness::{Stack, wish};
use uuid::Uuid;

use crate::ANYTHING;
use crate::support::database::database;

#[tokio::test]
async fn what_is_broken_on_a_running_system_is_found() -> Result<()> {
    let stack = Stack::quiet().await?;
    let (wish, told) = (
        wish(ANYTHING, 1),
        [
            ("order-placed", "push"),
            ("order-confirmed", "email"),
            ("order-confirmed", "push"),
        ],
    );
    let order = stack.gateway.place_until(&wish, "confirmed").await?.id;
    stack.gateway.told(order, &told).await?;
    let observer = Observer::new(
        stack.gateway.clone(),
        stack.rabbitmq.clone(),
        stack.compose.clone(),
    )?;
    let found = effects(&observer, order).await?;
    ensure!(found.is_empty(), "{found:?}");

    let mut notification = database("notification").await?;
    for breakage in [
        "delete from notifications where order_id = $1 and channel = 'email'",
        "update notifications set deliveries = 2 where order_id = $1 and event = 'order-placed'",
    ] {
        let broken = sqlx::query(breakage).bind(order);
        broken.execute(&mut notification).await?;
    }
    let broken = sqlx::query("delete from reservations where order_id = $1").bind(order);
    broken.execute(&mut database("inventory").await?).await?;

    let found = effects(&observer, order).await?;
    // A reservation is missing as long as the order wants it, and other tests wait until none is.
    stack.gateway.settle(order, "cancellation").await?;
    let expected = [
        (Promise::OneReservation, Class::Lost),
        (Promise::OneNotification, Class::Lost),
        (Promise::OneNotification, Class::Duplicated),
    ];
    ensure!(found == expected, "{found:?}");
    Ok(())
}

/// What is lost or happened twice of this order; other tests leave much behind that nobody asked for here.
async fn effects(observer: &Observer, order: Uuid) -> Result<Vec<(Promise, Class)>> {
    let verdict = check(&observer.look(Observed::default()).await?);
    let order = order.to_string();
    let of_effects = [Class::Lost, Class::Duplicated];
    let mut found: Vec<_> = (verdict.violations.iter())
        .filter(|finding| of_effects.contains(&finding.class) && finding.what.contains(&order))
        .map(|finding| (finding.promise, finding.class))
        .collect();
    found.sort_unstable();
    Ok(found)
}
