//! The page, its event stream and its API on a real database, without brokers.

mod admin;
mod controls;
mod documented;
mod guard;
mod history;
mod orders;
mod page;
mod stream;
#[path = "../support/mod.rs"]
mod support;
mod timeline;
