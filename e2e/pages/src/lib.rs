//! What is written, checked by what is written: needs no running system and no broker client.
//!
//! - [`claims`] checks what the READMEs and `docs/` say.
//! - [`architecture`] checks that services know nothing of each other.

pub mod architecture;
pub mod claims;
