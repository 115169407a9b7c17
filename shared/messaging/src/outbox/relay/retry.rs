use database::within_limit;

use super::Relay;
use crate::faults::{Guarantee, without};
use crate::outbox::aside;
use crate::outbox::ledger::Known;
use crate::outbox::publish::Publish;
use crate::outbox::refused::AT_ONCE;

/// Whoever holds this shard tries again what was refused, of all shards: refused messages have no order.
const KEEPER: i16 = 0;

/// So many rows of the outbox are put aside at once.
const PORTION: i64 = 2_000;

impl<P: Publish> Relay<P> {
    /// Puts aside what waits at the head of these shards for addresses that take nothing, without asking for it.
    /// Returns how many rows that are.
    pub(super) async fn put_aside(
        &self,
        shards: &[i16],
        known: &Known,
        closed: &[String],
    ) -> sqlx::Result<usize> {
        if closed.is_empty() || shards.is_empty() || without(Guarantee::Outbox) {
            return Ok(0);
        }
        let (pool, transport) = (&self.pool, self.transport);
        let known = [&*known.confirmed, &*known.others].concat();
        let waiting = aside::at_the_head(pool, transport, shards, closed, &known, PORTION);
        let waiting = within_limit(waiting).await?;
        if !waiting.is_empty() {
            within_limit(aside::put(pool, transport, &waiting, 0)).await?;
            // One of them may have been handed over meanwhile.
            self.handover.refused(&waiting);
        }
        Ok(waiting.len())
    }

    /// Tries some of what was refused: one row of each address that is due, and more and more of one that takes
    /// them. Returns how many were confirmed.
    pub(super) async fn retry(&mut self, window: usize) -> anyhow::Result<usize> {
        if !self.refused.until_due().is_zero() {
            return Ok(0);
        }
        if !self.handover.has_refused() || !self.keeps_refused() {
            self.refused.left_to_others();
            return Ok(0);
        }
        let (pool, transport) = (self.pool.clone(), self.transport);
        let limit = |rows: usize| i64::try_from(rows).unwrap_or(i64::MAX);
        let addresses = {
            let after = self.refused.after();
            within_limit(aside::addresses(&pool, transport, after, limit(AT_ONCE))).await?
        };
        let (addresses, portions) = self.refused.found(addresses, window);
        if addresses.is_empty() {
            return Ok(0);
        }
        let rows = aside::sample(&pool, transport, &addresses, &portions, limit(window));
        let rows = within_limit(rows).await?;
        // The process may have been stopped since: then they are somebody else's by now.
        if rows.is_empty() || !self.keeps_refused() {
            return Ok(0);
        }
        let asked = self.ask(&rows, true).await;
        let (confirmed, refused) = (&asked.confirmed, &asked.refused);
        within_limit(aside::tried(&pool, transport, confirmed, refused)).await?;
        asked.unavailable.map_or(Ok(()), Err)?;
        Ok(asked.confirmed.len())
    }

    fn keeps_refused(&self) -> bool {
        self.handover.held().contains(&KEEPER)
    }
}
