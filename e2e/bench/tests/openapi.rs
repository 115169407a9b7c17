//! `docs/openapi/load.json` is generated from the code. This test fails when they differ;
//! `UPDATE_DOCS=1 cargo test --release -p bench --test openapi` writes it anew.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, ensure};
use bench::load::sale::{Sales, http::routes};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

#[test]
fn the_openapi_document_is_up_to_date() -> Result<()> {
    let sales = Sales::new("http://nowhere".to_owned(), false, CancellationToken::new());
    let document = runtime::http::openapi("load", routes(Arc::new(sales)).into_openapi());
    let document = serde_json::to_value(document)?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi/load.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{document:#}\n"))?;
    }
    // Compared as JSON: the order of keys depends on what else is compiled along.
    let written: Value = serde_json::from_slice(&std::fs::read(&path)?)?;
    ensure!(
        written == document,
        "docs/openapi/load.json is not what the code says"
    );
    Ok(())
}
