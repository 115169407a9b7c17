use std::collections::{HashMap, HashSet};

use super::unavailable;
use crate::outbox::{PublishError, Row};

/// The records of each key, in their order.
pub(super) fn by_key<'r, T>(records: impl Iterator<Item = (&'r Row, T)>) -> Vec<Vec<(&'r Row, T)>> {
    let mut places = HashMap::new();
    let mut keys: Vec<Vec<_>> = Vec::new();
    for (row, of_row) in records {
        let key = (&row.destination, &row.routing_key);
        let place = *places.entry(key).or_insert(keys.len());
        match keys.get_mut(place) {
            Some(records) => records.push((row, of_row)),
            None => keys.push(vec![(row, of_row)]),
        }
    }
    keys
}

/// What is behind a record of its key that is published again is published again as well, whether it was not sent, or
/// confirmed at the last moment. The older one would else be the last of its key.
pub(super) fn hold_back(rows: &[Row], results: &mut [Result<(), PublishError>]) {
    let mut late = HashSet::new();
    for (row, result) in rows.iter().zip(results) {
        let key = (&row.destination, &row.routing_key);
        match result {
            Err(PublishError::Unavailable(_)) => {
                late.insert(key);
            }
            Ok(()) if late.contains(&key) => {
                *result = Err(unavailable(
                    "an earlier record of the key was not confirmed",
                ));
            }
            Ok(()) | Err(PublishError::Refused(_) | PublishError::Closed(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn row(key: &str) -> Row {
        Row {
            seq: 1,
            shard: 0,
            message_id: Uuid::now_v7(),
            destination: "tests".into(),
            routing_key: key.into(),
            message_type: "test.row.v1".into(),
            traceparent: None,
            body: Vec::new(),
            created_at: jiff::Timestamp::now().into(),
            attempts: 0,
        }
    }

    #[test]
    fn the_records_of_a_key_keep_their_order() {
        let rows = ["a", "b", "a", "c", "b", "a"].map(row);
        let places = by_key(rows.iter().zip(0..))
            .into_iter()
            .map(|records| records.into_iter().map(|(_, place)| place).collect());
        let places: Vec<Vec<i32>> = places.collect();
        assert_eq!(places, [vec![0, 2, 5], vec![1, 4], vec![3]]);
    }

    #[test]
    fn whatever_is_behind_a_record_that_is_published_again_is_published_again() {
        let rows = ["a", "b", "a", "b"].map(row);
        let late = Err(unavailable("late"));
        let mut results = [Ok(()), late, Ok(()), Ok(())];
        hold_back(&rows, &mut results);
        assert_eq!(
            results.map(|result| result.is_ok()),
            [true, false, true, false]
        );
    }
}
