use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::setting;

const TIME_LIMIT: Duration = Duration::from_secs(10);
/// More than any answer has.
const LONGEST: u32 = 1 << 20;

/// Key and version of the request.
const PRODUCE: [u8; 4] = [0, 0, 0, 3];
/// What a broker answers that does not lead the partition, and so has not taken the record.
const NOT_LEADER: i16 = 6;

/// A Kafka record in bytes of anybody's choice, as libraries send it that check nothing.
#[derive(Debug, Clone, Default)]
pub struct RawRecord {
    /// The key.
    pub key: Vec<u8>,
    /// Names and values.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// The value.
    pub value: Vec<u8>,
}

impl RawRecord {
    /// Appends it to a partition at that one of the brokers in `KAFKA_BROKERS` that leads it, and returns when it is
    /// there.
    ///
    /// # Errors
    ///
    /// When it is not acknowledged within 10 s. Then nobody knows whether it is there.
    pub async fn produce(&self, (topic, partition): (&str, i32)) -> Result<()> {
        timeout(TIME_LIMIT, self.send(topic, partition)).await?
    }

    async fn send(&self, topic: &str, partition: i32) -> Result<()> {
        let brokers = setting("KAFKA_BROKERS")?;
        for broker in brokers.split(',') {
            // One that is away leads nothing.
            let Ok(socket) = TcpStream::connect(broker).await else {
                continue;
            };
            match self.send_to(socket, topic, partition).await? {
                0 => return Ok(()),
                NOT_LEADER => {}
                error => bail!("the broker answers with error {error}"),
            }
        }
        bail!("nobody leads partition {partition} of {topic}")
    }

    /// The error that a broker answers with, or 0.
    async fn send_to(&self, mut socket: TcpStream, topic: &str, partition: i32) -> Result<i16> {
        let request = [
            &PRODUCE[..],
            // The number of the request, and no name of a client or a transaction.
            &1i32.to_be_bytes(),
            &[0xFF; 4],
            // Acknowledged by all, within this time.
            &(-1i16).to_be_bytes(),
            &i32::try_from(TIME_LIMIT.as_millis())?.to_be_bytes(),
            &1i32.to_be_bytes(),
            &i16::try_from(topic.len())?.to_be_bytes(),
            topic.as_bytes(),
            &1i32.to_be_bytes(),
            &partition.to_be_bytes(),
            &sized(&self.batch()?)?,
        ];
        socket.write_all(&sized(&request.concat())?).await?;
        let length = socket.read_u32().await?;
        ensure!(length <= LONGEST, "an answer of {length} bytes");
        let mut answer = vec![0; usize::try_from(length)?];
        socket.read_exact(&mut answer).await?;
        // In front of the error: the request, one topic, its name, one partition, its number.
        let error = answer.get(4 + 4 + 2 + topic.len() + 4 + 4..);
        Ok(error.context("a short answer")?.read_i16().await?)
    }

    /// A batch of format 2 that has this record alone.
    fn batch(&self) -> Result<Vec<u8>> {
        let now = milliseconds_of_now();
        let checked = [
            // Attributes, and the distance of the last offset.
            &[0; 2 + 4][..],
            &now,
            &now,
            // No producer with its epoch and sequence.
            &[0xFF; 8 + 2 + 4],
            &1i32.to_be_bytes(),
            &self.encoded()?,
        ]
        .concat();
        let rest = [
            // The leader's epoch, which is not known, and the format.
            &(-1i32).to_be_bytes()[..],
            &[2],
            &crc32c(&checked).to_be_bytes(),
            &checked,
        ];
        Ok([&[0; 8][..], &sized(&rest.concat())?].concat())
    }

    fn encoded(&self) -> Result<Vec<u8>> {
        // Attributes, and the distances of time and offset.
        let mut bytes = vec![0; 3];
        bytes.extend(counted(&self.key)?);
        bytes.extend(counted(&self.value)?);
        bytes.extend(varint(self.headers.len())?);
        for (name, value) in &self.headers {
            bytes.extend(counted(name)?);
            bytes.extend(counted(value)?);
        }
        counted(&bytes)
    }
}

fn milliseconds_of_now() -> [u8; 8] {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    i64::try_from(since.as_millis())
        .unwrap_or_default()
        .to_be_bytes()
}

fn sized(bytes: &[u8]) -> Result<Vec<u8>> {
    let length = i32::try_from(bytes.len())?;
    Ok([&length.to_be_bytes(), bytes].concat())
}

fn counted(bytes: &[u8]) -> Result<Vec<u8>> {
    Ok([&varint(bytes.len())?[..], bytes].concat())
}

/// Seven bits a byte, the sign in the lowest bit of the first.
fn varint(length: usize) -> Result<Vec<u8>> {
    let mut left = u32::try_from(length)? << 1;
    let mut bytes = Vec::new();
    while left >= 0x80 {
        let [low, ..] = left.to_le_bytes();
        bytes.push(low | 0x80);
        left >>= 7;
    }
    let [low, ..] = left.to_le_bytes();
    bytes.push(low);
    Ok(bytes)
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
