use database::within_limit;
use tracing::info;

use super::Bus;
use crate::outbox::{self, Divided};

impl Bus {
    /// Divides the outbox as `OUTBOX_SHARDS` wants it, or says once that this has to wait until nothing is in it.
    pub(super) async fn divide_outbox(&self, is_waiting: &mut bool) -> sqlx::Result<()> {
        let Some(shards) = self.inner.args.outbox_shards else {
            return Ok(());
        };
        let divided = within_limit(outbox::divide(&self.inner.consuming.pool, shards)).await?;
        let waited = std::mem::replace(is_waiting, matches!(divided, Divided::NotYet { .. }));
        match divided {
            Divided::AsWanted => {}
            Divided::Anew { before } => info!(
                before,
                shards, "the outbox has {shards} shards for each broker instead of {before}"
            ),
            Divided::NotYet { before } if !waited => info!(
                before,
                shards, "the outbox keeps its {before} shards for each broker until it is empty"
            ),
            Divided::NotYet { .. } => {}
        }
        Ok(())
    }
}
