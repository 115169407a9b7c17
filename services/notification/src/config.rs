//! The configuration of the service.

use std::time::Duration;

use axum::http::Uri;
use database::DatabaseArgs;
use lettre::message::Mailbox;
use messaging::MessagingArgs;
use runtime::config::HttpArgs;

/// What can be set, by environment variables or flags.
#[derive(clap::Args)]
pub struct Config {
    /// Where to listen.
    #[command(flatten)]
    pub http: HttpArgs,
    /// Where the tables are.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Where the brokers are.
    #[command(flatten)]
    pub messaging: MessagingArgs,
    /// How many events of orders may share a transaction.
    #[arg(
        id = "EVENTS_BATCH",
        long = "events-batch",
        env = "EVENTS_BATCH",
        default_value_t = 500,
        value_parser = clap::value_parser!(u16).range(1..=5_000)
    )]
    pub events_batch: u16,
    /// How long a notification is kept after its delivery, for example `90d`. For ever without this. At least as long
    /// as `INBOX_RETENTION`.
    #[arg(
        id = "NOTIFICATIONS_KEPT",
        long = "notifications-kept",
        env = "NOTIFICATIONS_KEPT",
        value_parser = messaging::parse_interval
    )]
    pub notifications_kept: Option<Duration>,
    /// Where e-mail goes, and from whom.
    #[command(flatten)]
    pub email: EmailArgs,
}

/// How e-mail is sent.
#[derive(Debug, Clone, clap::Args)]
pub struct EmailArgs {
    /// The mail server, as `smtp://host:port`: one in a private network, that wants neither
    /// encryption nor a password.
    #[arg(id = "SMTP_URL", long = "smtp-url", env = "SMTP_URL")]
    pub smtp_url: Uri,

    /// The sender of e-mail.
    #[arg(
        id = "EMAIL_FROM",
        long = "email-from",
        env = "EMAIL_FROM",
        default_value = "Spillway <orders@spillway.example>"
    )]
    pub from: Mailbox,

    /// How many e-mails are on their way side by side, since a mail server may take a minute for each.
    #[arg(
        id = "EMAIL_CONCURRENCY",
        long = "email-concurrency",
        env = "EMAIL_CONCURRENCY",
        default_value_t = 16,
        value_parser = clap::value_parser!(u16).range(1..=256)
    )]
    pub concurrency: u16,
}

#[cfg(test)]
mod tests {
    use clap::{Args, Command, FromArgMatches};

    use super::*;

    fn parsed(argument: &str) -> Result<Config, clap::Error> {
        let command = Config::augment_args(Command::new("notification").no_binary_name(true));
        let matches = command.try_get_matches_from([
            "--database-url=postgres://localhost/notification",
            "--amqp-url=amqp://localhost",
            "--kafka-brokers=localhost",
            "--smtp-url=smtp://localhost",
            argument,
        ])?;
        Config::from_arg_matches(&matches)
    }

    #[test]
    fn a_service_that_could_do_nothing_side_by_side_is_refused_by_its_setting() {
        for (argument, setting) in [
            ("--email-concurrency=0", "<EMAIL_CONCURRENCY>"),
            ("--email-concurrency=257", "<EMAIL_CONCURRENCY>"),
            ("--events-batch=0", "<EVENTS_BATCH>"),
            ("--events-batch=many", "<EVENTS_BATCH>"),
            ("--notifications-kept=0s", "<NOTIFICATIONS_KEPT>"),
        ] {
            let refused = parsed(argument).err().map(|error| error.to_string());
            let names_it = refused.is_some_and(|error| error.contains(setting));
            assert!(names_it, "{argument}");
        }
        let taken = parsed("--email-concurrency=1");
        assert!(taken.is_ok_and(|config| config.email.concurrency == 1));
    }
}
