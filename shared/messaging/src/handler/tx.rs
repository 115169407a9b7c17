use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use contracts::Message;
use database::{Session, Sessions};
use sqlx::PgConnection;

use crate::cause::Cause;
use crate::faults::crash_point::{self, CrashPoint};
use crate::faults::{Guarantee, without};
use crate::outbox::{self, Address, Handovers, NewRow, Written};

/// A database transaction that can publish.
///
/// Dropped without [`Tx::commit`], it rolls back and publishes nothing.
pub struct Tx {
    inner: Session,
    /// What is to be written to the outbox.
    rows: Vec<NewRow>,
    /// What is in the outbox already.
    written: Written,
    /// The first message that could not be serialized: it fails the commit.
    encode_error: Option<serde_json::Error>,
    handovers: Arc<Handovers>,
}

impl Tx {
    pub(crate) async fn begin(
        sessions: &Sessions,
        handovers: &Arc<Handovers>,
    ) -> sqlx::Result<Self> {
        let session = sessions.begin().await?;
        Ok(Self::within(session, handovers))
    }

    /// The same with an insertion, in one round trip; `false` when it would violate a unique key, and inserts nothing.
    pub(crate) async fn begin_with(
        sessions: &Sessions,
        handovers: &Arc<Handovers>,
        insertion: &str,
    ) -> sqlx::Result<(Self, bool)> {
        let (session, is_done) = sessions.begin_with(insertion).await?;
        Ok((Self::within(session, handovers), is_done))
    }

    fn within(inner: Session, handovers: &Arc<Handovers>) -> Self {
        Self {
            inner,
            rows: Vec::new(),
            written: Written::nothing(handovers),
            encode_error: None,
            handovers: Arc::clone(handovers),
        }
    }

    /// Sends the message where its type says, once this transaction has committed.
    ///
    /// Delivery is at least once. Messages with the same ordering key are published in the order
    /// of these calls, unless the broker refuses one (nobody is bound to its key, its queue is full): that
    /// one waits, and those behind it pass. Lock the row that the key names before you decide.
    pub fn publish<M: Message>(&mut self, cause: &Cause, message: &M) {
        let address = Address::new(message.route(), &message.ordering_key());
        self.push(cause, message, address);
    }

    /// Sends the message to its queue after the delay has passed.
    ///
    /// Only for messages that go to a queue; its consumer declares the delay with
    /// `QueueConsumer::delayed_by`. On any other route it is like [`Tx::publish`].
    pub fn publish_after<M: Message>(&mut self, cause: &Cause, message: &M, delay: Duration) {
        let address = Address::delayed(message.route(), &message.ordering_key(), delay);
        self.push(cause, message, address);
    }

    /// Commits the changes together with everything published, and wakes the relay.
    ///
    /// # Errors
    ///
    /// When the database refuses or is away; then nothing was published. As with any database, an
    /// error of the connection leaves open whether the commit took place.
    pub async fn commit(mut self) -> sqlx::Result<()> {
        self.write_outbox().await?;
        self.written.committing();
        self.inner.commit().await?;
        crash_point::reach(CrashPoint::OutboxCommitted);
        self.written.committed();
        if without(Guarantee::Outbox) {
            outbox::keep(self.rows, &self.handovers);
        }
        Ok(())
    }

    /// Writes what was published so far. Unlike the commit this can fail because of what is written, so
    /// a consumer has it done first and tells the two apart.
    pub(crate) async fn write_outbox(&mut self) -> sqlx::Result<()> {
        if let Some(error) = self.encode_error.take() {
            return Err(sqlx::Error::Encode(Box::new(error)));
        }
        if without(Guarantee::Outbox) {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.rows);
        outbox::insert(&mut self.inner, rows, &mut self.written).await
    }

    /// Whether anything of it is still to be written to the outbox.
    pub(crate) fn publishes(&self) -> bool {
        !self.rows.is_empty()
    }

    pub(crate) async fn rollback(self) -> sqlx::Result<()> {
        self.inner.rollback().await
    }

    fn push<M: Message>(&mut self, cause: &Cause, message: &M, address: Address) {
        let body = match serde_json::to_vec(message) {
            Ok(body) => body,
            Err(error) => {
                self.encode_error.get_or_insert(error);
                return;
            }
        };
        self.rows.push(NewRow {
            address,
            ordering_key: message.ordering_key(),
            message_type: M::TYPE,
            traceparent: cause.traceparent().map(str::to_owned),
            body,
        });
    }
}

impl Deref for Tx {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.inner
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.inner
    }
}
