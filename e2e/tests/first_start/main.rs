//! The first start on a machine that nobody knows: every way to a wrong one ends in one clear line.

mod containers;
mod decisions;
mod fake;
mod observe;
