//! The SQL of the service. Every function works for a whole batch, locks rows in the order of
//! their key, and leaves the transaction to its caller.

mod orders;
mod products;

pub use orders::{Idempotency, NewOrder, insert, lock, now, order, page, placed_under, save};
pub use products::{has_products, price_list_check, prices, products, upsert_products};
