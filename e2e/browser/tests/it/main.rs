//! The console's page in a browser, on the running system that `./dev test browser` starts.

mod away;
mod everybody;
mod first_look;
mod flash_sale;
mod guards;
mod held;
mod letters;
mod orders;
mod paused;
mod stock;
mod stuck;

mod support;

/// The product whose stock nobody counts.
const ANYTHING: &str = "KAYAK-SOLO";
