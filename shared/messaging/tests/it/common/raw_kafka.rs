use anyhow::ensure;
use contracts::Message as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

use super::{Parcel, parcel};

/// A record in bytes of anybody's choice.
#[derive(Debug, Clone, Default)]
pub(crate) struct RawRecord {
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    pub(crate) timestamp: i64,
}

/// Appends records to a partition as one batch; returns the offset of the first, or nothing if the partition
/// has no leader yet. The brokers' first address has to be that of the leader.
pub(crate) async fn produce(
    brokers: &str,
    topic: &str,
    partition: i32,
    records: &[RawRecord],
) -> anyhow::Result<Option<i64>> {
    const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
    const PRODUCE: u16 = 0;
    const VERSION: u16 = 3;
    let address = brokers.split(',').next().unwrap_or_default();
    let mut socket = TcpStream::connect(address).await?;
    let mut request = Vec::new();
    request.extend(PRODUCE.to_be_bytes());
    request.extend(VERSION.to_be_bytes());
    // Correlation id, neither client id nor transaction, acknowledged by all, within 30 s.
    request.extend(1i32.to_be_bytes());
    request.extend([0xFF; 4]);
    request.extend((-1i16).to_be_bytes());
    request.extend(30_000i32.to_be_bytes());
    request.extend(1i32.to_be_bytes());
    request.extend(i16::try_from(topic.len())?.to_be_bytes());
    request.extend(topic.as_bytes());
    request.extend(1i32.to_be_bytes());
    request.extend(partition.to_be_bytes());
    request.extend(sized(&batch(records)?)?);
    socket.write_all(&sized(&request)?).await?;

    let length = socket.read_u32().await?;
    let mut answer = vec![0; usize::try_from(length)?];
    socket.read_exact(&mut answer).await?;
    // Correlation id, one topic, its name, one partition, its number; then error and offset.
    let at = 4 + 4 + 2 + topic.len() + 4 + 4;
    let error = (&answer[at..]).read_i16().await?;
    if error == UNKNOWN_TOPIC_OR_PARTITION {
        return Ok(None);
    }
    ensure!(error == 0, "the broker refuses the records: error {error}");
    Ok(Some((&answer[at + 2..]).read_i64().await?))
}

/// A batch of format 2.
fn batch(records: &[RawRecord]) -> anyhow::Result<Vec<u8>> {
    let count = i32::try_from(records.len())?;
    let newest = records.iter().map(|record| record.timestamp).max();
    // What the checksum is of: no compression, no producer id, all records of one time base.
    let mut checked = Vec::new();
    checked.extend(0i16.to_be_bytes());
    checked.extend((count - 1).to_be_bytes());
    checked.extend(0i64.to_be_bytes());
    checked.extend(newest.unwrap_or_default().to_be_bytes());
    checked.extend([0xFF; 8 + 2 + 4]);
    checked.extend(count.to_be_bytes());
    for (offset, record) in (0..).zip(records) {
        let mut bytes = vec![0];
        bytes.extend(varint(record.timestamp));
        bytes.extend(varint(offset));
        bytes.extend(optional(record.key.as_deref())?);
        bytes.extend(optional(record.value.as_deref())?);
        bytes.extend(varint(i64::try_from(record.headers.len())?));
        for (name, value) in &record.headers {
            bytes.extend(optional(Some(name))?);
            bytes.extend(optional(value.as_deref())?);
        }
        checked.extend(varint(i64::try_from(bytes.len())?));
        checked.extend(bytes);
    }
    let mut rest = (-1i32).to_be_bytes().to_vec();
    rest.push(2);
    rest.extend(crc32c(&checked).to_be_bytes());
    rest.extend(checked);
    Ok([&0i64.to_be_bytes()[..], &sized(&rest)?].concat())
}

fn sized(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let length = i32::try_from(bytes.len())?;
    Ok([&length.to_be_bytes(), bytes].concat())
}

fn optional(bytes: Option<&[u8]>) -> anyhow::Result<Vec<u8>> {
    Ok(match bytes {
        Some(bytes) => [&varint(i64::try_from(bytes.len())?), bytes].concat(),
        None => varint(-1),
    })
}

/// Seven bits a byte, the sign in the lowest bit.
fn varint(value: i64) -> Vec<u8> {
    let mut left = (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned();
    let mut bytes = Vec::new();
    loop {
        let [low, ..] = left.to_le_bytes();
        left >>= 7;
        if left == 0 {
            bytes.push(low & 0x7F);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

fn crc32c(bytes: &[u8]) -> u32 {
    const CASTAGNOLI: u32 = 0x82F6_3B78;
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc: u32, _| match crc & 1 {
            1 => crc >> 1 ^ CASTAGNOLI,
            _ => crc >> 1,
        })
    })
}

/// A parcel as ours are, with an id of its own.
pub(crate) fn raw_parcel(number: i64) -> RawRecord {
    let id = Uuid::now_v7().to_string();
    RawRecord {
        key: Some(b"alice".to_vec()),
        value: serde_json::to_vec(&parcel("alice", number)).ok(),
        headers: vec![
            (b"ce_id".to_vec(), Some(id.into_bytes())),
            (b"ce_type".to_vec(), Some(Parcel::TYPE.as_bytes().to_vec())),
        ],
        timestamp: 1_700_000_000_000,
    }
}
