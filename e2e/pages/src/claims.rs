//! Whether the READMEs and `docs/` say what is so.
//!
//! - [`broken_links`]: every link leads to a file, and where it names a heading or an identifier, that
//!   is in the file; every `./dev` command and every example that is named is there.
//! - [`differences`]: a page and its translation have the same headings, code, links and figures.
//! - [`console`] and [`Shown`]: what stands in a block marked `console` runs as written and prints what the
//!   block shows. Blocks marked otherwise (`sh`, `text`, `mermaid`) are not run.
//!
//! Each finding is a sentence for people.

mod console;
mod links;
mod page;
mod twins;

pub use console::{Command, Shown, console};
pub use links::broken_links;
pub use page::{Block, Link, Page, Section};
pub use twins::differences;
