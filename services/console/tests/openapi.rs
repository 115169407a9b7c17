//! `docs/openapi/console.json` is generated from the code. This test fails when they differ;
//! `UPDATE_DOCS=1 cargo test --release -p console-tests --test openapi` writes it anew.

mod support;

use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::Value;
use sqlx::PgPool;
use support::Service;

#[tokio::test]
async fn the_openapi_document_is_up_to_date() -> Result<()> {
    let service = Service::start(PgPool::connect_lazy("postgres://nowhere")?);
    let document = service.get("/openapi.json").await?.body;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/openapi/console.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{document:#}\n"))?;
    }
    // Compared as JSON: the order of keys depends on what else is compiled along.
    let written: Value = serde_json::from_slice(&std::fs::read(&path)?)?;
    ensure!(
        written == document,
        "docs/openapi/console.json is not what the code says"
    );
    Ok(())
}
