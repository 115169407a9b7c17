use database::within_limit;
use tracing::warn;

use super::Relay;
use crate::outbox::publish::Publish;
use crate::outbox::row::Row;
use crate::outbox::store;

impl<P: Publish> Relay<P> {
    /// Forgets what is confirmed, and looks for what waits in the table for these shards. Returns how many rows were
    /// put aside before.
    pub(super) async fn look(&self, shards: &[i16], window: usize) -> sqlx::Result<usize> {
        if !shards.is_empty()
            && let Some(term) = self.handover.has_strangers()
        {
            let running = within_limit(store::running(&self.pool)).await?;
            if self.handover.run(term, &running) {
                let (transport, transaction) = (self.transport.as_str(), running.oldest);
                warn!(
                    transport,
                    transaction,
                    "relay to {transport} hands nothing over for some shards and is slower, until transaction \
                     {transaction} has ended, which runs for long"
                );
            }
        }
        let seen = self.handover.known();
        let (known, _) = &seen;
        let closed = self.refused.closed();
        let moved = self.put_aside(shards, known, &closed).await?;
        // Where the broker takes nothing, looking does not fetch more and more.
        let room = window.saturating_sub(known.others.len());
        let rows = store::forget_and_take(&self.pool, self.transport, known, shards, &closed, room);
        let rows = within_limit(rows).await?;
        let is_doubtful = |row: &&Row| known.doubtful.contains(&row.seq);
        let is_all = rows.len() - rows.iter().filter(is_doubtful).count() < room;
        self.handover.looked(shards, &seen, rows, is_all);
        if moved > 0 {
            // There may be more of it.
            self.handover.look();
        }
        Ok(moved)
    }
}
