//! The variables of the service.

use std::time::Duration;

use anyhow::Result;
use clap::builder::Resettable;
use clap::{CommandFactory, FromArgMatches, Parser};
use order::config::Config;

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    config: Config,
}

#[test]
fn the_payment_deadline_is_written_with_a_unit() -> Result<()> {
    for (text, seconds) in [("10s", 10), ("15m", 900), ("24h", 86_400), ("1d", 86_400)] {
        let deadline = parse(text)?.config.payment_deadline;
        assert_eq!(deadline, Duration::from_secs(seconds), "{text}");
    }
    Ok(())
}

#[test]
fn a_payment_deadline_that_is_no_duration_is_refused_by_its_name() {
    for text in ["15", "soon", "-1d", "99999999999999999999d", ""] {
        let refusal = parse(text).err().map(|error| error.to_string());
        let names_it = refusal.is_some_and(|text| text.contains("PAYMENT_DEADLINE"));
        assert!(names_it, "{text:?}");
    }
}

#[test]
fn orders_are_swept_after_a_time_and_not_all_the_time() -> Result<()> {
    let config = parse("15m")?.config;
    let five_minutes = Duration::from_secs(300);
    assert_eq!(config.pending_sweep_after, five_minutes);
    assert_eq!(config.unpaid_sweep_after, five_minutes);
    for setting in ["pending-sweep-after", "unpaid-sweep-after"] {
        let refusal = parse_with("15m", &[&format!("--{setting}=0s")]).err();
        let name = setting.to_uppercase().replace('-', "_");
        assert!(refusal.is_some_and(|error| error.to_string().contains(&name)));
    }
    Ok(())
}

#[test]
fn a_token_that_is_too_short_is_refused_by_its_name_and_not_quoted() -> Result<()> {
    let arguments = parse_with("15m", &["--admin-token=0123456789abcdef"])?;
    assert!(arguments.config.admin.token.is_some());
    assert!(parse("15m")?.config.admin.token.is_none());
    let refusal = parse_with("15m", &["--admin-token=0123456789abcde"]).err();
    let refusal = refusal.map(|error| error.to_string()).unwrap_or_default();
    let line = refusal.lines().next().unwrap_or_default();
    assert!(
        line.contains("ADMIN_TOKEN must have at least 16 characters"),
        "{refusal}"
    );
    assert!(!refusal.contains("0123456789abcde"), "{refusal}");
    Ok(())
}

#[test]
fn orders_and_keys_are_kept_for_ever_or_for_a_time() -> Result<()> {
    let config = parse("15m")?.config;
    assert_eq!(
        (config.orders_kept, config.idempotency_keys_kept),
        (None, None)
    );
    let kept = ["--orders-kept=90d", "--idempotency-keys-kept=1d"];
    let config = parse_with("15m", &kept)?.config;
    let days = |days: u64| Some(Duration::from_secs(days * 86_400));
    assert_eq!(config.orders_kept, days(90));
    assert_eq!(config.idempotency_keys_kept, days(1));
    Ok(())
}

fn parse(payment_deadline: &str) -> clap::error::Result<Arguments> {
    parse_with(payment_deadline, &[])
}

fn parse_with(payment_deadline: &str, more: &[&str]) -> clap::error::Result<Arguments> {
    let payment_deadline = format!("--payment-deadline={payment_deadline}");
    let arguments = [
        "order",
        "--database-url=postgres://nowhere",
        "--amqp-url=amqp://nowhere",
        "--kafka-brokers=nowhere",
        &payment_deadline,
    ];
    // Whatever is set where this runs.
    let command = Arguments::command().mut_args(|argument| argument.env(Resettable::Reset));
    let matches = command.try_get_matches_from(arguments.iter().chain(more))?;
    Arguments::from_arg_matches(&matches)
}
