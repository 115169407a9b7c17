use std::sync::Arc;

use super::handover::{Handover, Open};
use super::row::Row;
use crate::transport::Transport;

/// One handover for each broker.
pub(crate) struct Handovers {
    rabbitmq: Arc<Handover>,
    kafka: Arc<Handover>,
}

impl Handovers {
    pub(crate) fn new() -> Self {
        Self {
            rabbitmq: Arc::new(Handover::new()),
            kafka: Arc::new(Handover::new()),
        }
    }

    pub(crate) fn of(&self, transport: Transport) -> &Arc<Handover> {
        match transport {
            Transport::RabbitMq => &self.rabbitmq,
            Transport::Kafka => &self.kafka,
        }
    }
}

/// What one transaction has written to the outbox. However the transaction ends, the relays learn of it.
pub(crate) struct Written {
    handovers: Arc<Handovers>,
    handed: Vec<(Transport, i64)>,
    /// The shards of what waits in the table.
    queued: Vec<(Transport, i16)>,
    is_committing: bool,
}

impl Written {
    pub(crate) fn nothing(handovers: &Arc<Handovers>) -> Self {
        Self {
            handovers: Arc::clone(handovers),
            handed: Vec::new(),
            queued: Vec::new(),
            is_committing: false,
        }
    }

    /// The shards whose rows may be handed over.
    pub(super) fn open(&self, transport: Transport) -> Open {
        self.handovers.of(transport).open()
    }

    pub(super) fn handed(&mut self, transport: Transport, rows: Vec<Row>, term: u64) {
        let seqs = rows.iter().map(|row| (transport, row.seq));
        self.handed.extend(seqs);
        self.handovers.of(transport).written(rows, term);
    }

    pub(super) fn queued(&mut self, transport: Transport, shard: i16) {
        self.queued.push((transport, shard));
    }

    /// From now on nobody but the database knows whether the transaction commits.
    pub(crate) fn committing(&mut self) {
        self.is_committing = true;
    }

    pub(crate) fn committed(mut self) {
        for transport in Transport::ALL {
            let handover = self.handovers.of(transport);
            let handed = of(transport, &self.handed);
            if !handed.is_empty() {
                handover.committed(&handed);
            }
            let queued = of(transport, &self.queued);
            let held = handover.held();
            if queued.iter().any(|shard| held.contains(shard)) {
                handover.look();
            }
            if queued.iter().any(|shard| !held.contains(shard)) {
                handover.elsewhere.notify_one();
            }
        }
        self.handed.clear();
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        for transport in Transport::ALL {
            let handed = of(transport, &self.handed);
            if handed.is_empty() {
                continue;
            }
            let handover = self.handovers.of(transport);
            if self.is_committing {
                handover.doubtful(&handed);
            } else {
                handover.rolled_back(&handed);
            }
        }
    }
}

fn of<T: Copy>(transport: Transport, all: &[(Transport, T)]) -> Vec<T> {
    let of_transport = all.iter().filter(|(of, _)| *of == transport);
    of_transport.map(|(_, value)| *value).collect()
}
