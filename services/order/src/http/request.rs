use std::collections::HashSet;

use contracts::{Customer, Line, Tier};
use garde::Validate;
use runtime::http::{IdempotencyKey, Problem, whole_number};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::store::Keyed;

/// An order as the client wants it.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaceOrder {
    #[garde(dive)]
    customer: PlaceOrderCustomer,
    /// 1 to 50 lines, each with a SKU of its own.
    #[garde(length(min = 1, max = 50), dive)]
    #[schema(min_items = 1, max_items = 50)]
    lines: Vec<PlaceOrderLine>,
}

/// Who orders.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct PlaceOrderCustomer {
    /// At most 254 bytes, because mail servers take no more.
    #[garde(email, length(max = 254), custom(deliverable))]
    #[schema(format = Email, max_length = 254, example = "ada@example.org")]
    email: String,
    /// For text messages, in E.164 form.
    #[garde(pattern(r"^\+[1-9][0-9]{6,14}$"))]
    #[schema(pattern = r"^\+[1-9][0-9]{6,14}$", example = "+4930123456")]
    phone: Option<String>,
    #[garde(skip)]
    #[serde(default)]
    tier: CustomerTier,
}

/// How much attention a customer gets.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum CustomerTier {
    #[default]
    Standard,
    Vip,
}

/// A wanted quantity of one product.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct PlaceOrderLine {
    #[garde(length(min = 1, max = 64), custom(printable))]
    #[schema(min_length = 1, max_length = 64, example = "TEA-001")]
    sku: String,
    /// Pieces.
    #[serde(deserialize_with = "whole_number")]
    #[garde(range(min = 1, max = 1000))]
    #[schema(minimum = 1, maximum = 1000)]
    quantity: i64,
}

impl PlaceOrder {
    /// The wish in the terms of the contracts; refuses a SKU that comes twice.
    pub(super) fn into_wish(self) -> Result<(Customer, Vec<Line>), Problem> {
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
    pub(super) fn keyed(&self, IdempotencyKey(key): IdempotencyKey) -> anyhow::Result<Keyed> {
        let understood = serde_json::to_vec(self)?;
        let request_hash = Sha256::digest(understood).to_vec();
        Ok(Keyed { key, request_hash })
    }
}

/// What mail servers refuse although the general form of an address allows it.
fn deliverable(email: &str, _: &()) -> garde::Result {
    let local = email.split('@').next().unwrap_or_default();
    if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return Err(garde::Error::new(
            "not a valid email: a dot must stand between other characters",
        ));
    }
    Ok(())
}

fn printable(sku: &str, _: &()) -> garde::Result {
    if sku.chars().any(char::is_control) {
        return Err(garde::Error::new("contains a control character"));
    }
    Ok(())
}
