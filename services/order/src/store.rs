//! The SQL of the service. Every function works for a whole batch, locks rows in the order of
//! their key, and leaves the transaction to its caller.

mod old;
mod orders;
mod overdue;
mod products;

pub use old::{forget_old_keys, remove_old_orders, removed_up_to};
pub use orders::{Idempotency, NewOrder, insert, lock, now, order, page, placed_under, save};
pub use overdue::{forget_answered, take_unanswered, unpaid};
pub use products::{has_products, price_list_check, prices, products, upsert_products};

/// Every table of the service: without one of them it is not ready.
pub const TABLES: [&str; 4] = ["orders", "asked_again", "products", "removals"];
