//! The guided tour, walked by nobody, and what it leaves behind: nothing.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use contracts::topology::STOCK_COMMANDS;
use harness::{Stack, StockLevel, eventually, program};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// What the tour orders.
const SKU: &str = "LAMP-HEAD";
/// How long the tour may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(300);

/// What each step has to say in the end; every `#` stands for a figure.
const OUTCOMES: [&str; 11] = [
    "Accepted after #, confirmed after #, told by e-mail after #.",
    "The confirmation left over 3 channels for the VIP and 2 for the other; only the VIP got: sms.",
    "3 orders were accepted while inventory was away, and 3 confirmed # after its start began.",
    "500 orders accepted at # a second with nobody to work on them; the queue was empty # after the start \
     began; 500 pieces reserved, none too many.",
    "# orders, # commands, shared by 4 instances: # + # + # + #.",
    "# orders, # reservations, # e-mails: nothing lost, nothing twice.",
    "1 dead letter that says why, mended and handled, and 10 of 10 neighbours confirmed.",
    "# orders accepted while RabbitMQ restarted, all confirmed # after that; # pieces reserved.",
    "5 requests with one key gave 1 order and 1 reserved piece; another body was refused with 422.",
    "The stock is as before, and the topic still tells all 3 facts of the order, in order, among # since the \
     first.",
    "500 orders waited; the page said # after the last of them that nobody consumes, and # after the start began \
     that it is over.",
];

#[tokio::test]
async fn every_step_shows_what_it_says_and_leaves_the_system_as_it_was() -> Result<()> {
    let stack = Stack::alone().await?;
    let before = State::of(&stack).await?;
    let ended = timeout(LIMIT, tour(&["--yes"])?.wait_with_output()).await??;
    let shown = String::from_utf8(ended.stdout)?;
    ensure!(ended.status.success(), "{shown}");
    ensure!(
        !shown.contains('\x1b'),
        "colour without a terminal: {shown}"
    );

    let outcomes: Vec<_> = shown
        .lines()
        .filter_map(|line| line.strip_prefix(" ok "))
        .collect();
    for (step, (outcome, expected)) in (1..).zip(outcomes.iter().zip(OUTCOMES)) {
        let expected = format!("{step:>2}  {expected}");
        ensure!(agrees(outcome, &expected), "{outcome} is not {expected}");
    }
    assert_eq!(outcomes.len(), OUTCOMES.len(), "{shown}");
    assert_eq!(shown.matches("As before: ").count(), OUTCOMES.len());
    assert_eq!(State::of(&stack).await?, before);
    Ok(())
}

#[tokio::test]
async fn a_step_that_is_interrupted_leaves_the_system_as_it_was() -> Result<()> {
    let stack = Stack::alone().await?;
    let before = State::of(&stack).await?;
    let mut running = tour(&["--yes", "4"])?;
    let mut lines = BufReader::new(running.stdout.take().context("no output")?).lines();
    let id = running.id().context("it has ended")?.to_string();
    // The third thing done is to start inventory: until then it is away and orders are waiting.
    let mut shown = String::new();
    let interrupt = async {
        while let Some(line) = lines.next_line().await? {
            if line.contains("POST /api/orders") {
                Command::new("kill").args(["-INT", &id]).status().await?;
            }
            shown.push_str(&line);
            shown.push('\n');
        }
        anyhow::Ok(running.wait().await?)
    };
    let ended = timeout(LIMIT, interrupt).await??;
    ensure!(!ended.success(), "{shown}");
    ensure!(
        shown.contains("interrupted") && shown.contains("As before: "),
        "{shown}"
    );
    ensure!(!shown.contains(" ok "), "it was not interrupted: {shown}");
    // Also those orders are cancelled whose answers were under way when the tour was interrupted.
    assert_eq!(State::of(&stack).await?, before);
    Ok(())
}

#[tokio::test]
async fn a_step_can_be_walked_alone_and_enter_goes_on() -> Result<()> {
    let stack = Stack::quiet().await?;
    let before = State::of(&stack).await?;
    let mut running = command(&["9"])?.stdin(Stdio::piped()).spawn()?;
    let mut keyboard = running.stdin.take().context("no input")?;
    keyboard.write_all(b"\n").await?;
    let ended = timeout(LIMIT, running.wait_with_output()).await??;
    let shown = String::from_utf8(ended.stdout)?;
    ensure!(
        ended.status.success() && shown.matches(" ok ").count() == 1,
        "{shown}"
    );
    assert_eq!(State::of(&stack).await?, before);
    Ok(())
}

#[tokio::test]
async fn without_a_terminal_and_without_yes_nothing_is_done() -> Result<()> {
    let _stack = Stack::shared().await?;
    let ended = timeout(LIMIT, tour(&["9"])?.wait_with_output()).await??;
    let shown = String::from_utf8(ended.stdout)?;
    ensure!(!ended.status.success(), "{shown}");
    ensure!(shown.contains("--yes") && !shown.contains("->"), "{shown}");
    Ok(())
}

/// What a step may not change.
#[derive(Debug, PartialEq, Eq)]
struct State {
    containers: String,
    stock: StockLevel,
    dead_letters: u64,
}

#[derive(Deserialize)]
struct Queue {
    name: String,
    messages: Option<u64>,
}

impl State {
    async fn of(stack: &Stack) -> Result<Self> {
        // The broker counts every few seconds only, so that the last commands may seem to wait still.
        let no_command = eventually("no command waits", LIMIT, async || {
            let queues: Vec<Queue> = stack.rabbitmq.queues().await?;
            let depth = |name: &str| {
                let queue = queues.iter().find(|queue| queue.name == name);
                queue.and_then(|queue| queue.messages)
            };
            Ok((depth(STOCK_COMMANDS) == Some(0)).then_some(()))
        });
        let containers = stack
            .compose
            .run(&[
                "ps",
                "--all",
                "--format",
                "{{.Name}} {{.State}} {{.Health}}",
            ])
            .await?;
        let mut containers: Vec<_> = containers.lines().collect();
        containers.sort_unstable();
        no_command.await?;
        Ok(Self {
            dead_letters: stack.letters.open().await?,
            containers: containers.join("\n"),
            stock: stack.gateway.stock(SKU).await?,
        })
    }
}

fn tour(arguments: &[&str]) -> Result<Child> {
    Ok(command(arguments)?.spawn()?)
}

fn command(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(program("tour")?);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    Ok(command)
}

/// Whether a text is as expected, where each `#` stands for a figure with its unit.
fn agrees(text: &str, expected: &str) -> bool {
    let mut words = text.split(' ');
    let mut agree = expected.split(' ').map(|expected| {
        let word = words.next().unwrap_or_default();
        match expected.strip_prefix('#') {
            Some(rest) => word.starts_with(|c: char| c.is_ascii_digit()) && word.ends_with(rest),
            None => word == expected,
        }
    });
    agree.all(|agrees| agrees) && words.next().is_none()
}
