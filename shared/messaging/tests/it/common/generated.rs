//! Bytes at random, the same for the same seed.

use contracts::Message as _;
use fastrand::Rng;
use uuid::Uuid;

use super::Parcel;
use super::raw_amqp::{HEADERS, MESSAGE_ID, TYPE, long, properties, short, table, text};
use super::raw_kafka::RawRecord;

/// Properties whose bits have other effects than on the reader: user id and expiration.
const OBEYED: [u16; 2] = [4, 8];

/// The properties of a parcel, among headers that are nobody's business.
pub(crate) fn readable(rng: &mut Rng) -> Vec<u8> {
    let names = [
        "x-custom",
        "failed-attempts",
        "dead-letter-queue",
        "traceparent",
        "x-death",
        "ä",
    ];
    let names: Vec<_> = (0..rng.usize(0..5))
        .map(|_| names[rng.usize(..names.len())])
        .collect();
    let entries: Vec<_> = names
        .iter()
        .map(|name| (name.as_bytes(), value(rng, 0)))
        .collect();
    let id = Uuid::now_v7().to_string();
    properties(&[
        (HEADERS, table(&entries)),
        (MESSAGE_ID, short(id.as_bytes())),
        (TYPE, short(Parcel::TYPE.as_bytes())),
    ])
}

/// Properties with foreign bytes in names and texts, or with some bytes replaced.
pub(crate) fn unreadable_or_not(rng: &mut Rng) -> Vec<u8> {
    let mut parts = Vec::new();
    for bit in (2..16).rev().filter(|bit| !OBEYED.contains(bit)) {
        if rng.bool() {
            parts.push((
                bit,
                match bit {
                    HEADERS => {
                        let count = rng.usize(0..6);
                        let names: Vec<_> = (0..count).map(|_| bytes(rng, 6)).collect();
                        let entries: Vec<_> = names
                            .iter()
                            .map(|name| (&name[..], value(rng, 0)))
                            .collect();
                        table(&entries)
                    }
                    11 | 12 => vec![rng.u8(..)],
                    6 => rng.u64(..).to_be_bytes().to_vec(),
                    _ => short(&bytes(rng, 255)),
                },
            ));
        }
    }
    let mut encoded = properties(&parts);
    if rng.bool() {
        for _ in 0..rng.usize(1..4) {
            let at = rng.usize(..encoded.len());
            encoded[at] = rng.u8(..);
        }
        let obeyed = OBEYED
            .iter()
            .fold(0u16, |bits, bit| bits | 1 << bit)
            .to_be_bytes();
        encoded[0] &= !obeyed[0];
        encoded[1] &= !obeyed[1];
    }
    encoded
}

/// A value of a table, with its type in front.
fn value(rng: &mut Rng, depth: usize) -> Vec<u8> {
    let sized = |kind: u8, length| -> Vec<u8> { [vec![kind], vec![7; length]].concat() };
    match rng.u8(0..14) {
        0 => text(&bytes(rng, 300)),
        1 => [b"x", &long(&bytes(rng, 300))[..]].concat(),
        2 if depth < 8 => {
            let inner = value(rng, depth + 1);
            [b"F", &table(&[(b"inner", inner)])[..]].concat()
        }
        3 if depth < 8 => {
            let inner: Vec<_> = (0..rng.usize(0..3))
                .flat_map(|_| value(rng, depth + 1))
                .collect();
            [b"A", &long(&inner)[..]].concat()
        }
        4 => sized(b't', 1),
        5 => sized(b'b', 1),
        6 => sized(b's', 2),
        7 => sized(b'I', 4),
        8 => sized(b'l', 8),
        9 => sized(b'f', 4),
        10 => sized(b'd', 8),
        11 => sized(b'T', 8),
        12 => sized(b'D', 5),
        _ => sized(b'V', 0),
    }
}

/// The headers of a parcel, among foreign ones.
pub(crate) fn record(rng: &mut Rng) -> RawRecord {
    let id = Uuid::now_v7().to_string().into_bytes();
    let mut headers = vec![
        (b"ce_id".to_vec(), Some(id)),
        (b"ce_type".to_vec(), Some(Parcel::TYPE.as_bytes().to_vec())),
    ];
    for _ in 0..rng.usize(0..6) {
        let name = match rng.u8(0..4) {
            0 => [&b"CC"[..], b"x-death", b"dead-letter-topic", b"traceparent"][rng.usize(0..4)]
                .to_vec(),
            _ => bytes(rng, 20),
        };
        let value = rng.bool().then(|| bytes(rng, 400));
        headers.insert(rng.usize(..=headers.len()), (name, value));
    }
    RawRecord {
        key: rng.bool().then(|| bytes(rng, 400)),
        value: None,
        headers,
        timestamp: rng.i64(0..1_700_000_000_000),
    }
}

/// At most so many bytes, some of them not UTF-8.
pub(crate) fn bytes(rng: &mut Rng, longest: usize) -> Vec<u8> {
    (0..rng.usize(..=longest))
        .map(|_| if rng.u8(0..4) == 0 { rng.u8(..) } else { b'a' })
        .collect()
}
