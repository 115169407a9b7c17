//! What ScaledObjects say, and the rule by which they are obeyed. No system has to run.

mod objects;
mod refused;
mod rule;
mod support;
