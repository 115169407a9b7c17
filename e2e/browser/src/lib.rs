//! The console's page in a real browser, headless Chromium.
//!
//! [`in_a_browser`] gives a test a [`Page`] in a new profile. Afterwards it asserts what holds on every page: no
//! error in the console, nothing that the content security policy had to stop, no request to another host.
//!
//! `./dev test browser` installs the browser and fetches axe-core before it runs the tests.

mod accessible;
mod driver;
mod keyboard;
mod look;
mod page;
mod record;
mod tabs;
mod view;
mod visit;

pub use look::{Language, Look, Theme};
pub use page::Page;
pub use record::{Record, Request};
pub use view::View;
pub use visit::{in_a_browser, in_a_browser_at};
