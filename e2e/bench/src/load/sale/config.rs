//! The configuration of the service.

use clap::{ArgAction, builder::BoolishValueParser};
use runtime::config::HttpArgs;

/// What can be set, by environment variables or flags.
#[derive(clap::Args)]
pub struct Config {
    /// Where to listen.
    #[command(flatten)]
    pub http: HttpArgs,

    /// Where orders are placed.
    #[arg(
        id = "GATEWAY_URL",
        long = "gateway-url",
        env = "GATEWAY_URL",
        default_value = "http://gateway:8080"
    )]
    pub gateway_url: String,

    /// Says that nothing here is real, so that there may be flash sales.
    #[arg(long, env = "SPILLWAY_DEMO", default_value_t = false, value_parser = BoolishValueParser::new(),
          action = ArgAction::Set)]
    pub demo: bool,
}
