//! What stands in for the outbox where that is given up.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use super::ledger::Known;
use super::row::{NewRow, Row};
use super::written::Handovers;
use crate::transport::Transport;

/// Dies with the process.
static MEMORY: Mutex<Memory> = Mutex::new(Memory::new());

struct Memory {
    rows: VecDeque<(Transport, Row)>,
    last: i64,
}

/// Keeps messages in memory, where the relays look for them instead of in the table.
pub(crate) fn keep(rows: Vec<NewRow>, handovers: &Handovers) {
    MEMORY
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .keep(rows);
    for transport in Transport::ALL {
        handovers.of(transport).look();
    }
}

/// The same as [`store::forget_and_take`](super::store::forget_and_take) on what is kept in memory.
pub(super) fn forget_and_take(transport: Transport, known: &Known, limit: usize) -> Vec<Row> {
    MEMORY
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .forget_and_take(transport, known, limit)
}

impl Memory {
    const fn new() -> Self {
        Self {
            rows: VecDeque::new(),
            last: 0,
        }
    }

    fn keep(&mut self, rows: Vec<NewRow>) {
        for row in rows {
            self.last += 1;
            let transport = row.address.transport;
            let kept = row.at(self.last, 0, Uuid::now_v7(), jiff::Timestamp::now().into());
            self.rows.push_back((transport, kept));
        }
    }

    fn forget_and_take(&mut self, transport: Transport, known: &Known, limit: usize) -> Vec<Row> {
        let confirmed: HashSet<i64> = known.confirmed.iter().copied().collect();
        self.rows.retain(|(_, row)| !confirmed.contains(&row.seq));
        let due = (self.rows.iter())
            .filter(|(of, row)| *of == transport && !known.others.contains(&row.seq));
        due.map(|(_, row)| row.clone()).take(limit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::Address;

    fn row(transport: Transport, routing_key: &'static str) -> NewRow {
        NewRow {
            address: Address {
                transport,
                destination: "parcels".into(),
                key: routing_key.into(),
            },
            ordering_key: String::new(),
            message_type: "test.parcel.v1",
            traceparent: None,
            body: Vec::new(),
        }
    }

    #[test]
    fn what_is_kept_in_memory_waits_in_order_until_it_is_confirmed() {
        let mut memory = Memory::new();
        memory.keep(vec![
            row(Transport::Kafka, "a"),
            row(Transport::RabbitMq, "b"),
            row(Transport::Kafka, "c"),
            row(Transport::Kafka, "d"),
        ]);
        let keys = |rows: &[Row]| {
            let keys: Vec<_> = rows.iter().map(|row| row.routing_key.clone()).collect();
            keys.concat()
        };
        let mut known = Known {
            confirmed: Vec::new(),
            doubtful: Vec::new(),
            others: Vec::new(),
        };
        let first = memory.forget_and_take(Transport::Kafka, &known, 2);
        assert_eq!(keys(&first), "ac");
        known.confirmed.push(first[0].seq);
        let second = memory.forget_and_take(Transport::Kafka, &known, 10);
        assert_eq!(keys(&second), "cd");
        known.others.push(second[0].seq);
        let third = memory.forget_and_take(Transport::Kafka, &known, 10);
        assert_eq!(keys(&third), "d");
        let of_rabbitmq = memory.forget_and_take(Transport::RabbitMq, &known, 10);
        assert_eq!(keys(&of_rabbitmq), "b");
    }
}
