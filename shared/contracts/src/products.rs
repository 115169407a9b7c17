use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::topology::PRODUCTS;
use crate::{Message, Money, Route};

/// A product is on sale under this name at this price; the latest one of a SKU counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct ProductListed {
    /// Stock keeping unit.
    #[garde(length(min = 1, max = 64))]
    pub sku: String,
    /// Name for people.
    #[garde(length(min = 1, max = 200))]
    pub name: String,
    /// Price of one piece.
    #[garde(dive)]
    pub price: Money,
}

impl Message for ProductListed {
    const TYPE: &'static str = "spillway.product-listed.v1";

    fn route(&self) -> Route {
        Route::Topic { topic: PRODUCTS }
    }

    fn ordering_key(&self) -> String {
        self.sku.clone()
    }
}
