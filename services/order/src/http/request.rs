use std::collections::HashSet;

use axum::http::HeaderMap;
use contracts::{Customer, Line, Tier};
use garde::Validate;
use runtime::http::Problem;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::store::Keyed;

/// The header by which a client marks repetitions of one request.
pub(super) const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// An order as the client wants it.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
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
struct PlaceOrderCustomer {
    #[garde(email, custom(deliverable))]
    #[schema(format = Email, example = "ada@example.org")]
    email: String,
    /// For text messages, in E.164 form.
    #[garde(pattern(r"^\+[1-9][0-9]{6,14}$"))]
    #[schema(example = "+4930123456")]
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
struct PlaceOrderLine {
    #[garde(length(min = 1, max = 64), custom(printable))]
    #[schema(example = "TEA-001")]
    sku: String,
    /// Wider than needed, so that a huge number is out of range rather than malformed.
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
            quantity: i32::try_from(line.quantity).unwrap_or(i32::MAX),
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

    /// The client's key, if it sent one, with the fingerprint of this request.
    ///
    /// The fingerprint is taken of what was understood, so that white space does not matter.
    pub(super) fn keyed(&self, headers: &HeaderMap) -> Result<Option<Keyed>, Problem> {
        let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
        let key = match (values.next(), values.next()) {
            (None, _) => return Ok(None),
            (Some(value), None) if is_key(value.as_bytes()) => {
                String::from_utf8_lossy(value.as_bytes()).into_owned()
            }
            _ => {
                let problem = Problem::bad_request("a header is malformed");
                return Err(problem.field(
                    IDEMPOTENCY_KEY,
                    "expected once, 1 to 255 visible ASCII characters",
                ));
            }
        };
        let understood = serde_json::to_vec(self).map_err(anyhow::Error::from)?;
        let request_hash = Sha256::digest(understood).to_vec();
        Ok(Some(Keyed { key, request_hash }))
    }
}

fn is_key(value: &[u8]) -> bool {
    (1..=255).contains(&value.len()) && value.iter().all(u8::is_ascii_graphic)
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
