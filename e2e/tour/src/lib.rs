//! The guided tour behind the binary `tour` and `./dev tour`.
//!
//! Eleven short [`STEPS`] through the running system. Each says what to look at, does one thing and shows
//! the figures that resulted, as the gateway, the brokers, `/metrics`, the mail catcher and the console tell them.
//!
//! However a step ends, [`Ground::put_back`] leaves the system as it was: as many instances as before,
//! the orders of the step cancelled and their stock back on the shelf, no command waiting, no dead
//! letter of the step left. What happened is history and stays: orders and e-mails.

mod broker;
mod ground;
mod screen;
mod steps;
mod story;

pub use ground::Ground;
pub use screen::Screen;
pub use steps::{STEPS, Step, step};
