//! The SQL of the service.
//!
//! What is read from topics is written in the caller's transaction. All else is one statement, on its own.

use sqlx::PgConnection;

mod facts;
pub use facts::{Fact, facts_of, news, save_facts};

mod orders;
pub use orders::{Figures, Filter, Order, figures, order, orders, save_orders};

mod stock;
pub use stock::{Stock, save_levels, save_products, stock};

mod spans;
pub use spans::{Span, forget_spans, save_spans, spans_of};

mod attempts;
pub use attempts::{Attempt, attempts};

mod flows;
pub use flows::{ArrivalRow, FlowRow, flows, save_flows};

mod letters;
pub use letters::{
    Counted, Draft, Edit, Entry, LastReplay, Letter, LetterFilter, LetterGroup, NewLetter, Revised,
    Revision, beginning, changes_of_letters, count_letters, discard_letters, draft, history,
    keep_letters, letter, letter_groups, letters, matching_letters, restore_letters, revise,
    revision, revisions, save_draft,
};

mod replays;
pub use replays::{
    Due, Job, JobLetter, NewJob, Progress, active_jobs, change_job, create_job, due, end_job,
    halt_job, job, job_letters, jobs, lease_job, progress, released, replays_at_work, send_again,
    settle_replays,
};

mod controls;
pub use controls::{Control, controls, lift_control, set_control};

/// Empties the tables that are filled from topics.
pub async fn empty_read_model(db: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("truncate orders, facts, gathered_facts, stock, noted")
        .execute(db)
        .await?;
    Ok(())
}

/// Every table of the service: without one of them it is not ready.
pub const TABLES: [&str; 15] = [
    "orders",
    "facts",
    "gathered_facts",
    "noted",
    "stock",
    "spans",
    "queue_flows",
    "queue_arrivals",
    "controls",
    "letters",
    "letter_revisions",
    "letter_drafts",
    "letter_history",
    "jobs",
    "replays",
];

/// The values of one column.
fn column<'a, R, T: 'a>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}
