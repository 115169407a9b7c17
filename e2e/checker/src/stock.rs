//! Every piece that ever came in is on the shelf, set aside or sold.

use std::collections::{BTreeMap, HashMap};

use super::{Class, Level, Observed, Promise, Restock, Stock, Verdict};

pub(super) fn check(observed: &Observed, verdict: &mut Verdict) {
    let mut held: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for reservation in &observed.reservations {
        for line in &reservation.lines {
            *held.entry((&reservation.status, &line.sku)).or_default() += line.quantity;
        }
    }
    for (sku, stock) in &observed.stock {
        let of = |status| held.get(&(status, sku.as_str())).copied().unwrap_or(0);
        adds_up(sku, stock, of("reserved"), of("sold"), verdict);
    }
    levels(observed, verdict);
    restocks(observed, verdict);
}

fn adds_up(sku: &str, stock: &Stock, reserved: i64, sold: i64, verdict: &mut Verdict) {
    let Level { available, .. } = stock.level;
    let mut broken = |what| verdict.add(Promise::StockAddsUp, Class::Contradiction, what);
    if [available, stock.level.reserved, stock.level.sold]
        .iter()
        .any(|&pieces| pieces < 0)
    {
        broken(format!("{sku} is negative: {stock:?}"));
    }
    if stock.initial + stock.restocked != available + stock.level.reserved + stock.level.sold {
        broken(format!("{sku} does not add up: {stock:?}"));
    }
    if (stock.level.reserved, stock.level.sold) != (reserved, sold) {
        broken(format!(
            "{sku} has {} reserved and {} sold, its reservations say {reserved} and {sold}",
            stock.level.reserved, stock.level.sold
        ));
    }
}

/// The API and the newest record of the topic show what the database holds.
///
/// The newest by its version, which readers go by, and not by its offset: a relay that was stopped in the
/// middle of a window still publishes it when it wakes up, after others have taken its shards over and
/// published the same records and newer ones.
fn levels(observed: &Observed, verdict: &mut Verdict) {
    let mut newest: HashMap<&str, Level> = HashMap::new();
    for (sku, level) in &observed.levels {
        match newest.get_mut(sku.as_str()) {
            Some(seen) if level.version < seen.version || level == seen => {
                verdict.repeated_records += 1;
            }
            Some(seen) => *seen = *level,
            None => drop(newest.insert(sku, *level)),
        }
    }
    for (sku, stock) in &observed.stock {
        for (place, found) in [
            ("the API", observed.shown.get(sku)),
            ("stock-levels", newest.get(sku.as_str())),
        ] {
            if found != Some(&stock.level) {
                let what = format!(
                    "{sku}: {place} says {found:?}, the database {:?}",
                    stock.level
                );
                verdict.add(Promise::StockAddsUp, Class::Contradiction, what);
            }
        }
    }
}

/// A delivery that was answered is booked, and once.
fn restocks(observed: &Observed, verdict: &mut Verdict) {
    let mut booked: BTreeMap<&str, i64> = BTreeMap::new();
    let mut by_key: HashMap<&str, Vec<&Restock>> = HashMap::new();
    for restock in &observed.restocks {
        *booked.entry(&restock.sku).or_default() += restock.quantity;
        if let Some(key) = &restock.key {
            by_key.entry(key).or_default().push(restock);
        }
    }
    for delivery in &observed.answered.restocked {
        match by_key.remove(delivery.key.as_str()).as_deref() {
            None if delivery.answered => {
                let what = format!("delivery {} was answered and is nowhere", delivery.key);
                verdict.add(Promise::AnsweredIsDone, Class::Lost, what);
            }
            Some([one]) if (&one.sku, one.quantity) != (&delivery.sku, delivery.quantity) => {
                let what = format!("{delivery:?} was booked as {one:?}");
                verdict.add(Promise::StockAddsUp, Class::Contradiction, what);
            }
            None | Some([_]) => {}
            Some(several) => {
                let what = format!("delivery {} was booked {several:?}", delivery.key);
                verdict.add(Promise::StockAddsUp, Class::Duplicated, what);
            }
        }
    }
    for key in by_key.keys() {
        let what = format!("delivery {key}, which nobody reported");
        verdict.add(Promise::StockAddsUp, Class::Unexpected, what);
    }
    for (sku, stock) in &observed.stock {
        let sum = booked.get(sku.as_str()).copied().unwrap_or(0);
        if stock.restocked != sum {
            let what = format!(
                "{sku} has {} pieces restocked, its deliveries say {sum}",
                stock.restocked
            );
            verdict.add(Promise::StockAddsUp, Class::Contradiction, what);
        }
    }
}
