use crate::rabbitmq::connection::FRAME_BYTES;

/// lapin's parser descends into tables in tables; a frame has room for more of them than the stack of its
/// thread.
const DEEPEST: usize = 16;

/// Why the properties of a message cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("the name of a header or another short text is not UTF-8")]
    NotUtf8,
    #[error("a header is of the unknown type {0:#04x}")]
    UnknownType(u8),
    #[error("headers are nested more than {DEEPEST} deep")]
    TooDeep,
    #[error("they end too early")]
    Short,
    #[error("something follows behind their end")]
    Long,
    #[error("they take {0} bytes, more than a frame")]
    TooLarge(usize),
}

/// Whether lapin can read these properties of a frame of this length.
pub(super) fn check(properties: &[u8], frame: usize) -> Result<(), Unreadable> {
    if frame > FRAME_BYTES as usize {
        return Err(Unreadable::TooLarge(properties.len()));
    }
    let mut bytes = Bytes(properties);
    let flags = bytes.take(2)?;
    let flags = u16::from_be_bytes([flags[0], flags[1]]);
    // From the highest bit on, in the order of the specification.
    for (bit, kind) in (0u16..).zip(b"ssFoossssTssss") {
        if flags & (0x8000 >> bit) != 0 {
            match kind {
                b's' => bytes.text()?,
                b'F' => bytes.table(0)?,
                b'o' => bytes.take(1).map(drop)?,
                _ => bytes.take(8).map(drop)?,
            }
        }
    }
    bytes.0.is_empty().then_some(()).ok_or(Unreadable::Long)
}

/// What is left to read.
pub(super) struct Bytes<'b>(pub(super) &'b [u8]);

impl<'b> Bytes<'b> {
    pub(super) fn take(&mut self, count: usize) -> Result<&'b [u8], Unreadable> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Unreadable::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn short(&mut self) -> Result<&'b [u8], Unreadable> {
        let length = self.take(1)?[0];
        self.take(length.into())
    }

    fn long(&mut self) -> Result<&'b [u8], Unreadable> {
        let length = self.take(4)?;
        let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]);
        self.take(usize::try_from(length).map_err(|_| Unreadable::Short)?)
    }

    fn text(&mut self) -> Result<(), Unreadable> {
        let text = std::str::from_utf8(self.short()?);
        text.map(drop).map_err(|_| Unreadable::NotUtf8)
    }

    fn table(&mut self, depth: usize) -> Result<(), Unreadable> {
        let mut entries = Bytes(self.long()?);
        while !entries.0.is_empty() {
            entries.text()?;
            entries.value(depth)?;
        }
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<(), Unreadable> {
        let mut values = Bytes(self.long()?);
        while !values.0.is_empty() {
            values.value(depth)?;
        }
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<(), Unreadable> {
        if depth > DEEPEST {
            return Err(Unreadable::TooDeep);
        }
        let length = match self.take(1)?[0] {
            b'F' => return self.table(depth + 1),
            b'A' => return self.array(depth + 1),
            b'S' | b'x' => return self.long().map(drop),
            b'V' => 0,
            b't' | b'b' | b'B' => 1,
            b's' | b'U' | b'u' => 2,
            b'I' | b'i' | b'f' => 4,
            b'D' => 5,
            b'L' | b'l' | b'd' | b'T' => 8,
            unknown => return Err(Unreadable::UnknownType(unknown)),
        };
        self.take(length).map(drop)
    }
}
