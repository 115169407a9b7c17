//! The messages that the services exchange, and the names of the places they travel through.
//!
//! This crate is the only thing that two services have in common. It holds types and names and
//! nothing that acts: no I/O, no broker client, no database.
//!
//! * Commands are imperative and have one owner ([`ReserveStock`]); they travel through RabbitMQ.
//! * Facts are in the past tense and may have any number of readers ([`StockReserved`]); they
//!   travel through Kafka.
//! * A message knows where it travels ([`Message::route`]), so that no publisher can send it
//!   elsewhere, and what it is called on the wire ([`Message::TYPE`]).
//! * What a consumer may find on a queue or topic is one enum ([`StockCommand`], [`OrderEvent`]).

mod message;
pub mod topology;
mod vocabulary;

mod email;
mod sku;

mod notifications;
mod orders;
mod products;
mod stock;

pub use email::{EMAIL_PATTERNS, InvalidEmail, MAX_EMAIL_LENGTH, check_email};
pub use message::{DecodeError, Inbound, Message, Route};
pub use notifications::{Channel, SendNotification};
pub use orders::{
    CancelUnpaidOrder, Order, OrderCancelled, OrderConfirmed, OrderEvent, OrderEventName,
    OrderPaid, OrderPlaced, OrderRejected,
};
pub use products::ProductListed;
pub use sku::{MAX_SKU_LENGTH, SKU_PATTERN, is_sku};
pub use stock::{
    ReleaseStock, ReserveStock, SellStock, StockCommand, StockEvent, StockLevelChanged,
    StockRefused, StockReserved,
};
pub use vocabulary::{Customer, Line, Money, PricedLine, Tier};
