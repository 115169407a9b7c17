//! `docs/openapi/notification.json` is generated from the code. This test fails when they differ;
//! `UPDATE_DOCS=1 cargo test --release -p notification-tests --test openapi` writes it anew.

use std::path::Path;

use anyhow::{Result, ensure};
use notification::http::routes;
use serde_json::Value;
use sqlx::PgPool;

#[tokio::test]
async fn the_openapi_document_is_up_to_date() -> Result<()> {
    let routes = routes(&PgPool::connect_lazy("postgres://nowhere")?);
    let document = runtime::http::openapi("notification", routes.into_openapi());
    let document = serde_json::to_value(document)?;
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/openapi/notification.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{document:#}\n"))?;
    }
    // Compared as JSON: the order of keys depends on what else is compiled along.
    let written: Value = serde_json::from_slice(&std::fs::read(&path)?)?;
    ensure!(
        written == document,
        "docs/openapi/notification.json is not what the code says"
    );
    Ok(())
}
