#![doc = include_str!("../README.md")]
#![deny(clippy::mod_module_files)]

mod message;
mod schemas;
pub mod topology;
mod vocabulary;

mod email;
mod sku;

mod controls;
mod notifications;
mod orders;
mod products;
mod stock;

pub use controls::{Control, Controls, FailKind};
pub use email::{EMAIL_PATTERNS, InvalidEmail, MAX_EMAIL_LENGTH, check_email};
pub use message::{DecodeError, Inbound, Message, Route};
pub use notifications::{Channel, SendNotification};
pub use orders::{
    CancelUnpaidOrder, Order, OrderCancelled, OrderConfirmed, OrderEvent, OrderEventName,
    OrderPaid, OrderPlaced, OrderRejected,
};
pub use products::ProductListed;
pub use schemas::schemas;
pub use sku::{MAX_SKU_LENGTH, SKU_PATTERN, is_sku};
pub use stock::{
    ReleaseStock, ReserveStock, SellStock, StockCommand, StockEvent, StockLevelChanged,
    StockRefused, StockReserved,
};
pub use vocabulary::{Customer, Line, Money, PricedLine, Tier};
