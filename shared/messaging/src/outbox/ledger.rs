use std::collections::{BTreeMap, HashSet};

use super::row::Row;

/// Rows that a relay need not look for in the table, by their place in the order of publishing.
#[derive(Default)]
pub(super) struct Ledger {
    entries: BTreeMap<i64, Entry>,
    bytes: usize,
}

struct Entry {
    row: Row,
    /// It was found in the table, where it waits for its turn.
    queued: bool,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Its transaction has not ended.
    Written,
    /// Nobody knows whether its transaction has committed. Only the table tells.
    Doubtful,
    Committed,
    /// It is with the broker.
    Taken,
    /// The broker has confirmed it, and it is still in the table.
    Confirmed,
}

/// What is known of rows that are in the table.
pub(super) struct Known {
    /// To be forgotten.
    pub(super) confirmed: Vec<i64>,
    /// To be given up unless found.
    pub(super) doubtful: Vec<i64>,
    /// Not to be looked for.
    pub(super) others: Vec<i64>,
}

impl Ledger {
    /// How many rows there are, and how many bytes of bodies.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.entries.len(), self.bytes)
    }

    /// A row that a transaction has written and handed over.
    pub(super) fn written(&mut self, row: Row) {
        self.insert(row, false, Stage::Written);
    }

    /// A row that was found in the table, unless it was handed over meanwhile.
    pub(super) fn found(&mut self, row: Row) {
        if !self.entries.contains_key(&row.seq) {
            self.insert(row, true, Stage::Committed);
        }
    }

    fn insert(&mut self, row: Row, queued: bool, stage: Stage) {
        self.bytes += row.body.len();
        let entry = Entry { row, queued, stage };
        self.entries.insert(entry.row.seq, entry);
    }

    /// Moves those that are at one stage on to another.
    pub(super) fn move_on(&mut self, seqs: &[i64], from: Stage, to: Stage) {
        for seq in seqs {
            if let Some(entry) = self.entries.get_mut(seq)
                && entry.stage == from
            {
                entry.stage = to;
            }
        }
    }

    pub(super) fn remove(&mut self, seqs: &[i64]) {
        for seq in seqs {
            if let Some(entry) = self.entries.remove(seq) {
                self.bytes -= entry.row.body.len();
            }
        }
    }

    /// Leaves the rows of all other shards to whoever holds them, but for those that are still to be
    /// forgotten.
    pub(super) fn keep(&mut self, is_kept: impl Fn(i16) -> bool) {
        let gone = self.seqs(|entry| entry.stage != Stage::Confirmed && !is_kept(entry.row.shard));
        self.remove(&gone);
    }

    /// Whether all of these are here.
    pub(super) fn has_all(&self, seqs: &[i64]) -> bool {
        seqs.iter().all(|seq| self.entries.contains_key(seq))
    }

    /// The shards of these rows.
    pub(super) fn shards(&self, seqs: &[i64]) -> HashSet<i16> {
        let entries = seqs.iter().filter_map(|seq| self.entries.get(seq));
        entries.map(|entry| entry.row.shard).collect()
    }

    pub(super) fn queued(&self) -> Vec<i64> {
        self.seqs(|entry| entry.queued)
    }

    pub(super) fn has_confirmed(&self) -> bool {
        let mut entries = self.entries.values();
        entries.any(|entry| entry.stage == Stage::Confirmed)
    }

    pub(super) fn known(&self) -> Known {
        Known {
            confirmed: self.seqs(|entry| entry.stage == Stage::Confirmed),
            doubtful: self.seqs(|entry| entry.stage == Stage::Doubtful),
            others: self.seqs(|entry| !matches!(entry.stage, Stage::Confirmed | Stage::Doubtful)),
        }
    }

    /// Takes what is next in these shards. No row passes an older one of its shard.
    pub(super) fn take(&mut self, shards: &[i16], limit: usize) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut closed = HashSet::new();
        for Entry { row, stage, .. } in self.entries.values_mut() {
            if *stage == Stage::Confirmed || closed.contains(&row.shard) {
                continue;
            }
            if *stage == Stage::Committed && shards.contains(&row.shard) && rows.len() < limit {
                *stage = Stage::Taken;
                rows.push(row.clone());
            } else {
                closed.insert(row.shard);
            }
        }
        rows
    }

    fn seqs(&self, is: impl Fn(&Entry) -> bool) -> Vec<i64> {
        let entries = self.entries.iter().filter(|(_, entry)| is(entry));
        entries.map(|(seq, _)| *seq).collect()
    }
}
