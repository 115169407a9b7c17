//! What an order that comes alone and a system at rest ask of PostgreSQL, counted in its log.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use harness::{Compose, Stack, eventually, wish};
use tokio::time::sleep;

use crate::ANYTHING;

/// Round trips of an order on its way, in the transactions that place, reserve and confirm it. The first order in a
/// while has one more, which reads the price list.
const ON_ITS_WAY: [(&str, usize); 3] = [("placed", 4), ("reserved", 5), ("confirmed", 5)];
/// Statements a second of all services together, at rest: leases, the pulse of whoever sends e-mail, housekeeping, and
/// what the console looks for. About 4.6 by the periods of all that happens more often than in half a minute.
const AT_REST: f64 = 5.0;
/// A multiple of the period of everything that happens so often.
const WINDOW: Duration = Duration::from_secs(10);
const LIMIT: Duration = Duration::from_secs(120);

const CONSOLE: &str = "console";
const ORDERS: usize = 5;
/// Begins each line of the log that is counted.
const MARK: &str = "counted ";

/// A statement that a service has sent: one round trip.
struct Statement<'l> {
    service: &'l str,
    /// Process of the server, which is a connection.
    process: &'l str,
    text: &'l str,
}

#[tokio::test]
async fn a_lone_order_and_a_system_at_rest_ask_little_of_the_database() -> Result<()> {
    let stack = Stack::alone().await?;
    log_statements(&stack.compose).await?;
    let counted = count(&stack).await;
    let settings = [
        "log_statement",
        "log_line_prefix",
        "log_parameter_max_length",
    ];
    let reset = settings.map(|setting| format!("alter system reset {setting}"));
    change(&stack.compose, &reset).await?;
    let (round_trips, at_rest) = counted?;
    for (step, most) in ON_ITS_WAY {
        let found = round_trips.get(step).copied();
        let found = found.with_context(|| format!("not {step}: {round_trips:?}"))?;
        ensure!(found <= most, "{step}: {found} instead of {most}");
    }
    ensure!(at_rest <= AT_REST, "at rest: {at_rest} a second");
    Ok(())
}

/// The least that each step of an order took, and statements a second at rest.
async fn count(stack: &Stack) -> Result<(BTreeMap<&'static str, usize>, f64)> {
    let mut least = BTreeMap::new();
    let counted = eventually("orders are counted", LIMIT, async || {
        // One after the other, so that each is alone.
        for _ in 0..ORDERS {
            let wish = wish(ANYTHING, 1);
            stack.gateway.place_until(&wish, "confirmed").await?;
        }
        let log = log(&stack.compose).await?;
        for (step, round_trips) in transactions(&statements(&log)) {
            let least = least.entry(step).or_insert(round_trips);
            *least = round_trips.min(*least);
        }
        let is_little = |(step, most): &(&str, usize)| least.get(step).is_some_and(|n| n <= most);
        Ok(ON_ITS_WAY.iter().all(is_little).then_some(()))
    });
    // Whoever asks compares, and names the step.
    let counted = counted.await;
    if least.len() < ON_ITS_WAY.len() {
        counted?;
    }
    // Until the last e-mail of earlier tests has left.
    let mut lowest = f64::MAX;
    let rest = eventually("the system is at rest", LIMIT, async || {
        let before = statements(&log(&stack.compose).await?).len();
        let begun = Instant::now();
        sleep(WINDOW).await;
        let after = statements(&log(&stack.compose).await?).len();
        let sent = after.checked_sub(before).context("the log was rotated")?;
        let a_second = sent as f64 / begun.elapsed().as_secs_f64();
        lowest = lowest.min(a_second);
        Ok((lowest <= AT_REST).then_some(()))
    });
    rest.await.ok();
    Ok((least, lowest))
}

/// How many round trips each transaction took that belongs to the way of an order.
fn transactions(statements: &[Statement<'_>]) -> Vec<(&'static str, usize)> {
    let mut open: BTreeMap<&str, (Option<&'static str>, usize)> = BTreeMap::new();
    let mut committed = Vec::new();
    for Statement {
        service,
        process,
        text,
    } in statements
    {
        if text.starts_with("begin") {
            open.insert(*process, (None, 0));
        }
        let Some((step, round_trips)) = open.get_mut(process) else {
            continue;
        };
        *round_trips += 1;
        let is = |start: &str| text.starts_with(start);
        match *service {
            "order" if is("insert into orders") => *step = Some("placed"),
            "order" if is("update orders") => *step = Some("confirmed"),
            "inventory" if is("with levels as") => *step = Some("reserved"),
            _ => {}
        }
        if text.eq_ignore_ascii_case("commit") {
            let ended = open.remove(process);
            committed.extend(ended.and_then(|(step, round_trips)| Some((step?, round_trips))));
        }
    }
    committed
}

fn statements(log: &str) -> Vec<Statement<'_>> {
    log.lines().filter_map(statement).collect()
}

fn statement(line: &str) -> Option<Statement<'_>> {
    // Compose may begin a line with a control sequence.
    let (_, counted) = line.split_once(MARK)?;
    let (service, rest) = counted.split_once(' ')?;
    let is_ours = Compose::SERVICES.contains(&service) || service == CONSOLE;
    let (process, rest) = rest.split_once(' ').filter(|_| is_ours)?;
    let said = rest.strip_prefix("LOG:  ")?;
    let is_sent = said.starts_with("statement: ") || said.starts_with("execute ");
    let (_, text) = said.split_once(": ").filter(|_| is_sent)?;
    Some(Statement {
        service,
        process,
        text,
    })
}

async fn log(compose: &Compose) -> Result<String> {
    let logs = ["logs", "--no-color", "--no-log-prefix", "postgres"];
    compose.run(&logs).await
}

/// Has every statement in the log from now on, without its parameters.
async fn log_statements(compose: &Compose) -> Result<()> {
    let settings = [
        "alter system set log_statement = 'all'".to_owned(),
        format!("alter system set log_line_prefix = '{MARK}%a %p '"),
        "alter system set log_parameter_max_length = 0".to_owned(),
    ];
    change(compose, &settings).await
}

/// Changes settings of the server, as its superuser.
async fn change(compose: &Compose, statements: &[String]) -> Result<()> {
    let mut psql = vec!["exec", "-T", "postgres", "psql", "-U", "postgres", "-qAtX"];
    for statement in statements {
        psql.extend(["-c", statement.as_str()]);
    }
    psql.extend(["-c", "select pg_reload_conf()"]);
    compose.run(&psql).await.map(drop)
}
