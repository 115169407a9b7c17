//! The rules that turn samples of the brokers into numbers and sentences. No I/O, and no clock but the one
//! that is passed in.

mod age;
mod flow;
mod forecast;
mod rate;
mod reason;

pub use age::Age;
pub use flow::{Arrival, Flow, Saved};
pub use forecast::{Forecast, forecast};
pub use rate::Rate;
pub use reason::{Asked, Place, Reason, Watched, reasons};
