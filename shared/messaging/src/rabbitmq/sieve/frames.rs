use super::readable::{HEAD, HEADER, METHOD, readable};
use super::undone::Undone;

/// Cuts a stream of bytes into frames.
#[derive(Default)]
pub(super) struct Frames {
    /// The beginning of a frame, until it is there as a whole.
    held: Vec<u8>,
    /// How much of the present frame is passed on as it comes, because nobody but us chose its bytes or
    /// because nobody reads them.
    passing: usize,
    /// The present frame is kept away instead.
    is_kept_away: bool,
}

impl Frames {
    /// Takes the next bytes of the stream, up to the end of a frame, and adds what can be passed on to `passed`.
    /// Answers how many it took.
    pub(super) fn pass(
        &mut self,
        bytes: &[u8],
        passed: &mut Vec<u8>,
        undone: &mut Undone,
    ) -> usize {
        let mut left = bytes;
        while !left.is_empty() {
            let wanted = match (self.passing, self.held.len()) {
                (0, held @ ..HEAD) => HEAD - held,
                (0, held) => whole(&self.held) - held,
                (passing, _) => passing,
            };
            let (part, rest) = left.split_at(wanted.min(left.len()));
            left = rest;
            if self.passing > 0 {
                if !self.is_kept_away {
                    passed.extend_from_slice(part);
                }
                self.passing -= part.len();
                if self.passing == 0 {
                    break;
                }
                continue;
            }
            self.held.extend_from_slice(part);
            if self.held.len() == HEAD && ![METHOD, HEADER].contains(&self.held[0]) {
                self.passing = whole(&self.held) - HEAD;
                self.is_kept_away = !undone.arrives(&self.held);
                if !self.is_kept_away {
                    passed.extend_from_slice(&self.held);
                }
                self.held.clear();
            } else if self.held.len() > HEAD && self.held.len() == whole(&self.held) {
                if undone.arrives(&self.held) {
                    passed.extend_from_slice(&readable(&self.held));
                }
                self.held.clear();
                break;
            }
        }
        bytes.len() - left.len()
    }

    /// Whether the next byte begins a frame.
    pub(super) fn is_between(&self) -> bool {
        self.passing == 0 && self.held.is_empty()
    }
}

/// The length of a frame, by its head, with the byte behind it.
pub(super) fn whole(head: &[u8]) -> usize {
    let length = head[3..HEAD]
        .iter()
        .fold(0, |length, byte| length << 8 | usize::from(*byte));
    HEAD + length + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of a stream that comes in pieces of this size.
    fn passed(stream: &[u8], size: usize) -> Vec<u8> {
        let (mut frames, mut undone) = (Frames::default(), Undone::default());
        let mut passed = Vec::new();
        for mut piece in stream.chunks(size) {
            while !piece.is_empty() {
                let taken = frames.pass(piece, &mut passed, &mut undone);
                piece = &piece[taken..];
            }
        }
        passed
    }

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
            assert_eq!(passed(&stream, size), stream, "in pieces of {size}");
        }
    }

    #[test]
    fn what_is_no_frame_passes_as_it_is() {
        let greeting = b"AMQP\0\0\x09\x01";
        assert_eq!(passed(greeting, greeting.len()), greeting);
    }
}
