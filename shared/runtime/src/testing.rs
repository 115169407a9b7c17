//! For the tests of services: the requests that their OpenAPI documents promise to take.
//!
//! Behind the cargo feature `testing`. A test reads the published document, sends what it allows to the
//! router, and finds out whether the document tells the truth:
//!
//! ```
//! # fn main() -> anyhow::Result<()> {
//! use runtime::testing::{Operation, Values};
//!
//! let document = serde_json::json!({"paths": {"/baskets/{number}": {"get": {"parameters": [
//!     {"name": "number", "in": "path", "required": true, "schema": {"type": "integer", "minimum": 1, "maximum": 9}},
//! ]}}}});
//! for operation in Operation::all(&document)? {
//!     let call = operation.generated(&Values::default())?;
//!     assert!(call.uri.starts_with("/baskets/"));
//! }
//! # Ok(())
//! # }
//! ```

mod operation;
pub use operation::{Call, Operation};

mod values;
pub use values::Values;
