use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use messaging::{Bus, Cause};
use uuid::Uuid;

use super::{Refusal, Request};
use crate::{
    announce::announce,
    domain::{Order, PriceList},
    store::{self, Keyed, NewOrder},
};

type Placed = HashMap<String, (Order, Vec<u8>)>;

/// Places all orders that can be placed, in one transaction; answers in the order of the requests.
///
/// On an error nothing is placed.
pub(super) async fn place(
    bus: &Bus,
    requests: Vec<Request>,
) -> anyhow::Result<Vec<Result<Order, Refusal>>> {
    let mut tx = bus.begin().await?;
    let skus: HashSet<&str> = requests
        .iter()
        .flat_map(|request| &request.lines)
        .map(|line| line.sku.as_str())
        .collect();
    let prices = store::prices(&mut tx, &Vec::from_iter(skus)).await?;
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
    tx.commit().await?;

    Ok(priced
        .into_iter()
        .map(|priced| answer(priced?.0, &inserted, &placed))
        .collect())
}

fn price(
    request: Request,
    prices: &PriceList,
    now: Timestamp,
) -> Result<(NewOrder, Cause), Refusal> {
    let Request {
        customer,
        lines,
        keyed,
        cause,
    } = request;
    let order = Order::place(Uuid::now_v7(), customer, &lines, prices, now)?;
    Ok((NewOrder { order, keyed }, cause))
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
        .filter_map(|new| new.keyed.as_ref().map(|keyed| keyed.key.as_str()))
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
    let Some(Keyed { key, request_hash }) = new.keyed else {
        return Err(Refusal::Unavailable);
    };
    match placed.get(&key) {
        Some((order, hash)) if *hash == request_hash => Ok(order.clone()),
        Some(_) => Err(Refusal::KeyReused),
        None => Err(Refusal::Unavailable),
    }
}
