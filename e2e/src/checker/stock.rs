//! Every piece that ever came in is on the shelf, set aside or sold.

use std::collections::{BTreeMap, HashMap};

use super::{Class, Level, Observed, Promise, Stock, Verdict};

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

/// The API and the last record of the topic show what the database holds.
fn levels(observed: &Observed, verdict: &mut Verdict) {
    let mut last: HashMap<&str, Level> = HashMap::new();
    for (sku, level) in &observed.levels {
        let seen = last.entry(sku).or_insert(*level);
        if level.version < seen.version {
            // A record that was written again: readers see its version and pass over it.
            verdict.repeated_records += 1;
        } else {
            *seen = *level;
        }
    }
    for (sku, stock) in &observed.stock {
        for (place, found) in [
            ("the API", observed.shown.get(sku)),
            ("stock-levels", last.get(sku.as_str())),
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
    let mut by_key: HashMap<&str, usize> = HashMap::new();
    for restock in &observed.restocks {
        *booked.entry(&restock.sku).or_default() += restock.quantity;
        if let Some(key) = &restock.key {
            *by_key.entry(key).or_default() += 1;
        }
    }
    for delivery in &observed.answered.restocked {
        let times = by_key.remove(delivery.key.as_str()).unwrap_or(0);
        if times == 0 && delivery.answered {
            let what = format!("delivery {} was answered and is nowhere", delivery.key);
            verdict.add(Promise::AnsweredIsDone, Class::Lost, what);
        }
        if times > 1 {
            let what = format!("delivery {} was booked {times} times", delivery.key);
            verdict.add(Promise::StockAddsUp, Class::Duplicated, what);
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
