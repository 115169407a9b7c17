//! Jobs that replay letters, and how each replay ends.

mod create;
pub use create::{NewJob, create_job};

mod jobs;
pub use jobs::{Job, JobLetter, active_jobs, change_job, job, job_letters, jobs};

mod release;
pub use release::{
    Due, Progress, due, end_job, halt_job, lease_job, progress, released, replays_at_work,
};

mod outcomes;
pub use outcomes::{send_again, settle_replays};
