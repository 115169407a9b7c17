//! The dead-letter office: what could not be handled is kept, mended and given back to the consumer that failed.

mod about;
pub use about::{About, searched};

mod keep;
pub use keep::Office;

mod pattern;
pub use pattern::pattern;

mod changes;
pub use changes::{Change, changes};

mod check;
pub use check::{Wrong, check, types_of};

mod next;
mod replaying;
pub use replaying::Replaying;
