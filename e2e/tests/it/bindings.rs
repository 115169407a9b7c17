//! A broker that says one thing and does another.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::{Stack, eventually, wish};

use crate::ANYTHING;

/// RabbitMQ lists bindings of topic exchanges from one table and routes by another. This empties the second,
/// in the process that owns it, which is what deleting an exchange while somebody declares its bindings
/// sometimes comes to. Answers how many it had and has.
const FORGET: &str = r#"
    [Table] = [T || T <- ets:all(), is_atom(T),
        lists:prefix("rabbit_khepri_topic_binding", atom_to_list(T))],
    Before = ets:info(Table, size),
    Empty = fun(State) -> ets:delete_all_objects(Table), State end,
    sys:replace_state(ets:info(Table, owner), Empty),
    io_lib:format("~b ~b", [Before, ets:info(Table, size)])."#;

/// A binding is doubted after 15 s.
const IN_DOUBT: Duration = Duration::from_secs(90);

#[tokio::test]
async fn a_binding_that_is_listed_and_does_not_route_is_bound_anew() -> Result<()> {
    let stack = Stack::alone().await?;
    let forget = [
        "exec",
        "-T",
        "rabbitmq",
        "rabbitmqctl",
        "--quiet",
        "eval",
        FORGET,
    ];
    let numbers = stack.compose.run(&forget).await?;
    ensure!(numbers.contains("3 0"), "{numbers}");

    let wish = wish(ANYTHING, 1);
    stack.gateway.place_until(&wish, "confirmed").await?;

    let address = wish["customer"]["email"].as_str().context("no address")?;
    eventually("the e-mail leaves", IN_DOUBT, async || {
        let emails = stack.mailbox.sent_to(address).await?;
        Ok((emails.len() == 1).then_some(()))
    })
    .await
}
