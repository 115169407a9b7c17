//! The first programs (`shared/messaging/examples`), run like a reader runs them: on the brokers'
//! published addresses, without a look at anything else.
//!
//! What they print is compared with what `docs/first-programs.md` shows. That walk restarts RabbitMQ,
//! which disturbs whatever else uses the same stack at that moment.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::future::{join_all, try_join_all};
use harness::Compose;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::RwLock;
use tokio::time::timeout;

mod brokers;
mod guide;

use brokers::{Brokers, Ended};
use guide::{console, figures, masked};

const NAMES: [&str; 11] = [
    "rabbitmq_producer",
    "rabbitmq_consumer",
    "kafka_producer",
    "kafka_consumer",
    "persistence",
    "ack_and_retry",
    "routing",
    "filtering",
    "work_queue",
    "consumer_group",
    "delay",
];

/// How long a program may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Held for writing by the test that restarts RabbitMQ, and by those who want `hello` for themselves.
static BROKERS: RwLock<()> = RwLock::const_new(());

#[tokio::test]
async fn every_program_prints_what_the_guide_shows() -> Result<()> {
    let _alone = BROKERS.write().await;
    let brokers = Brokers::running()?;
    brokers.forget_hello().await?;
    let compose = Compose::from_environment()?;

    let walked = walk(&brokers, &compose).await;
    compose.restore()?;
    let walked = walked?;
    assert_eq!(walked, BTreeSet::from(NAMES.map(str::to_owned)));
    Ok(())
}

/// Runs every command of the guide in order and returns the programs among them.
async fn walk(brokers: &Brokers, compose: &Compose) -> Result<BTreeSet<String>> {
    let guide = std::fs::read_to_string(root().join("docs/first-programs.md"))?;
    let mut walked = BTreeSet::new();
    for (command, shown) in console(&guide) {
        if let Some(arguments) = command.strip_prefix("docker compose ") {
            let arguments: Vec<_> = arguments.split(' ').collect();
            compose.run(&arguments).await?;
            compose.restore()?;
            continue;
        }
        let example = command.strip_prefix("cargo run -p first-programs --example ");
        let words: Vec<_> = example.context(command.clone())?.split(' ').collect();
        let ended = brokers.run(words[0], &words[1..]).await?;
        assert!(ended.success, "{command}: {}", ended.stderr);
        assert_eq!(masked(&ended.stdout), masked(&shown), "{command}");
        walked.insert(words[0].to_owned());
    }
    Ok(walked)
}

#[tokio::test]
async fn a_queue_that_another_program_has_declared_differently_is_used_as_it_is() -> Result<()> {
    let _alone = BROKERS.write().await;
    let brokers = Brokers::running()?;
    brokers.forget_hello().await?;
    brokers.declare_hello_as_for_rabbitmq_3().await?;

    let sent = brokers.run("rabbitmq_producer", &[]).await?;
    assert!(sent.success, "{}", sent.stderr);
    let received = brokers.run("rabbitmq_consumer", &["1"]).await?;
    assert!(received.stdout.contains("Received 'Hello World!'"));
    brokers.forget_hello().await
}

#[tokio::test]
async fn the_consumers_stop_cleanly_on_ctrl_c() -> Result<()> {
    let _alone = BROKERS.write().await;
    let brokers = Brokers::running()?;
    for (producer, consumer, message) in [
        ("rabbitmq_producer", "rabbitmq_consumer", "Hello World!"),
        ("kafka_producer", "kafka_consumer", "Hello Kafka!"),
    ] {
        let mut running = brokers.start(consumer, &[])?;
        let stdout = running.stdout.take().context("no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let mut next = async || -> Result<String> {
            let line = timeout(LIMIT, lines.next_line()).await??;
            line.context("the program has ended")
        };
        // Of two that declare a quorum queue at once, one is told that it exists before it can be used.
        while !next().await?.contains("Waiting") {}
        ensure!(brokers.run(producer, &[]).await?.success);
        while !next().await?.contains(message) {}

        let id = running.id().context("it has ended")?.to_string();
        Command::new("kill").args(["-INT", &id]).status().await?;
        while !next().await?.contains("Stopped") {}
        assert!(timeout(LIMIT, running.wait()).await??.success());
    }
    Ok(())
}

#[tokio::test]
async fn what_the_producer_says_it_sent_is_what_the_consumer_reads() -> Result<()> {
    let _shared = BROKERS.read().await;
    let brokers = Brokers::running()?;
    let sent = brokers.run("kafka_producer", &[]).await?.stdout;
    let (_, place) = sent.trim().split_once(": ").context("no place")?;

    let mut running = brokers.start("kafka_consumer", &[])?;
    let mut lines = BufReader::new(running.stdout.take().context("no output")?).lines();
    let expected = format!("{place}, value = Hello Kafka!");
    let found = async {
        while let Some(line) = lines.next_line().await? {
            if line == expected {
                return Ok(());
            }
        }
        anyhow::bail!("{expected} was not read")
    };
    timeout(LIMIT, found).await?
}

#[tokio::test]
async fn a_program_can_run_beside_itself() -> Result<()> {
    let _shared = BROKERS.read().await;
    let brokers = Brokers::running()?;
    for name in ["ack_and_retry", "routing", "filtering", "consumer_group"] {
        let both = try_join_all([brokers.run(name, &[]), brokers.run(name, &[])]).await?;
        for ended in &both {
            assert!(ended.success, "{name}: {}", ended.stderr);
        }
        assert_eq!(
            both[0].stdout.lines().count(),
            both[1].stdout.lines().count()
        );
    }
    Ok(())
}

#[tokio::test]
async fn prefetch_decides_who_gets_the_work() -> Result<()> {
    let _shared = BROKERS.read().await;
    let ended = Brokers::running()?.run("work_queue", &[]).await?;
    let figures = figures(&ended.stdout);
    let [1, by_fast, _, _, 100, 30, 30, _] = figures[..] else {
        anyhow::bail!("{}", ended.stdout);
    };
    assert!(by_fast > 30, "{}", ended.stdout);
    Ok(())
}

#[tokio::test]
async fn a_short_delay_waits_behind_a_long_one_in_the_same_queue_only() -> Result<()> {
    let _shared = BROKERS.read().await;
    let ended = Brokers::running()?.run("delay", &[]).await?;
    let figures = figures(&ended.stdout);
    let [1500, _, 300, blocked, 300, free, 1500, _] = figures[..] else {
        anyhow::bail!("{}", ended.stdout);
    };
    assert!(
        blocked >= 1500 && (300..1500).contains(&free),
        "{figures:?}"
    );
    Ok(())
}

#[tokio::test]
async fn without_a_broker_every_program_says_in_one_line_how_to_start_it() -> Result<()> {
    let closed = "127.0.0.1:1".to_owned();
    // Accepts connections, by its backlog, and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").await?;
    for address in [closed, silent.local_addr()?.to_string()] {
        let brokers = Brokers {
            amqp_url: format!("amqp://guest:guest@{address}/"),
            kafka_brokers: address,
        };
        let ended = join_all(NAMES.map(|name| brokers.run(name, &[]))).await;
        for (name, ended) in NAMES.into_iter().zip(ended) {
            let Ended {
                success,
                stdout,
                stderr,
            } = ended?;
            assert!(!success && stdout.is_empty(), "{name}: {stdout}");
            assert_eq!(stderr.lines().count(), 1, "{name}: {stderr}");
            assert!(
                stderr.contains("`./dev up` or `docker compose up -d "),
                "{name}: {stderr}"
            );
        }
    }
    Ok(())
}

#[test]
fn programs_are_short_and_use_nothing_of_ours() -> Result<()> {
    for name in NAMES {
        let file = root().join(format!("shared/messaging/examples/{name}.rs"));
        let code = std::fs::read_to_string(file)?;
        assert!(code.lines().count() < 80, "{name} is too long");
        assert!(uses_nothing_of_ours(&code), "{name}");
    }
    // What the later programs share is not a program.
    for name in ["rabbitmq", "kafka"] {
        let file = root().join(format!("shared/messaging/examples/{name}/mod.rs"));
        assert!(
            uses_nothing_of_ours(&std::fs::read_to_string(file)?),
            "{name}"
        );
    }
    Ok(())
}

fn uses_nothing_of_ours(code: &str) -> bool {
    let ours = ["messaging::", "contracts::", "runtime::"];
    !ours.iter().any(|name| code.contains(name))
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
