//! The stock on the page, and a delivery.

use anyhow::{Context, Result};
use browser::{Look, View, in_a_browser};
use harness::{SOON, Stack};

use crate::ANYTHING;

/// How many pieces are delivered.
const DELIVERED: u64 = 7;

#[tokio::test]
async fn a_delivery_is_seen_in_the_stock() -> Result<()> {
    let _stack = Stack::quiet().await?;
    in_a_browser(Look::default(), async |page| {
        page.open(View::Stock).await?;
        let available = format!("available-{ANYTHING}");
        let before = pieces(&page.text(&available).await?).context("no number")?;
        page.fill(&format!("restock-quantity-{ANYTHING}"), DELIVERED)
            .await?;
        page.press(&format!("restock-{ANYTHING}")).await?;
        let after = before + DELIVERED;
        page.text_becomes(&available, SOON, |text| pieces(text) == Some(after))
            .await?;
        Ok(())
    })
    .await
}

fn pieces(text: &str) -> Option<u64> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.parse().ok()
}
