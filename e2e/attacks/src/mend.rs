use std::time::Duration;

use anyhow::{Context, Result};
use checker::Mended;
use contracts::{Message, ReleaseStock};
use harness::{Letters, eventually};

use super::TO_BE_MENDED;

/// Who does it.
const BY: &str = "chaos";
/// Ten letters go in a second, and their outcome is known a few seconds later.
const LIMIT: Duration = Duration::from_secs(300);

/// Mends what can be mended of the poison, and has it replayed to its end.
pub(super) async fn mend(letters: &Letters) -> Result<Vec<Mended>> {
    let filter = format!("state=open&type={TO_BE_MENDED}");
    let found = eventually("the dead letters", LIMIT, async || {
        letters.list(&filter).await.map(Some)
    })
    .await?;
    let mut mended = Vec::new();
    for letter in &found {
        let body = letters.body(letter.id).await?;
        let release: ReleaseStock = serde_json::from_slice(&body).context("another body")?;
        let body = String::from_utf8(body)?;
        letters.mend(letter, ReleaseStock::TYPE, &body, BY).await?;
        mended.push(Mended {
            message_id: letter.message_id.clone().unwrap_or_default(),
            order_id: release.order_id,
        });
    }
    let ids: Vec<_> = found.iter().map(|letter| letter.id).collect();
    if !ids.is_empty() {
        letters.replay(&ids, BY).await?;
    }
    for id in ids {
        letters.reaches(id, "handled", LIMIT).await?;
    }
    Ok(mended)
}
