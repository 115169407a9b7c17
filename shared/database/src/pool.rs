use std::{io, str::FromStr, time::Duration};

use anyhow::{Context, anyhow, ensure};
use secrecy::ExposeSecret;
use sqlx::{
    Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::timeout;
use tracing::info;

use crate::DatabaseArgs;
use crate::last_answer::LastAnswer;
use crate::patience::patiently;
use crate::read_only::{ReadOnlySessions, is_read_only};

/// How long a caller waits for a free connection before it gets an error.
pub const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// Limits that keep one stuck statement, lock or stopped process from holding up the others.
///
/// The last four are for a process that is gone without a word, as with its machine or its network: the server
/// notices after half a minute, and not after two hours, and whatever the process held is free. It may be the lock of
/// all migrations.
const LIMITS: [(&str, &str); 7] = [
    ("statement_timeout", "4s"),
    ("lock_timeout", "3s"),
    ("idle_in_transaction_session_timeout", "5s"),
    ("tcp_keepalives_idle", "10s"),
    ("tcp_keepalives_interval", "5s"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "30s"),
];

/// A statement is planned once for each connection. By itself the server plans most of ours each time: they are given
/// arrays, and a plan for the one value that is there looks cheaper than one for however many there may be.
const KEPT_PLANS: (&str, &str) = ("plan_cache_mode", "force_generic_plan");

/// A connection unused for longer than this is tried before it is handed out. Under load none is, so
/// nobody pays the round trip; after a restart of the server every pooled connection is dead, and
/// this finds out before a caller does. So are those that may have begun while the server was read-only, however
/// busy they are: by a statement, where all others are only asked for an answer.
const TRUSTED_IDLE: Duration = Duration::from_millis(500);

/// How long the trial of a connection that was used before may take. Less than a caller waits, so that there is time to open a new connection
/// where a server that was cut off has left an old one behind.
pub(crate) const TRIAL: Duration = Duration::from_secs(2);

/// How long the first connection may take. A server that is nearly out of CPU needs seconds for each, and
/// would be kept busy with connections that are given up if nobody waited for one.
const FIRST_CONNECTION: Duration = Duration::from_secs(10);

/// Opens the pool, waiting with growing pauses until the server answers and takes writes, however long that
/// takes.
///
/// Drop the future to give up: `runtime::run` does so when the process is asked to stop.
///
/// # Errors
///
/// Only when `DATABASE_URL` is not a PostgreSQL URL.
pub async fn connect(args: &DatabaseArgs, service: &str) -> anyhow::Result<PgPool> {
    open(args, service, &[KEPT_PLANS]).await
}

/// The same for a service with statements whose plan depends on their values, for example on which conditions are left
/// out: the server decides whether it plans them again.
///
/// # Errors
///
/// As those of [`connect`].
pub async fn connect_planning(args: &DatabaseArgs, service: &str) -> anyhow::Result<PgPool> {
    open(args, service, &[]).await
}

async fn open(
    args: &DatabaseArgs,
    service: &str,
    plans: &[(&str, &str)],
) -> anyhow::Result<PgPool> {
    // The parser's own error could quote the URL and with it the password.
    let options = PgConnectOptions::from_str(args.url.expose_secret())
        .map_err(|_| {
            anyhow!("DATABASE_URL is not a URL like postgres://user:password@host/database")
        })?
        .application_name(service)
        .options(LIMITS)
        .options(plans.iter().copied());
    let place = format!(
        "{}:{}/{}",
        options.get_host(),
        options.get_port(),
        options.get_database().unwrap_or_default()
    );
    patiently(&place, || try_out(&options), |_| true).await?;
    info!(database = place, "connected to the database {place}");
    Ok(pool_options(args).connect_lazy_with(options))
}

async fn try_out(options: &PgConnectOptions) -> anyhow::Result<()> {
    let connecting = timeout(FIRST_CONNECTION, PgConnection::connect_with(options));
    let mut db = connecting.await.context("it does not answer")??;
    let read_only = timeout(FIRST_CONNECTION, is_read_only(&mut db));
    let read_only = read_only.await.context("it does not answer")??;
    ensure!(!read_only, "it takes no writes");
    db.close().await.ok();
    Ok(())
}

fn pool_options(args: &DatabaseArgs) -> PgPoolOptions {
    let read_only = ReadOnlySessions::default();
    let begun = read_only.clone();
    let last_answer = LastAnswer::default();
    PgPoolOptions::new()
        .max_connections(args.pool_size)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .after_connect(move |session, _| {
            let begun = begun.clone();
            Box::pin(async move { begun.began(session).await })
        })
        .before_acquire(move |session, usage| {
            let read_only = read_only.clone();
            Box::pin(async move {
                if usage.idle_for > TRUSTED_IDLE || read_only.may_be_one(usage.age) {
                    let trial = timeout(TRIAL, read_only.is_usable(session, usage.age));
                    return trial
                        .await
                        .map_err(|_| sqlx::Error::Io(io::ErrorKind::TimedOut.into()))?;
                }
                Ok(true)
            })
        })
        .after_release(move |connection, _| {
            let last_answer = last_answer.clone();
            Box::pin(async move { last_answer.is_usable(connection).await })
        })
}
