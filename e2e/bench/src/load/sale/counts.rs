use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What became of the orders of a sale so far. Clones count together.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts(Arc<[AtomicU64; 3]>);

impl Counts {
    /// Counts an order that was answered with this status, or not at all.
    pub(super) fn add(&self, status: Option<u16>) {
        let [placed, refused, failed] = &*self.0;
        let count = match status {
            Some(202) => placed,
            Some(429 | 503) => refused,
            _ => failed,
        };
        count.fetch_add(1, Relaxed);
    }

    /// Placed, refused because there is too much to do, and failed.
    pub(super) fn now(&self) -> [u64; 3] {
        self.0.each_ref().map(|count| count.load(Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_placed_or_refused_or_failed() {
        let counts = Counts::default();
        for status in [202, 202, 202, 503, 429, 200, 404, 500] {
            counts.add(Some(status));
        }
        counts.add(None);
        assert_eq!(counts.now(), [3, 2, 4]);
    }
}
