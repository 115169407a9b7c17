use std::borrow::Cow;

use super::check::{Bytes, Unreadable, check};
use crate::rabbitmq::connection::FRAME_BYTES;

/// Header of a message whose properties lapin cannot read: why it cannot.
pub(in crate::rabbitmq) const BECAUSE: &str = "unreadable-because";
/// Header of such a message: the bytes of its properties, as far as they fit into a frame.
const PROPERTIES: &str = "unreadable-properties";

/// Type, channel and length, in front of every frame.
pub(super) const HEAD: usize = 7;
/// The byte behind every frame.
const END: u8 = 0xCE;
pub(super) const METHOD: u8 = 1;
pub(super) const HEADER: u8 = 2;

/// Class, weight and body size, in front of the properties in a content header.
const FIXED: usize = 12;
/// The flags of properties that consist of headers alone.
const ONLY_HEADERS: [u8; 2] = [0x20, 0];
/// Class and method of `basic.deliver`.
pub(super) const DELIVER: [u8; 4] = [0, 60, 0, 60];

/// More of what cannot be read is not passed on. The rest of the frame is for names and lengths.
const LONGEST: usize = FRAME_BYTES as usize - 1024;

/// The same frame as lapin can read it. A frame that its parser refuses would end the connection and, since
/// the message stays in its queue, the next connection too.
///
/// Properties that cannot be read are replaced by the headers [`BECAUSE`] and [`PROPERTIES`]. In the names of
/// exchange and routing key, which nobody needs to handle a message, question marks stand for what is not
/// UTF-8.
pub(super) fn readable(frame: &[u8]) -> Cow<'_, [u8]> {
    let payload = &frame[HEAD..frame.len() - 1];
    match frame[0] {
        HEADER => {
            let Some((fixed, properties)) = payload.split_at_checked(FIXED) else {
                return frame.into();
            };
            match check(properties, frame.len()) {
                Ok(()) => frame.into(),
                Err(why) => marked(&frame[1..3], fixed, properties, why).into(),
            }
        }
        METHOD if payload.starts_with(&DELIVER) => {
            let mut names = Bytes(&payload[DELIVER.len()..]);
            // Consumer tag, delivery tag, redelivered.
            let skipped = names.short().and_then(|_| names.take(9));
            let mut mended = Cow::from(frame);
            for _ in 0..2 {
                if skipped.is_ok()
                    && let Ok(name) = names.short()
                    && std::str::from_utf8(name).is_err()
                {
                    let end = frame.len() - 1 - names.0.len();
                    for byte in &mut mended.to_mut()[end - name.len()..end] {
                        if !byte.is_ascii() {
                            *byte = b'?';
                        }
                    }
                }
            }
            mended
        }
        _ => frame.into(),
    }
}

fn marked(channel: &[u8], fixed: &[u8], properties: &[u8], why: Unreadable) -> Vec<u8> {
    let kept = &properties[..properties.len().min(LONGEST)];
    let mut table = Vec::with_capacity(kept.len() + 512);
    for (name, kind, value) in [
        (BECAUSE, b'S', why.to_string().as_bytes()),
        (PROPERTIES, b'x', kept),
    ] {
        table.push(u8::try_from(name.len()).unwrap_or_default());
        table.extend_from_slice(name.as_bytes());
        table.push(kind);
        push_long(&mut table, value);
    }
    let mut payload = [fixed, &ONLY_HEADERS].concat();
    push_long(&mut payload, &table);
    let mut frame = vec![HEADER];
    frame.extend_from_slice(channel);
    push_long(&mut frame, &payload);
    frame.push(END);
    frame
}

/// The bytes and, in front of them, their length, which is that of a frame at most.
fn push_long(to: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or_default();
    to.extend_from_slice(&length.to_be_bytes());
    to.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use amq_protocol::frame::{AMQPFrame, gen_frame, parse_frame};
    use amq_protocol::types::{AMQPValue, FieldTable};
    use fastrand::Rng;
    use lapin::BasicProperties;

    use super::*;

    /// A frame of this type.
    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![kind, 0, 1];
        push_long(&mut frame, payload);
        frame.push(END);
        frame
    }

    /// A content header with something of everything.
    fn header() -> anyhow::Result<Vec<u8>> {
        let mut inner = FieldTable::default();
        inner.insert("price".into(), AMQPValue::Double(1.5));
        let mut table = FieldTable::default();
        for (name, value) in [
            ("text", AMQPValue::LongString("ä".into())),
            ("count", AMQPValue::LongLongInt(1)),
            ("yes", AMQPValue::Boolean(true)),
            ("table", AMQPValue::FieldTable(inner)),
            ("list", AMQPValue::FieldArray(vec![AMQPValue::Void].into())),
        ] {
            table.insert(name.into(), value);
        }
        let properties = BasicProperties::default()
            .with_headers(table)
            .with_message_id("id".into())
            .with_priority(1)
            .with_timestamp(1)
            .with_type("test.parcel.v1".into());
        let header = amq_protocol::frame::AMQPContentHeader {
            class_id: 60,
            body_size: 3,
            properties,
        };
        let frame = AMQPFrame::Header(1, header);
        let (bytes, _) = gen_frame(&frame)(Vec::new().into())?.into_inner();
        Ok(bytes)
    }

    #[test]
    fn whatever_comes_lapin_can_read_it_and_what_it_can_read_stays_as_it_is() -> anyhow::Result<()>
    {
        let original = header()?;
        assert_eq!(readable(&original), original);
        let mut rng = Rng::with_seed(10);
        let mut changed = 0;
        for _ in 0..20_000 {
            let mut bytes = original.clone();
            for _ in 0..rng.usize(1..4) {
                // Neither head nor end: frames as such are whole.
                let at = rng.usize(HEAD..bytes.len() - 1);
                bytes[at] = rng.u8(..);
            }
            let passed = readable(&bytes);
            assert!(parse_frame(&passed[..]).is_ok(), "{bytes:?}");
            assert_eq!(
                passed == bytes,
                parse_frame(&bytes[..]).is_ok(),
                "{bytes:?}"
            );
            changed += i32::from(passed != bytes);
        }
        assert!((1_000..19_000).contains(&changed), "{changed}");
        Ok(())
    }

    #[test]
    fn what_cannot_be_read_is_kept_as_far_as_a_frame_has_room_for_it() {
        let deep = (0..20_000usize).fold(vec![b'V'], |inner, _| {
            let mut outer = vec![b'A'];
            push_long(&mut outer, &inner);
            outer
        });
        let mut deep_table = vec![0];
        deep_table.extend(deep);
        let mut deep = ONLY_HEADERS.to_vec();
        push_long(&mut deep, &deep_table);
        let large = vec![b'x'; 2 * FRAME_BYTES as usize];
        for (properties, reason) in [
            (deep, "headers are nested more than 16 deep"),
            (large, "they take 262144 bytes, more than a frame"),
        ] {
            let bytes = frame(HEADER, &[&[0; FIXED], &properties[..]].concat());
            let passed = readable(&bytes);
            assert!(passed.len() <= FRAME_BYTES as usize);
            assert!(parse_frame(&passed[..]).is_ok(), "{reason}");
            let mut texts = passed.windows(reason.len());
            assert!(texts.any(|text| text == reason.as_bytes()), "{reason}");
        }
    }

    #[test]
    fn names_of_a_delivery_keep_what_is_utf8() {
        let deliver = |exchange: &[u8], key: &[u8]| {
            let mut payload = [&DELIVER[..], &[3], b"tag", &[0; 9]].concat();
            for name in [exchange, key] {
                payload.push(u8::try_from(name.len()).unwrap_or_default());
                payload.extend_from_slice(name);
            }
            frame(METHOD, &payload)
        };
        let fine = deliver("ä".repeat(100).as_bytes(), b"key");
        assert_eq!(readable(&fine), fine);
        assert_eq!(readable(&deliver(b"a\xFF", b"")), deliver(b"a?", b""));
        let long = [0xE4; 255];
        assert_eq!(
            readable(&deliver(b"ok", &long)),
            deliver(b"ok", &[b'?'; 255])
        );
    }
}
