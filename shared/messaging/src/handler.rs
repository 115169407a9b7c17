//! What a service author writes, and what it is given.
//!
//! This room promises that the effect of a handler, its inbox entry and what it publishes commit
//! together or not at all, and that a handler never sees an acknowledgement or an offset. A handler
//! may be called again for a message whose transaction did not commit, so anything that it does
//! outside of the transaction has to bear repetition. What does not bear it belongs into an
//! [`EffectHandler`].

mod batch;
mod effect;
mod one;
mod received;

mod failure;
mod tx;

pub use batch::BatchHandler;
pub use effect::{EffectHandler, NotPerformed};
pub use failure::Failure;
pub use one::Handler;
pub use received::{Position, Received};
pub use tx::Tx;
