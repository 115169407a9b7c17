use std::collections::BTreeMap;

use serde_json::Value;

use crate::Message;

/// Calls a macro with every message type.
#[macro_export]
#[doc(hidden)]
macro_rules! each_message {
    ($call:ident) => {
        $call!(
            $crate::ReserveStock,
            $crate::ReleaseStock,
            $crate::SellStock,
            $crate::StockReserved,
            $crate::StockRefused,
            $crate::StockLevelChanged,
            $crate::ProductListed,
            $crate::OrderPlaced,
            $crate::OrderConfirmed,
            $crate::OrderRejected,
            $crate::OrderPaid,
            $crate::OrderCancelled,
            $crate::CancelUnpaidOrder,
            $crate::SendNotification,
            $crate::Controls
        )
    };
}

/// The JSON Schema of each message type.
#[must_use]
pub fn schemas() -> BTreeMap<&'static str, Value> {
    macro_rules! all {
        ($($message:ty),+) => {
            [$((<$message as Message>::TYPE, schemars::schema_for!($message).to_value())),+]
        };
    }
    each_message!(all).into_iter().collect()
}
