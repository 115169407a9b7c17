#![doc = include_str!("../README.md")]
#![deny(clippy::mod_module_files)]

mod args;
pub use args::DatabaseArgs;

mod last_answer;
pub use last_answer::give_back;

mod patience;

mod pool;
mod read_only;
pub use pool::{ACQUIRE_TIMEOUT, connect, connect_planning};

mod migrate;
pub use migrate::migrate;

mod answers;
pub use answers::Answers;

mod check;
pub use check::{check, check_tables};

mod limit;
pub use limit::within_limit;

mod sessions;
pub use sessions::{Session, Sessions};

mod outage;
pub use outage::{Speaks, is_outage, speaks};
