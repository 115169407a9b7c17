use std::convert::Infallible;

use clap::Args;
use secrecy::SecretString;

/// Where the database of the service is, from the environment.
#[derive(Args, Clone, Debug)]
pub struct DatabaseArgs {
    /// PostgreSQL URL with user and password.
    // A secret, so it is neither printed by `Debug` nor echoed in a complaint about its syntax.
    #[arg(id = "DATABASE_URL", long = "database-url", env = "DATABASE_URL", hide_env_values = true, value_parser = secret)]
    pub url: SecretString,

    /// Most connections that the pool opens.
    #[arg(id = "DATABASE_POOL_SIZE", long = "database-pool-size", env = "DATABASE_POOL_SIZE", default_value_t = 10,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub pool_size: u32,
}

/// Accepts anything, so that no complaint can echo the password.
fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(SecretString::from(text))
}
