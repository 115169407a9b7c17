//! The SQL of the service. Every function runs in the caller's transaction.
//!
//! Rows are always locked in the same order, so that no two transactions wait for each other:
//! reservations by id first, then stock by SKU.

mod stock;
pub use stock::{lock, lock_levels, save};

mod levels;
pub use levels::{ProductLevel, level, levels};

mod restocks;
pub use restocks::{Restock, restock};

mod old;
pub use old::{forget_old_keys, remove_old_reservations};

mod products;
pub use products::take_unannounced;

/// Every table of the service: without one of them it is not ready.
pub const TABLES: [&str; 5] = ["products", "stock", "reservations", "restocks", "removals"];
