use std::collections::HashMap;

use contracts::{Line, Money, PricedLine};

/// Products by their SKU.
pub type PriceList = HashMap<String, Product>;

/// A product as the price list has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Stock keeping unit.
    pub sku: String,
    /// Name for people.
    pub name: String,
    /// Price of one piece.
    pub price: Money,
}

/// Why an order has no price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// Nothing is sold under this SKU.
    #[error("nothing is sold under the SKU `{sku}`")]
    UnknownSku {
        /// Index of the line.
        line: usize,
        /// What the line asks for.
        sku: String,
    },
    /// The lines have no common currency to be added up in.
    #[error("is sold in another currency than the lines before it")]
    MixedCurrencies {
        /// Index of the first line that differs.
        line: usize,
    },
    /// The sum is beyond what can be counted.
    #[error("the total is too large")]
    TooLarge,
}

pub(super) fn priced(lines: &[Line], prices: &PriceList) -> Result<Vec<PricedLine>, PriceError> {
    let price = |(index, line): (usize, &Line)| match prices.get(&line.sku) {
        Some(product) => Ok(PricedLine {
            sku: line.sku.clone(),
            name: product.name.clone(),
            quantity: line.quantity,
            unit_price: product.price.clone(),
        }),
        None => Err(PriceError::UnknownSku {
            line: index,
            sku: line.sku.clone(),
        }),
    };
    lines.iter().enumerate().map(price).collect()
}

pub(super) fn total(lines: &[PricedLine]) -> Result<Money, PriceError> {
    let currency = lines.first().map_or("", |line| &line.unit_price.currency);
    let mut cents: i64 = 0;
    for (index, line) in lines.iter().enumerate() {
        if line.unit_price.currency != currency {
            return Err(PriceError::MixedCurrencies { line: index });
        }
        cents = line
            .quantity
            .checked_mul(line.unit_price.cents)
            .and_then(|price| cents.checked_add(price))
            .ok_or(PriceError::TooLarge)?;
    }
    Ok(Money {
        cents,
        currency: currency.to_owned(),
    })
}
