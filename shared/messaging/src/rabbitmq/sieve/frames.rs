use super::readable::{HEAD, HEADER, METHOD, readable};

/// Cuts a stream of bytes into frames.
#[derive(Default)]
pub(super) struct Frames {
    /// The beginning of a frame, until it is there as a whole.
    held: Vec<u8>,
    /// How much of the present frame is passed on as it comes, because nobody but us chose its bytes or
    /// because nobody reads them.
    passing: usize,
}

impl Frames {
    /// Takes the next bytes of the stream, and adds what can be passed on to `passed`.
    pub(super) fn pass(&mut self, mut bytes: &[u8], passed: &mut Vec<u8>) {
        while !bytes.is_empty() {
            let (wanted, to) = match (self.passing, self.held.len()) {
                (0, ..HEAD) => (HEAD - self.held.len(), &mut self.held),
                (0, held) => (whole(&self.held) - held, &mut self.held),
                (passing, _) => (passing, &mut *passed),
            };
            let (part, rest) = bytes.split_at(wanted.min(bytes.len()));
            to.extend_from_slice(part);
            bytes = rest;
            if self.passing > 0 {
                self.passing -= part.len();
            } else if self.held.len() == HEAD && ![METHOD, HEADER].contains(&self.held[0]) {
                self.passing = whole(&self.held) - HEAD;
                passed.append(&mut self.held);
            } else if self.held.len() > HEAD && self.held.len() == whole(&self.held) {
                passed.extend_from_slice(&readable(&self.held));
                self.held.clear();
            }
        }
    }
}

/// The length of a frame, by its head, with the byte behind it.
fn whole(head: &[u8]) -> usize {
    let length = head[3..HEAD]
        .iter()
        .fold(0, |length, byte| length << 8 | usize::from(*byte));
    HEAD + length + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame of this type.
    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap_or_default();
        [&[kind, 0, 1][..], &length.to_be_bytes(), payload, &[0xCE]].concat()
    }

    #[test]
    fn a_stream_is_passed_on_in_whatever_pieces_it_comes() {
        let header = [
            &[0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3][..],
            &[0, 0x80, 2, b'i', b'd'],
        ]
        .concat();
        let frames = [
            frame(METHOD, &[0, 10, 0, 10, 1, 2, 3]),
            frame(8, &[]),
            frame(METHOD, &[]),
            frame(HEADER, &header),
            frame(3, b"\xFF\xFE\xFD"),
            frame(HEADER, &[]),
        ];
        let stream = frames.concat();
        for size in 1..=stream.len() {
            let (mut cut, mut passed) = (Frames::default(), Vec::new());
            for piece in stream.chunks(size) {
                cut.pass(piece, &mut passed);
            }
            assert_eq!(passed, stream, "in pieces of {size}");
        }
    }

    #[test]
    fn what_is_no_frame_passes_as_it_is() {
        let (mut cut, mut passed) = (Frames::default(), Vec::new());
        cut.pass(b"AMQP\0\0\x09\x01", &mut passed);
        assert_eq!(passed, b"AMQP\0\0\x09\x01");
    }
}
