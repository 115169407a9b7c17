use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An amount in the smallest unit of its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct Money {
    /// Integer cents, never negative.
    #[garde(range(min = 0))]
    pub cents: i64,
    /// ISO 4217 code, for example `EUR`.
    #[garde(length(equal = 3), ascii)]
    pub currency: String,
}

/// How much attention a customer gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// E-mail and push.
    #[default]
    Standard,
    /// Text messages as well.
    Vip,
}

impl Tier {
    /// The name in routing keys and databases.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Vip => "vip",
        }
    }
}

/// Whom an order belongs to, and how to reach them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct Customer {
    /// Address for e-mail.
    #[garde(email)]
    pub email: String,
    /// Number for text messages, E.164 (`+4930123456`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub phone: Option<String>,
    /// Standard unless said otherwise.
    #[serde(default)]
    #[garde(skip)]
    pub tier: Tier,
}

/// A wanted quantity of one product. Its limits are checked where it is decided upon, so that a
/// nonsensical quantity gets an answer and not silence; for that it also has to be decoded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct Line {
    /// Stock keeping unit, the name of a product.
    #[garde(skip)]
    pub sku: String,
    /// Pieces.
    #[garde(skip)]
    pub quantity: i64,
}

/// A line with the name and the price that were valid when the order was placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct PricedLine {
    /// Stock keeping unit.
    #[garde(length(min = 1, max = 64))]
    pub sku: String,
    /// Name of the product.
    #[garde(skip)]
    pub name: String,
    /// Pieces.
    #[garde(range(min = 1))]
    pub quantity: i64,
    /// Price of one piece.
    #[garde(dive)]
    pub unit_price: Money,
}
