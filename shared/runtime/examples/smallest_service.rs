//! The smallest service: one route, and everything that `runtime` puts around it.
//!
//! Run it with `HTTP_ADDR=127.0.0.1:8080 cargo run -p runtime --example smallest_service`, then look
//! at `/greetings/you`, `/docs/`, `/health/ready` and `/metrics`, and stop it with Ctrl-C.

use runtime::{
    Lifecycle,
    config::HttpArgs,
    health::Health,
    http::{self, Json, Path},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

#[derive(clap::Args)]
struct Config {
    #[command(flatten)]
    http: HttpArgs,
}

fn main() -> std::process::ExitCode {
    runtime::run("greetings", start)
}

async fn start(config: Config, life: &Lifecycle) -> anyhow::Result<()> {
    let api = OpenApiRouter::new().routes(routes!(greet));
    let app = http::app(
        "greetings",
        api,
        Health::default(),
        &config.http.allowed_hosts,
    );
    life.spawn("http", |token| http::serve(config.http.addr, app, token));
    Ok(())
}

#[derive(Serialize, ToSchema)]
struct Greeting {
    text: String,
}

/// Greets somebody.
#[utoipa::path(get, path = "/greetings/{name}", params(("name" = String, Path)), responses((status = 200, body = Greeting)))]
async fn greet(Path(name): Path<String>) -> Json<Greeting> {
    Json(Greeting {
        text: format!("Hello, {name}!"),
    })
}
