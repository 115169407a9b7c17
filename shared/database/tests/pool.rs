//! The pool keeps its limits and outlives its server. Needs a PostgreSQL at `TEST_DATABASE_URL`.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use database::{DatabaseArgs, check, is_outage};
use sqlx::{AssertSqlSafe, PgPool, postgres::PgConnectOptions};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};

fn url() -> Result<String> {
    std::env::var("TEST_DATABASE_URL")
        .context("TEST_DATABASE_URL must name a PostgreSQL server to test with")
}

fn args(url: impl Into<String>) -> DatabaseArgs {
    DatabaseArgs {
        url: url.into().into(),
        pool_size: 3,
    }
}

/// Opens all connections that the pool may have.
async fn fill(pool: &PgPool) -> Result<()> {
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(pool.acquire().await?);
    }
    Ok(())
}

/// Asks again and again until the query, made on a connection of its own, says yes.
async fn until(admin: &PgPool, query: &'static str, service: &str) -> Result<()> {
    for _ in 0..200 {
        if sqlx::query_scalar::<_, bool>(query)
            .bind(service)
            .fetch_one(admin)
            .await?
        {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("never became true: {query}")
}

#[tokio::test]
async fn every_connection_has_the_limits_and_the_name_of_the_service() -> Result<()> {
    let pool = database::connect(&args(url()?), "limits test").await?;
    for (setting, value) in [
        ("statement_timeout", "4s"),
        ("lock_timeout", "3s"),
        ("idle_in_transaction_session_timeout", "5s"),
        ("tcp_keepalives_idle", "10"),
        ("tcp_user_timeout", "30000"),
        ("plan_cache_mode", "force_generic_plan"),
        ("application_name", "limits test"),
    ] {
        let actual: String = sqlx::query_scalar("SELECT current_setting($1)")
            .bind(setting)
            .fetch_one(&pool)
            .await?;
        assert_eq!(actual, value, "{setting}");
    }
    Ok(())
}

#[tokio::test]
async fn whoever_wants_plans_for_the_values_leaves_them_to_the_server() -> Result<()> {
    let pool = database::connect_planning(&args(url()?), "planning test").await?;
    let settings = "SELECT current_setting('plan_cache_mode'), current_setting('lock_timeout')";
    let settings: (String, String) = sqlx::query_as(settings).fetch_one(&pool).await?;
    assert_eq!(settings, ("auto".to_owned(), "3s".to_owned()));
    Ok(())
}

#[tokio::test]
async fn nobody_notices_that_all_idle_connections_were_killed() -> Result<()> {
    let service = "killed connections test";
    let pool = database::connect(&args(url()?), service).await?;
    let admin = PgPool::connect(&url()?).await?;
    fill(&pool).await?;
    until(
        &admin,
        "SELECT count(*) = 3 AND bool_and(state = 'idle' AND state_change < clock_timestamp() - interval '1 s')
         FROM pg_stat_activity WHERE application_name = $1",
        service,
    )
    .await?;
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
    )
    .bind(service)
    .execute(&admin)
    .await?;
    until(
        &admin,
        "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = $1",
        service,
    )
    .await?;
    for _ in 0..10 {
        check(&pool)().await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_error_of_a_killed_connection_is_an_outage_and_the_next_one_works() -> Result<()> {
    let pool = database::connect(&args(url()?), "killed transaction test").await?;
    let mut tx = pool.begin().await?;
    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(&mut *tx)
        .await?;
    sqlx::query("SELECT pg_terminate_backend($1, 5000)")
        .bind(pid)
        .execute(&pool)
        .await?;
    let Err(error) = sqlx::query("SELECT 1").execute(&mut *tx).await else {
        bail!("the connection still works")
    };
    assert!(is_outage(&error), "{error}");
    drop(tx);
    for _ in 0..10 {
        check(&pool)().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_service_may_start_before_its_database_and_outlive_a_restart() -> Result<()> {
    let url = url()?;
    let real: PgConnectOptions = url.parse()?;
    let real = format!("{}:{}", real.get_host(), real.get_port());
    // The tested server is a door to the real one, which can be shut.
    let door = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let args = args(url.replace(&real, &door.to_string()));

    let mut connecting = std::pin::pin!(database::connect(&args, "restart test"));
    assert!(
        timeout(Duration::from_millis(300), &mut connecting)
            .await
            .is_err(),
        "there is no server yet"
    );
    let open = open_door(door, real.clone()).await?;
    let pool = timeout(Duration::from_secs(10), connecting).await??;
    fill(&pool).await?;

    drop(open);
    let Err(error) = pool.begin().await else {
        bail!("the server is gone")
    };
    assert!(is_outage(&error), "{error}");

    let _open = open_door(door, real).await?;
    check(&pool)().await
}

/// Passes connections on until it is dropped.
async fn open_door(door: std::net::SocketAddr, real: String) -> Result<JoinSet<()>> {
    let listener = TcpListener::bind(door).await?;
    let mut open = JoinSet::new();
    open.spawn(async move {
        let mut visitors = JoinSet::new();
        while let Ok((mut visitor, _)) = listener.accept().await {
            let real = real.clone();
            visitors.spawn(async move {
                if let Ok(mut server) = TcpStream::connect(real).await {
                    tokio::io::copy_bidirectional(&mut visitor, &mut server)
                        .await
                        .ok();
                }
            });
        }
    });
    Ok(open)
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_an_outage() -> Result<()> {
    let pool = database::connect(&args(url()?), "statement timeout test").await?;
    let mut tx = pool.begin().await?;
    sqlx::query("SET LOCAL statement_timeout = '20ms'")
        .execute(&mut *tx)
        .await?;
    let Err(error) = sqlx::query("SELECT pg_sleep(60)").execute(&mut *tx).await else {
        bail!("it was not stopped")
    };
    assert!(is_outage(&error), "{error}");
    Ok(())
}

#[tokio::test]
async fn the_password_is_never_shown() -> Result<()> {
    let args = args("postgres//somebody:hunter2@host/database");
    assert!(!format!("{args:?}").contains("hunter2"));
    let Err(error) = database::connect(&args, "secret test").await else {
        bail!("that is no URL")
    };
    assert!(format!("{error:#}").contains("DATABASE_URL"));
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    Ok(())
}

#[sqlx::test(migrations = false)]
async fn sessions_that_began_read_only_are_given_up_though_they_are_never_idle(
    admin: PgPool,
) -> Result<()> {
    let options = admin.connect_options();
    let name = options.get_database().context("no database")?;
    let set = async |change: &str| {
        let statement = format!("alter database \"{name}\" {change}");
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&admin)
            .await
    };
    let url = url()?;
    let (server, _) = url.rsplit_once('/').context("no database in the URL")?;
    let pool = database::connect(&args(format!("{server}/{name}")), "read-only test").await?;
    // Sessions begin when they are needed.
    set("set default_transaction_read_only = on").await?;
    fill(&pool).await?;
    assert!(write(&pool).await.is_err());

    set("reset default_transaction_read_only").await?;
    let writing = async {
        let mut in_a_row = 0;
        while in_a_row < 30 {
            in_a_row = write(&pool).await.map_or(0, |()| in_a_row + 1);
        }
    };
    let written = timeout(Duration::from_secs(60), writing).await;
    written.context("a session stays read-only")
}

async fn write(pool: &PgPool) -> sqlx::Result<()> {
    let write = sqlx::query("create table if not exists written ()");
    write.execute(pool).await.map(drop)
}
