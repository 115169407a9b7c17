use std::collections::HashSet;

use uuid::Uuid;

use super::runner::{BatchRunner, Outcome};
use crate::handler::{BatchHandler, Received, Tx};
use crate::inbox;

impl<H: BatchHandler> BatchRunner<H> {
    /// Begins a transaction in which these messages are claimed, and answers which of them are new. One that stands in
    /// the batch twice is new only the first time.
    pub(super) async fn claim(
        &self,
        batch: &[&Received<H::Message>],
    ) -> sqlx::Result<(Tx, Vec<Outcome>)> {
        let ids = batch.iter().map(|message| message.id).collect();
        let (tx, mut new) = self.begin(ids).await?;
        self.metrics.duplicates(self.name, batch.len() - new.len());
        let outcomes = batch.iter().map(|message| match new.remove(&message.id) {
            true => Outcome::Done,
            false => Outcome::Duplicate,
        });
        Ok((tx, outcomes.collect()))
    }

    /// Begins a transaction in which these messages are claimed, and answers which of them are new. A few that are new
    /// cost one round trip.
    async fn begin(&self, ids: Vec<Uuid>) -> sqlx::Result<(Tx, HashSet<Uuid>)> {
        let mut tx = match inbox::claim_of_few(self.name, &ids) {
            Some(claim) => {
                let begun = Tx::begin_with(&self.sessions, &self.handovers, &claim).await?;
                match begun {
                    (tx, true) => return Ok((tx, inbox::claimed(ids))),
                    // One of them was handled before.
                    (tx, false) => tx,
                }
            }
            None => Tx::begin(&self.sessions, &self.handovers).await?,
        };
        let new = inbox::claim(&mut tx, self.name, ids).await?;
        Ok((tx, new))
    }
}
