use super::*;

/// More than a few of these are too many.
const LARGE: u64 = LIMIT / 2;

#[test]
fn nothing_more_is_read_until_enough_is_acknowledged() {
    let mut undone = Undone::default();
    for tag in 1..=3 {
        assert!(deliver(&mut undone, 1, tag, LARGE));
    }
    assert!(undone.is_full());
    undone.leaves(&ack(1, 1, 0));
    assert!(undone.is_full());
    undone.leaves(&ack(1, 2, 0));
    assert!(!undone.is_full());
    // Another channel has its own tags.
    deliver(&mut undone, 2, 3, LARGE);
    assert!(undone.is_full());
    undone.leaves(&ack(2, 3, 1));
    assert!(!undone.is_full());
    undone.leaves(&ack(1, 3, 1));
    assert_eq!(undone.bytes, 0);
}

#[test]
fn a_message_is_let_in_as_a_whole() {
    let mut undone = Undone::default();
    announce(&mut undone, 1, 1, 3 * LIMIT);
    undone.arrives(&body(1, 2 * LIMIT));
    assert!(!undone.is_full());
    undone.arrives(&body(1, LIMIT));
    assert!(undone.is_full());
    undone.leaves(&frame(
        1,
        &[&REJECT[..], &1u64.to_be_bytes(), &[0]].concat(),
    ));
    assert!(!undone.is_full());
}

#[test]
fn what_nobody_acknowledges_does_not_count() {
    let mut undone = Undone::default();
    let arguments = [&CONSUME[..], &[0, 0, 1, b'q', 0, NO_ACK, 0, 0, 0, 0]].concat();
    undone.leaves(&frame(1, &arguments));
    for tag in 1..=3 {
        assert!(deliver(&mut undone, 1, tag, LARGE));
    }
    assert_eq!((undone.bytes, undone.unfinished), (0, 0));
    // The same with acknowledgements.
    let arguments = [&CONSUME[..], &[0, 0, 1, b'q', 0, 0, 0, 0, 0, 0]].concat();
    undone.leaves(&frame(2, &arguments));
    deliver(&mut undone, 2, 1, LARGE);
    assert_eq!(undone.bytes, LARGE);
}

#[test]
fn what_comes_after_a_consumer_was_cancelled_is_kept_away() {
    let mut undone = Undone::default();
    for tag in 1..=2 {
        deliver(&mut undone, 1, tag, LARGE);
    }
    assert!(undone.is_full());
    undone.leaves(&frame(1, &CANCEL));
    assert!(!undone.is_full());
    assert!(!deliver(&mut undone, 1, 3, LARGE));
    // The answers are seen.
    assert!(undone.arrives(&frame(1, &[0, 60, 0, 31])));
    assert!(undone.arrives(&frame(1, &CHANNEL_CLOSE_OK)));
    // The next channel of this number is another one.
    undone.leaves(&frame(1, &CHANNEL_OPEN));
    assert!(deliver(&mut undone, 1, 1, LARGE));
    assert_eq!(undone.bytes, LARGE);
}

#[test]
fn a_channel_that_the_broker_closes_is_forgotten() {
    let mut undone = Undone::default();
    deliver(&mut undone, 1, 1, LIMIT);
    announce(&mut undone, 1, 2, LIMIT);
    undone.arrives(&frame(1, &CHANNEL_CLOSE));
    assert_eq!((undone.bytes, undone.unfinished), (0, 0));
}

#[test]
fn the_end_of_a_connection_is_read() {
    let mut undone = Undone::default();
    deliver(&mut undone, 1, 1, LIMIT);
    assert!(undone.is_full());
    undone.leaves(&frame(0, &CONNECTION_CLOSE));
    assert!(!undone.is_full());
}

#[test]
fn frames_that_make_no_sense_are_seen() {
    let mut undone = Undone::default();
    for payload in [&[0u8; 0][..], &[0], &DELIVER, &ACK, &CONSUME] {
        assert!(undone.arrives(&frame(1, payload)));
        undone.leaves(&frame(1, payload));
    }
    assert!(undone.arrives(&[HEADER, 0, 1, 0, 0, 0, 0, 0xCE]));
    assert!(undone.arrives(&body(1, 1)));
    assert!(!undone.is_full());
}

/// A message as a whole; answers whether all of it is seen, or nothing.
fn deliver(undone: &mut Undone, channel: u8, tag: u64, size: u64) -> bool {
    let announced = announce(undone, channel, tag, size);
    let half = size / 2;
    let parts = [half, size - half].map(|part| undone.arrives(&body(channel, part)));
    assert_eq!(parts, [announced; 2]);
    announced
}

/// The beginning of a message.
fn announce(undone: &mut Undone, channel: u8, tag: u64, size: u64) -> bool {
    let tag = tag.to_be_bytes();
    let method = [&DELIVER[..], &[1, b'c'], &tag, &[0, 0, 0]].concat();
    let method = undone.arrives(&frame(channel, &method));
    let content = [&[0, 60, 0, 0][..], &size.to_be_bytes(), &[0, 0]].concat();
    let mut header = frame(channel, &content);
    header[0] = HEADER;
    assert_eq!(undone.arrives(&header), method);
    method
}

/// The head of a frame.
fn body(channel: u8, length: u64) -> Vec<u8> {
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    [&[BODY, 0, channel][..], &length.to_be_bytes()].concat()
}

fn ack(channel: u8, tag: u64, multiple: u8) -> Vec<u8> {
    frame(
        channel,
        &[&ACK[..], &tag.to_be_bytes(), &[multiple]].concat(),
    )
}

/// A frame with a method.
fn frame(channel: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or_default();
    [
        &[METHOD, 0, channel][..],
        &length.to_be_bytes(),
        payload,
        &[0xCE],
    ]
    .concat()
}
