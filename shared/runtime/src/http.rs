//! The HTTP edge that all services share.
//!
//! [`app`] puts a service's routes between problem answers, limits, telemetry and a guard against pages of
//! other sites, and adds the operational routes; [`serve`] listens. A [`Bulkhead`] keeps a flood of reads from
//! everything else. Handlers take their input through [`Json`], [`Valid`],
//! [`Path`], [`Query`] and [`IdempotencyKey`], which refuse bad input with a [`Problem`] that names the
//! field, and return `Result<_, Problem>`.

mod admin;
pub use admin::{Admin, AdminToken, InvalidToken};

mod app;
pub use app::{BODY_LIMIT, app, serve};

mod bulkhead;
pub use bulkhead::{Bulkhead, Reading};

mod deadline;
pub use deadline::{Deadline, REQUEST_TIMEOUT};

mod extract;
pub use extract::{Json, Path, Query, Valid};

mod idempotency_key;
pub use idempotency_key::IdempotencyKey;

mod number;
pub use number::{maybe_whole_number, whole_number};

mod page_size;
pub use page_size::PageSize;

mod printable;
pub use printable::printable;

mod problem;
pub use problem::{FieldError, Problem};

mod openapi;
pub use openapi::openapi;

mod docs;
mod farewell;
mod guard;
mod host;
mod observe;

pub(crate) use admin::AdminTokenParser;
pub(crate) use host::allowed_host;
