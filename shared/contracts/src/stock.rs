use garde::Validate;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::message::inbound;
use crate::topology::{
    COMMANDS, STOCK_EVENTS, STOCK_LEVELS, STOCK_RELEASE, STOCK_RESERVE, STOCK_SELL,
};
use crate::{Line, Message, Route};

inbound! {
    /// What arrives at `inventory.stock-commands`.
    pub enum StockCommand { ReserveStock, ReleaseStock, SellStock }
}

inbound! {
    /// What can be read from `stock-events`.
    pub enum StockEvent { StockReserved, StockRefused }
}

/// Set stock aside for an order, all lines or none. Answered by [`StockReserved`] or
/// [`StockRefused`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct ReserveStock {
    /// The order that the stock is for.
    #[garde(skip)]
    pub order_id: Uuid,
    /// What to set aside.
    #[garde(dive)]
    pub lines: Vec<Line>,
}

/// Give back what was reserved for an order, or refuse it in advance when the reservation has
/// been overtaken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct ReleaseStock {
    /// The order that no longer needs its stock.
    #[garde(skip)]
    pub order_id: Uuid,
}

/// The order is paid: what was reserved for it leaves the shelf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct SellStock {
    /// The order that was paid.
    #[garde(skip)]
    pub order_id: Uuid,
}

/// Every line of the order is set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct StockReserved {
    /// The order that the stock is for.
    #[garde(skip)]
    pub order_id: Uuid,
}

/// Nothing is set aside for the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct StockRefused {
    /// The order that wanted the stock.
    #[garde(skip)]
    pub order_id: Uuid,
    /// For people: which line could not be served, and why.
    #[garde(length(min = 1))]
    pub reason: String,
}

/// The stock of one SKU after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct StockLevelChanged {
    /// Stock keeping unit.
    #[garde(length(min = 1, max = 64))]
    pub sku: String,
    /// Pieces that can still be reserved.
    #[garde(range(min = 0))]
    pub available: i64,
    /// Pieces set aside for orders that are not paid.
    #[garde(range(min = 0))]
    pub reserved: i64,
    /// Pieces that were paid.
    #[garde(range(min = 0))]
    pub sold: i64,
    /// Rises with every change of this SKU, so that a reader can tell old from new.
    #[garde(range(min = 1))]
    pub version: i64,
    /// When the level was reached.
    #[garde(skip)]
    pub changed_at: Timestamp,
}

/// Commands about stock differ in nothing but their name and routing key.
macro_rules! stock_command {
    ($message:ty, $message_type:literal, $routing_key:expr) => {
        impl Message for $message {
            const TYPE: &'static str = $message_type;

            fn route(&self) -> Route {
                Route::Exchange {
                    exchange: COMMANDS,
                    routing_key: $routing_key.into(),
                }
            }

            fn ordering_key(&self) -> String {
                self.order_id.to_string()
            }
        }
    };
}

stock_command!(ReserveStock, "spillway.reserve-stock.v1", STOCK_RESERVE);
stock_command!(ReleaseStock, "spillway.release-stock.v1", STOCK_RELEASE);
stock_command!(SellStock, "spillway.sell-stock.v1", STOCK_SELL);

impl Message for StockReserved {
    const TYPE: &'static str = "spillway.stock-reserved.v1";

    fn route(&self) -> Route {
        Route::Topic {
            topic: STOCK_EVENTS,
        }
    }

    fn ordering_key(&self) -> String {
        self.order_id.to_string()
    }
}

impl Message for StockRefused {
    const TYPE: &'static str = "spillway.stock-refused.v1";

    fn route(&self) -> Route {
        Route::Topic {
            topic: STOCK_EVENTS,
        }
    }

    fn ordering_key(&self) -> String {
        self.order_id.to_string()
    }
}

impl Message for StockLevelChanged {
    const TYPE: &'static str = "spillway.stock-level-changed.v1";

    fn route(&self) -> Route {
        Route::Topic {
            topic: STOCK_LEVELS,
        }
    }

    fn ordering_key(&self) -> String {
        self.sku.clone()
    }
}
