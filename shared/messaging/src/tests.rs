//! What tests of several rooms share.

pub(crate) use crate::testing::buffers;
