use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use messaging::{Bus, Cause};
use uuid::Uuid;

use super::{NewOrderRequest, Prices, Refusal};
use crate::{
    announce::announce,
    domain::{Order, PriceList},
    store::{self, Idempotency, NewOrder},
};

type Placed = HashMap<String, (Order, Vec<u8>)>;

/// Places all orders that can be placed, in one transaction; answers in the order of the requests.
///
/// When it fails or is dropped nothing is placed, unless `committing` is set by then: the database has
/// been asked to commit, and may have done so.
pub(super) async fn place(
    bus: &Bus,
    prices: &Prices,
    requests: Vec<NewOrderRequest>,
    committing: &mut bool,
) -> anyhow::Result<Vec<Result<Order, Refusal>>> {
    let mut tx = bus.begin().await?;
    let prices = prices.of(&mut tx, &requests).await?;
    if prices.is_empty() && !store::has_products(&mut tx).await? {
        return Ok(requests.iter().map(|_| Err(Refusal::NoPriceList)).collect());
    }

    let now = store::now();
    let priced: Vec<Result<(NewOrder, Cause), Refusal>> = requests
        .into_iter()
        .map(|request| price(request, &prices, now))
        .collect();
    let new: Vec<&NewOrder> = priced.iter().flatten().map(|(new, _)| new).collect();
    let inserted = store::insert(&mut tx, &new).await?;
    let placed = repeated(&mut tx, &new, &inserted).await?;
    for (new, cause) in priced
        .iter()
        .flatten()
        .filter(|(new, _)| inserted.contains(&new.order.id))
    {
        announce(&mut tx, cause, &new.order);
    }
    *committing = true;
    tx.commit().await?;

    Ok(priced
        .into_iter()
        .map(|priced| answer(priced?.0, &inserted, &placed))
        .collect())
}

fn price(
    request: NewOrderRequest,
    prices: &PriceList,
    now: Timestamp,
) -> Result<(NewOrder, Cause), Refusal> {
    let NewOrderRequest {
        customer,
        lines,
        idempotency,
        cause,
    } = request;
    let order = Order::place(Uuid::now_v7(), customer, &lines, prices, now)?;
    Ok((NewOrder { order, idempotency }, cause))
}

/// The orders that exist already under the keys of those that were not inserted.
async fn repeated(
    db: &mut sqlx::PgConnection,
    new: &[&NewOrder],
    inserted: &HashSet<Uuid>,
) -> sqlx::Result<Placed> {
    let keys: Vec<&str> = new
        .iter()
        .filter(|new| !inserted.contains(&new.order.id))
        .filter_map(|new| new.idempotency.as_ref().map(|used| used.key.as_str()))
        .collect();
    if keys.is_empty() {
        Ok(Placed::new())
    } else {
        store::placed_under(db, &keys).await
    }
}

fn answer(new: NewOrder, inserted: &HashSet<Uuid>, placed: &Placed) -> Result<Order, Refusal> {
    if inserted.contains(&new.order.id) {
        return Ok(new.order);
    }
    let Some(Idempotency { key, request_hash }) = new.idempotency else {
        return Err(Refusal::Unavailable);
    };
    match placed.get(&key) {
        Some((order, hash)) if *hash == request_hash => Ok(order.clone()),
        Some(_) => Err(Refusal::KeyReused),
        None => Err(Refusal::Unavailable),
    }
}
