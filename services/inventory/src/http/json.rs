//! What the API takes and answers.

use garde::Validate;
use runtime::http::whole_number;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store::ProductLevel;

/// Stock of one product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct StockLevel {
    /// Stock keeping unit.
    #[schema(example = "PADDLE-CARBON")]
    sku: String,
    /// Name of the product.
    #[schema(example = "Carbon paddle")]
    name: String,
    /// Pieces that can be reserved.
    available: i64,
    /// Pieces reserved for orders that are not yet paid.
    reserved: i64,
    /// Pieces that were sold.
    sold: i64,
    /// Increases with every change of the level.
    version: i64,
}

impl From<ProductLevel> for StockLevel {
    fn from(ProductLevel { sku, name, level }: ProductLevel) -> Self {
        Self {
            sku,
            name,
            available: level.available,
            reserved: level.reserved,
            sold: level.sold,
            version: level.version,
        }
    }
}

/// Delivery of pieces to the warehouse.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"quantity": 10}))]
pub(super) struct RestockRequest {
    /// Number of pieces.
    #[serde(deserialize_with = "whole_number")]
    #[garde(range(min = 1, max = 1_000_000))]
    #[schema(minimum = 1, maximum = 1_000_000, example = 10)]
    pub(super) quantity: i64,
}
