use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use messaging::{Claim, EffectHandler, Failure, NotPerformed, Received, Tx};

use super::{Gate, Parcel, record};

/// Sends parcels by a way that no transaction can take back, and records that in the database.
#[derive(Clone, Default)]
pub(crate) struct Sending {
    sent: Arc<Mutex<Vec<i64>>>,
    recorded: Arc<AtomicUsize>,
    /// In the middle of sending, after it has begun.
    gate: Option<Gate>,
    /// What comes of the first attempts, the last one first.
    failures: Arc<Mutex<Vec<NotPerformed>>>,
    /// How often the connection of the database is lost while recording.
    losses: usize,
    /// Is rejected once something has left.
    is_rejected_then: bool,
}

impl Sending {
    pub(crate) fn through(gate: &Gate) -> Self {
        Self {
            gate: Some(gate.clone()),
            ..Self::default()
        }
    }

    pub(crate) fn failing(failures: impl IntoIterator<Item = NotPerformed>) -> Self {
        let sending = Self::default();
        sending.fail(failures);
        sending
    }

    pub(crate) fn losing_the_database(losses: usize) -> Self {
        Self {
            losses,
            ..Self::default()
        }
    }

    /// Rejects what comes again after that failure.
    pub(crate) fn rejecting_after(failure: NotPerformed) -> Self {
        Self {
            is_rejected_then: true,
            ..Self::failing([failure])
        }
    }

    /// From now on these come first.
    pub(crate) fn fail(&self, failures: impl IntoIterator<Item = NotPerformed>) {
        let mut waiting = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extend(failures);
        waiting.reverse();
    }

    fn leave(&self, number: i64) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.push(number);
    }

    /// The numbers of the parcels that left, in that order.
    pub(crate) fn sent(&self) -> Vec<i64> {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.clone()
    }

    /// How often somebody tried to record.
    pub(crate) fn recorded(&self) -> usize {
        self.recorded.load(Ordering::SeqCst)
    }
}

impl EffectHandler for Sending {
    type Message = Parcel;
    type Done = ();

    async fn prepare(&self, _: &mut Tx, _: &Received<Parcel>) -> Result<(), Failure> {
        if self.is_rejected_then && !self.sent().is_empty() {
            return Err(Failure::reject("nobody wants it any more"));
        }
        Ok(())
    }

    async fn perform(&self, message: &Received<Parcel>, claim: &Claim) -> Result<(), NotPerformed> {
        claim.begin()?;
        self.leave(message.body.number);
        if let Some(gate) = &self.gate {
            gate.pass().await;
        }
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.pop().map_or(Ok(()), Err)
    }

    async fn record(
        &self,
        tx: &mut Tx,
        message: &Received<Parcel>,
        (): &(),
    ) -> Result<(), Failure> {
        let before = self.recorded.fetch_add(1, Ordering::SeqCst);
        // Does not wait long for a lock.
        sqlx::query("set local lock_timeout = '20ms'")
            .execute(&mut **tx)
            .await?;
        record(tx, message).await?;
        if before < self.losses {
            let terminate = "select pg_terminate_backend(pg_backend_pid())";
            sqlx::query(terminate).execute(&mut **tx).await?;
        }
        Ok(())
    }
}
