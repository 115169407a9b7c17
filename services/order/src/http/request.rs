use std::collections::HashSet;

use contracts::{Customer, Line, MAX_SKU_LENGTH, Tier, check_email, is_sku};
use garde::Validate;
use runtime::http::{IdempotencyKey, Problem, whole_number};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::schema;
use crate::store::Idempotency;

/// New order.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "customer": {"email": "ada@example.org", "phone": "+4930123456", "tier": "vip"},
    "lines": [{"sku": "PADDLE-CARBON", "quantity": 2}],
}))]
pub(super) struct PlaceOrder {
    #[garde(dive)]
    customer: PlaceOrderCustomer,
    /// 1 to 50 products, each with its own SKU.
    #[garde(length(min = 1, max = 50), dive)]
    #[schema(min_items = 1, max_items = 50)]
    lines: Vec<PlaceOrderLine>,
}

/// Customer who places the order.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct PlaceOrderCustomer {
    #[garde(custom(deliverable))]
    #[schema(schema_with = schema::email)]
    email: String,
    /// Phone number for text messages, in E.164 form.
    #[garde(pattern(r"^\+[1-9][0-9]{6,14}$"))]
    #[schema(pattern = r"^\+[1-9][0-9]{6,14}$", example = "+4930123456")]
    phone: Option<String>,
    #[garde(skip)]
    #[serde(default)]
    tier: CustomerTier,
}

/// Tier of the customer; `vip` customers also get text messages. `standard` by default.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum CustomerTier {
    #[default]
    Standard,
    Vip,
}

/// Ordered quantity of one product.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct PlaceOrderLine {
    /// Stock keeping unit of the product.
    #[garde(custom(sellable))]
    #[schema(pattern = "^[A-Z0-9-]{1,64}$", example = "PADDLE-CARBON")]
    sku: String,
    /// Number of pieces.
    #[serde(deserialize_with = "whole_number")]
    #[garde(range(min = 1, max = 1000))]
    #[schema(minimum = 1, maximum = 1000, example = 2)]
    quantity: i64,
}

impl PlaceOrder {
    /// The order in the terms of the contracts; refuses a SKU that comes twice.
    pub(super) fn into_customer_and_lines(self) -> Result<(Customer, Vec<Line>), Problem> {
        let mut seen = HashSet::new();
        if let Some(index) = self
            .lines
            .iter()
            .position(|line| !seen.insert(line.sku.as_str()))
        {
            return Err(Problem::unprocessable(
                format!("lines[{index}].sku"),
                "is in an earlier line already",
            ));
        }
        let lines = self.lines.into_iter().map(|line| Line {
            sku: line.sku,
            quantity: line.quantity,
        });
        let customer = Customer {
            email: self.customer.email,
            phone: self.customer.phone,
            tier: match self.customer.tier {
                CustomerTier::Standard => Tier::Standard,
                CustomerTier::Vip => Tier::Vip,
            },
        };
        Ok((customer, lines.collect()))
    }

    /// The client's key with the fingerprint of this request.
    ///
    /// The fingerprint is taken of what was understood, so that white space does not matter.
    pub(super) fn idempotency(
        &self,
        IdempotencyKey(key): IdempotencyKey,
    ) -> anyhow::Result<Idempotency> {
        let understood = serde_json::to_vec(self)?;
        let request_hash = Sha256::digest(understood).to_vec();
        Ok(Idempotency { key, request_hash })
    }
}

fn deliverable(address: &str, _: &()) -> garde::Result {
    check_email(address).map_err(|error| garde::Error::new(error.to_string()))
}

fn sellable(text: &str, _: &()) -> garde::Result {
    if is_sku(text) {
        Ok(())
    } else {
        Err(garde::Error::new(format!(
            "is not 1 to {MAX_SKU_LENGTH} capital letters, digits and hyphens"
        )))
    }
}
