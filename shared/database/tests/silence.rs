//! A server that falls silent without closing anything, and comes back. Needs a PostgreSQL at `TEST_DATABASE_URL`.

use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use database::{DatabaseArgs, Sessions, check};
use sqlx::{PgPool, postgres::PgConnectOptions};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Connections of the pool.
const ALL: u32 = 3;

#[tokio::test]
async fn connections_that_fell_silent_in_the_middle_of_a_call_make_room_for_new_ones() -> Result<()>
{
    let (way, pool) = way_and_pool().await?;
    let mut held = Vec::new();
    for _ in 0..ALL {
        held.push(pool.acquire().await?);
    }
    way.is_silent(true);
    for connection in &mut held {
        let call = sqlx::query("select 1").execute(&mut **connection);
        let answered = timeout(Duration::from_millis(200), call).await;
        assert!(answered.is_err(), "the way is not silent");
    }
    drop(held);
    way.is_silent(false);
    let working = async { while check(&pool)().await.is_err() {} };
    timeout(Duration::from_secs(120), working)
        .await
        .context("the pool never works again")
}

#[tokio::test]
async fn transactions_that_ended_right_after_an_answer_make_room_as_well() -> Result<()> {
    let (way, pool) = way_and_pool().await?;
    let sessions = Sessions::new(pool.clone());
    let mut open = Vec::new();
    for _ in 0..ALL {
        open.push(sessions.begin().await?);
    }
    open.pop();
    // Its connection is back, so the server has just answered.
    while pool.num_idle() == 0 {
        sleep(Duration::from_millis(1)).await;
    }
    way.is_silent(true);
    drop(open);
    way.is_silent(false);
    let all = async {
        let mut held = Vec::new();
        while held.len() < 3 {
            // One that was idle is silent as well, and tells nobody.
            let begun = timeout(Duration::from_secs(4), sessions.begin()).await;
            held.extend(begun.into_iter().flatten());
        }
    };
    timeout(Duration::from_secs(120), all)
        .await
        .context("some connections never come back")
}

#[tokio::test]
async fn not_everybody_gets_a_connection_that_fell_silent_while_it_was_idle() -> Result<()> {
    let (way, pool) = way_and_pool().await?;
    let mut held = Vec::new();
    for _ in 0..ALL {
        held.push(pool.acquire().await?);
    }
    drop(held);
    while pool.num_idle() < 3 {
        sleep(Duration::from_millis(10)).await;
    }
    // Longer than they are trusted.
    sleep(Duration::from_secs(1)).await;
    way.is_silent(true);
    way.is_silent(false);
    let mut failed = 0;
    while sqlx::query("select 1").execute(&pool).await.is_err() {
        failed += 1;
    }
    assert!(failed < ALL, "each silent connection failed somebody");
    Ok(())
}

/// A way to the server, which may fall silent: nothing goes through any more, and neither side is told. What was
/// opened before that stays silent for ever.
struct Way {
    address: SocketAddr,
    is_silent: watch::Sender<bool>,
    _visitors: JoinSet<()>,
}

impl Way {
    async fn to(server: String) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (is_silent, silence) = watch::channel(false);
        let mut visitors = JoinSet::new();
        visitors.spawn(async move {
            let mut passing = JoinSet::new();
            while let Ok((visitor, _)) = listener.accept().await {
                passing.spawn(pass_on(visitor, server.clone(), silence.clone()));
            }
        });
        Ok(Self {
            address,
            is_silent,
            _visitors: visitors,
        })
    }

    fn is_silent(&self, is_silent: bool) {
        self.is_silent.send_replace(is_silent);
    }
}

async fn pass_on(mut visitor: TcpStream, server: String, mut silence: watch::Receiver<bool>) {
    let Ok(mut server) = TcpStream::connect(server).await else {
        return;
    };
    let opened_in_silence = *silence.borrow_and_update();
    let falls_silent = async {
        if !opened_in_silence {
            silence.changed().await.ok();
        }
    };
    tokio::select! {
        biased;
        () = falls_silent => pending().await,
        _ = tokio::io::copy_bidirectional(&mut visitor, &mut server) => {}
    }
}

/// A pool that reaches its server by way of this.
async fn way_and_pool() -> Result<(Way, PgPool)> {
    let url = std::env::var("TEST_DATABASE_URL").context("TEST_DATABASE_URL")?;
    let server: PgConnectOptions = url.parse()?;
    let server = format!("{}:{}", server.get_host(), server.get_port());
    let way = Way::to(server.clone()).await?;
    let args = DatabaseArgs {
        url: url.replace(&server, &way.address.to_string()).into(),
        pool_size: ALL,
    };
    let pool = database::connect(&args, "silence test").await?;
    Ok((way, pool))
}
