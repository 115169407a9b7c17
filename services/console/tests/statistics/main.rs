//! What is made of the numbers that RabbitMQ tells: ages, sentences and the last minutes.

mod ages;
mod broker;
mod history;
mod sentences;
#[path = "../support/mod.rs"]
mod support;
mod watched;
