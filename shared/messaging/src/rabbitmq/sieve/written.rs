use super::frames::whole;
use super::readable::{HEAD, METHOD};
use super::undone::Undone;

/// What a connection begins with: `AMQP` and a version, which are no frame.
const GREETING: usize = 8;

/// Finds the methods in a stream of bytes for the broker.
pub(super) struct Written {
    /// The beginning of a frame, until it is there as a whole.
    held: Vec<u8>,
    /// How much is of no interest.
    skipping: usize,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            held: Vec::new(),
            skipping: GREETING,
        }
    }
}

impl Written {
    /// Takes note of the next bytes of the stream.
    pub(super) fn note(&mut self, mut bytes: &[u8], undone: &mut Undone) {
        while !bytes.is_empty() {
            let wanted = match (self.skipping, self.held.len()) {
                (0, held @ ..HEAD) => HEAD - held,
                (0, held) => whole(&self.held) - held,
                (skipping, _) => skipping,
            };
            let (part, rest) = bytes.split_at(wanted.min(bytes.len()));
            bytes = rest;
            if self.skipping > 0 {
                self.skipping -= part.len();
                continue;
            }
            self.held.extend_from_slice(part);
            if self.held.len() == HEAD && self.held[0] != METHOD {
                self.skipping = whole(&self.held) - HEAD;
                self.held.clear();
            } else if self.held.len() > HEAD && self.held.len() == whole(&self.held) {
                undone.leaves(&self.held);
                self.held.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A consumer is cancelled on channel 1, in whatever pieces that is written, behind what is of no interest.
    #[test]
    fn methods_are_found_in_whatever_pieces_they_are_written() {
        let stream = [
            &b"AMQP\0\0\x09\x01"[..],
            &[3, 0, 1, 0, 0, 0, 3, METHOD, METHOD, METHOD, 0xCE],
            &[8, 0, 0, 0, 0, 0, 0, 0xCE],
            &[METHOD, 0, 1, 0, 0, 0, 4, 0, 60, 0, 30, 0xCE],
        ]
        .concat();
        let delivery = [
            &[METHOD, 0, 1, 0, 0, 0, 17, 0, 60, 0, 60, 1, b'c'][..],
            &[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0xCE],
        ]
        .concat();
        for size in 1..=stream.len() {
            let (mut written, mut undone) = (Written::default(), Undone::default());
            assert!(undone.arrives(&delivery));
            for piece in stream.chunks(size) {
                written.note(piece, &mut undone);
            }
            assert!(!undone.arrives(&delivery), "in pieces of {size}");
        }
    }
}
