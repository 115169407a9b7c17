//! A database that does not work as it should: slow, read-only, or with another password.

use std::str::FromStr;

use anyhow::Result;
use bollard::models::ContainerUpdateBody;
use harness::{Compose, eventually, setting};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};

use crate::Arena;
use crate::arena::STARTED;

/// Microseconds, the kernel's default.
const PERIOD: i64 = 100_000;
const UNLIMITED: i64 = -1;

impl Arena {
    pub(super) async fn slow_down(&self, millicores: i64) -> Result<()> {
        self.limit_database(millicores * PERIOD / 1_000).await
    }

    /// As after a failover to a server that follows another one: everybody has to connect again, and nobody
    /// can write.
    pub(super) async fn forbid_writing(&self, service: &str) -> Result<()> {
        sql(&format!(
            "alter database \"{service}\" set default_transaction_read_only = on"
        ))
        .await?;
        end_sessions(service).await
    }

    /// Sessions that began meanwhile stay read-only. Nobody ends them, so whoever has one has to give it up.
    pub(super) async fn allow_writing(&self, service: &str) -> Result<()> {
        sql(&format!(
            "alter database \"{service}\" reset default_transaction_read_only"
        ))
        .await
    }

    /// Nobody who has to log in gets in, and everybody has to.
    pub(super) async fn change_password(&self, service: &str) -> Result<()> {
        sql(&format!("alter role \"{service}\" password 'changed'")).await?;
        end_sessions(service).await
    }

    /// As `init.sql` has it.
    pub(super) async fn reset_password(&self, service: &str) -> Result<()> {
        sql(&format!(
            "alter role \"{service}\" password 'demo-{service}'"
        ))
        .await
    }

    pub(crate) async fn restore_database(&self) -> Result<()> {
        self.limit_database(UNLIMITED).await?;
        for service in Compose::SERVICES {
            self.allow_writing(service).await?;
            self.reset_password(service).await?;
        }
        Ok(())
    }

    /// As fast as usual again.
    pub(super) async fn speed_up(&self) -> Result<()> {
        self.limit_database(UNLIMITED).await
    }

    async fn limit_database(&self, quota: i64) -> Result<()> {
        for instance in self.containers(Some("postgres")).await? {
            let limit = ContainerUpdateBody {
                cpu_period: Some(PERIOD),
                cpu_quota: Some(quota),
                ..ContainerUpdateBody::default()
            };
            self.docker.update_container(&instance.id, limit).await?;
        }
        Ok(())
    }
}

/// A transaction that somebody has forgotten to end. It ends with its connection.
pub(crate) struct Snapshot {
    _open: PgConnection,
}

impl Snapshot {
    /// It has looked at something, so whatever dies from now on might still be looked at by it.
    pub(super) async fn hold(service: &str) -> Result<Self> {
        let server = PgConnectOptions::from_str(&setting("TEST_DATABASE_URL")?)?.database(service);
        eventually("a transaction is open", STARTED, async || {
            let mut open = server.connect().await?;
            sqlx::raw_sql("begin isolation level repeatable read; select count(*) from pg_class")
                .execute(&mut open)
                .await?;
            Ok(Some(Self { _open: open }))
        })
        .await
    }
}

/// Every service logs in to its own database, under its own name.
async fn end_sessions(service: &str) -> Result<()> {
    sql(&format!(
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = '{service}'"
    ))
    .await
}

/// A statement as the superuser, on a connection of its own: the server may have been away since the last one.
async fn sql(statement: &str) -> Result<()> {
    let server = PgConnectOptions::from_str(&setting("TEST_DATABASE_URL")?)?;
    eventually(statement, STARTED, async || {
        let mut connection = server.connect().await?;
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
            .execute(&mut connection)
            .await?;
        Ok(Some(()))
    })
    .await
}
