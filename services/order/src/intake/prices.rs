use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::PgConnection;

use super::NewOrderRequest;
use crate::domain::PriceList;
use crate::store;

/// A price counts for so long after it was read. The list is a copy that others keep up to date, so a new price may
/// be later than that anyway.
const FRESH: Duration = Duration::from_secs(1);

/// The prices that the writers have read lately.
#[derive(Default)]
pub(super) struct Prices(Mutex<Read>);

#[derive(Default)]
struct Read {
    at: Option<Instant>,
    list: PriceList,
}

impl Prices {
    /// The products of these requests, as far as they are known. What was not read lately is read.
    pub(super) async fn of(
        &self,
        db: &mut PgConnection,
        requests: &[NewOrderRequest],
    ) -> sqlx::Result<PriceList> {
        let lines = requests.iter().flat_map(|request| &request.lines);
        let skus: HashSet<&str> = lines.map(|line| line.sku.as_str()).collect();
        if let Some(list) = self.lately(&skus, Instant::now()) {
            return Ok(list);
        }
        // As old as the question, not as the answer.
        let at = Instant::now();
        let list = store::prices(db, &Vec::from_iter(skus)).await?;
        self.read(at, &list);
        Ok(list)
    }

    /// All of them, or nothing where one is missing.
    fn lately(&self, skus: &HashSet<&str>, now: Instant) -> Option<PriceList> {
        let read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        read.at
            .filter(|at| now.saturating_duration_since(*at) < FRESH)?;
        let entry = |sku: &&str| Some(((*sku).to_owned(), read.list.get(*sku)?.clone()));
        skus.iter().map(entry).collect()
    }

    fn read(&self, at: Instant, list: &PriceList) {
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // All are as old as the oldest.
        let oldest = *read.at.get_or_insert(at);
        if at.saturating_duration_since(oldest) >= FRESH {
            *read = Read {
                at: Some(at),
                list: PriceList::new(),
            };
        }
        read.list.extend(list.clone());
    }
}

#[cfg(test)]
mod tests {
    use contracts::Money;

    use super::*;
    use crate::domain::Product;

    fn list(skus: &[&str], cents: i64) -> PriceList {
        let entry = |sku: &&str| {
            let price = Money {
                cents,
                currency: "EUR".to_owned(),
            };
            let product = Product {
                sku: (*sku).to_owned(),
                name: "A product".to_owned(),
                price,
            };
            (product.sku.clone(), product)
        };
        skus.iter().map(entry).collect()
    }

    #[test]
    fn a_price_counts_for_a_second() {
        let (prices, at) = (Prices::default(), Instant::now());
        prices.read(at, &list(&["TEA"], 450));
        let tea = HashSet::from(["TEA"]);
        let soon = at + FRESH / 2;
        assert_eq!(prices.lately(&tea, soon), Some(list(&["TEA"], 450)));
        assert_eq!(prices.lately(&tea, at + FRESH), None);
    }

    #[test]
    fn prices_are_known_together_or_not_at_all() {
        let (prices, at) = (Prices::default(), Instant::now());
        prices.read(at, &list(&["TEA"], 450));
        let both = HashSet::from(["TEA", "POT"]);
        assert_eq!(prices.lately(&both, at), None);
        prices.read(at + FRESH / 2, &list(&["POT"], 2_900));
        assert!(prices.lately(&both, at + FRESH / 2).is_some());
        // Both are as old as the first.
        assert_eq!(prices.lately(&both, at + FRESH), None);
        prices.read(at + FRESH, &list(&["POT"], 3_000));
        assert_eq!(prices.lately(&both, at + FRESH), None);
        let pot = HashSet::from(["POT"]);
        assert_eq!(prices.lately(&pot, at + FRESH), Some(list(&["POT"], 3_000)));
    }
}
