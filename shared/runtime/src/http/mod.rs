//! The HTTP edge that all services share.
//!
//! [`app`] puts a service's routes between problem answers, limits and telemetry, and adds the
//! operational routes; [`serve`] listens. Handlers take their input through [`Json`], [`Valid`],
//! [`Path`] and [`Query`], which refuse bad input with a [`Problem`] that names the field, and return
//! `Result<_, Problem>`.

mod app;
pub use app::{BODY_LIMIT, REQUEST_TIMEOUT, app, openapi, serve};

mod extract;
pub use extract::{Json, Path, Query, Valid};

mod problem;
pub use problem::{FieldError, Problem};

mod docs;
mod observe;
