//! What several tests of the running system need.

pub(crate) mod broken;
pub(crate) mod command_line;
pub(crate) mod customers;
pub(crate) mod database;
pub(crate) mod failed;
pub(crate) mod help;
pub(crate) mod job;
pub(crate) mod overlay;
pub(crate) mod poisoned;
pub(crate) mod prometheus;
pub(crate) mod raw;
pub(crate) mod unreadable;
