//! The configuration of the service.

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
}
