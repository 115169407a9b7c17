use std::collections::HashMap;

use super::check::Bytes;
use super::readable::{DELIVER, HEAD, HEADER, METHOD};

/// How many bytes of messages may have come and not be done. The next one is let in as a whole, so that there is
/// always something to do.
pub(super) const LIMIT: u64 = 8 * 1024 * 1024;

/// The type of frames with bytes of a message.
const BODY: u8 = 3;

// Class and method.
const CONNECTION_CLOSE: [u8; 4] = [0, 10, 0, 50];
const CHANNEL_OPEN: [u8; 4] = [0, 20, 0, 10];
const CHANNEL_CLOSE: [u8; 4] = [0, 20, 0, 40];
const CHANNEL_CLOSE_OK: [u8; 4] = [0, 20, 0, 41];
const CONSUME: [u8; 4] = [0, 60, 0, 20];
const CANCEL: [u8; 4] = [0, 60, 0, 30];
const ACK: [u8; 4] = [0, 60, 0, 80];
const REJECT: [u8; 4] = [0, 60, 0, 90];
const NACK: [u8; 4] = [0, 60, 0, 120];
/// The bit of [`CONSUME`] that says that nothing is acknowledged.
const NO_ACK: u8 = 2;

/// What a broker has delivered over a connection, and what was acknowledged of it: a prefetch in bytes, which RabbitMQ
/// does not have.
#[derive(Default)]
pub(super) struct Undone {
    channels: HashMap<u16, Channel>,
    bytes: u64,
    /// Messages of which a part is here.
    unfinished: usize,
    /// Everything up to the last answer is read.
    is_closing: bool,
}

/// In AMQP a channel has its own delivery tags, and here it has one consumer.
#[derive(Default)]
struct Channel {
    /// Tags and sizes.
    deliveries: Vec<(u64, u64)>,
    /// The delivery whose content is next.
    announced: Option<u64>,
    /// How many bytes of the present message are still to come.
    missing: u64,
    /// The broker does not wait for acknowledgements.
    no_ack: bool,
    /// Nobody wants more of it, and what comes all the same is delivered again.
    is_cancelled: bool,
    /// The present message is kept away.
    is_kept_away: bool,
}

impl Undone {
    /// Whether nothing more should be read. Not in the middle of a message, which could else never be done.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= LIMIT && self.unfinished == 0 && !self.is_closing
    }

    /// Takes note of a frame from the broker, of which a body need not be there. Answers whether it should be seen.
    pub(super) fn arrives(&mut self, frame: &[u8]) -> bool {
        let id = channel_of(frame);
        match frame[0] {
            METHOD => return self.method_arrives(id, payload_of(frame)),
            HEADER => self.header_arrives(id, payload_of(frame)),
            BODY => self.body_arrives(id, length_of(frame)),
            _ => return true,
        }
        let channel = self.channels.get(&id);
        !channel.is_some_and(|channel| channel.is_kept_away)
    }

    /// Takes note of a method for the broker.
    pub(super) fn leaves(&mut self, frame: &[u8]) {
        let id = channel_of(frame);
        let Some((method, arguments)) = payload_of(frame).split_first_chunk::<4>() else {
            return;
        };
        match *method {
            CONNECTION_CLOSE => self.is_closing = true,
            CHANNEL_OPEN => self.forget(id),
            CHANNEL_CLOSE | CANCEL => self.cancel(id),
            CONSUME => {
                let channel = self.channels.entry(id).or_default();
                channel.no_ack = is_without_acks(arguments);
                channel.is_cancelled = false;
            }
            ACK | NACK => {
                let is_multiple = arguments.get(8).is_some_and(|bits| bits & 1 == 1);
                self.settle(id, arguments, is_multiple);
            }
            REJECT => self.settle(id, arguments, false),
            _ => {}
        }
    }

    fn method_arrives(&mut self, id: u16, payload: &[u8]) -> bool {
        if payload.starts_with(&CHANNEL_CLOSE) || payload.starts_with(&CHANNEL_CLOSE_OK) {
            self.forget(id);
            return true;
        }
        let tag = delivery_tag(payload);
        let channel = match tag {
            Some(_) => self.channels.entry(id).or_default(),
            None => match self.channels.get_mut(&id) {
                Some(channel) => channel,
                None => return true,
            },
        };
        channel.is_kept_away = tag.is_some() && channel.is_cancelled;
        channel.announced = tag.filter(|_| !channel.is_kept_away && !channel.no_ack);
        !channel.is_kept_away
    }

    fn header_arrives(&mut self, id: u16, payload: &[u8]) {
        // Behind class and weight.
        let size = payload.get(4..).and_then(|rest| rest.first_chunk::<8>());
        let size = size.map_or(0, |size| u64::from_be_bytes(*size));
        if let Some(channel) = self.channels.get_mut(&id)
            && let Some(tag) = channel.announced.take()
        {
            channel.deliveries.push((tag, size));
            channel.missing = size;
            self.bytes = self.bytes.saturating_add(size);
            self.unfinished += usize::from(size > 0);
        }
    }

    fn body_arrives(&mut self, id: u16, length: u64) {
        if let Some(channel) = self.channels.get_mut(&id)
            && channel.missing > 0
            && !channel.is_kept_away
        {
            channel.missing = channel.missing.saturating_sub(length);
            self.unfinished -= usize::from(channel.missing == 0);
        }
    }

    fn settle(&mut self, id: u16, arguments: &[u8], is_multiple: bool) {
        let (Some(channel), Some(tag)) = (self.channels.get_mut(&id), arguments.first_chunk::<8>())
        else {
            return;
        };
        // With `multiple`, 0 stands for all of them.
        let tag = u64::from_be_bytes(*tag);
        let is_settled = |delivery: u64| match is_multiple {
            true => delivery <= tag || tag == 0,
            false => delivery == tag,
        };
        let settled = channel.deliveries.iter();
        let settled = settled.filter(|(delivery, _)| is_settled(*delivery));
        let bytes: u64 = settled.map(|(_, size)| size).sum();
        channel
            .deliveries
            .retain(|(delivery, _)| !is_settled(*delivery));
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// What was delivered there counts no more, so that the answer to this is read.
    fn cancel(&mut self, id: u16) {
        let channel = self.channels.entry(id).or_default();
        channel.is_cancelled = true;
        let bytes: u64 = channel.deliveries.drain(..).map(|(_, size)| size).sum();
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    fn forget(&mut self, id: u16) {
        self.cancel(id);
        if let Some(channel) = self.channels.remove(&id) {
            self.unfinished -= usize::from(channel.missing > 0);
        }
    }
}

fn channel_of(frame: &[u8]) -> u16 {
    u16::from_be_bytes([frame[1], frame[2]])
}

fn length_of(frame: &[u8]) -> u64 {
    u32::from_be_bytes([frame[3], frame[4], frame[5], frame[6]]).into()
}

fn payload_of(frame: &[u8]) -> &[u8] {
    &frame[HEAD..frame.len() - 1]
}

/// Of a delivery.
fn delivery_tag(payload: &[u8]) -> Option<u64> {
    let mut arguments = Bytes(payload.strip_prefix(&DELIVER)?);
    // The consumer tag comes first.
    arguments.short().ok()?;
    let tag = arguments.0.first_chunk::<8>()?;
    Some(u64::from_be_bytes(*tag))
}

/// By the arguments of [`CONSUME`].
fn is_without_acks(arguments: &[u8]) -> bool {
    let mut arguments = Bytes(arguments);
    // Two bytes that are reserved, queue, consumer tag.
    let names = arguments.take(2).and_then(|_| arguments.short());
    let names = names.and_then(|_| arguments.short());
    names.is_ok() && arguments.0.first().is_some_and(|bits| bits & NO_ACK != 0)
}

#[cfg(test)]
mod tests;
