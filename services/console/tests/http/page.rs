//! The page, with every file inside the binary.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};
use sqlx::PgPool;

use crate::support::{Answer, Service};

#[tokio::test]
async fn the_page_is_html_and_allows_its_own_import_map_only() -> Result<()> {
    let page = service()?.get("/").await?;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(
        page.header(header::CONTENT_TYPE),
        "text/html; charset=utf-8"
    );
    let html = text(&page)?;
    let map = html
        .split_once(r#"<script type="importmap">"#)
        .context("no import map")?
        .1;
    let map = map.split_once("</script>").context("no end")?.0;
    let policy = page.header(header::CONTENT_SECURITY_POLICY);
    let hash = BASE64_STANDARD.encode(Sha256::digest(map));
    assert!(
        policy.contains(&format!("script-src 'self' 'sha256-{hash}';")),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(page.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
    // What the policy does not allow would not run.
    assert_eq!(
        html.matches("<script").count() - html.matches("<script type=\"module\" src=").count(),
        1
    );
    assert!(!html.contains("<style") && !html.contains(" style=") && !html.contains(" onclick="));
    Ok(())
}

#[tokio::test]
async fn every_file_that_the_page_names_is_there_with_its_type() -> Result<()> {
    let service = service()?;
    let html = text(&service.get("/").await?)?;
    let named: BTreeSet<_> = html
        .split('"')
        .filter(|text| text.starts_with("/page/"))
        .collect();
    assert!(named.len() > 20, "{named:?}");
    for path in named {
        let file = service.get(path).await?;
        assert_eq!(file.status, StatusCode::OK, "{path}");
        let expected = match path.rsplit_once('.').context("no ending")?.1 {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            other => anyhow::bail!("{other}"),
        };
        assert_eq!(file.header(header::CONTENT_TYPE), expected, "{path}");
        assert_eq!(
            file.header(header::X_CONTENT_TYPE_OPTIONS),
            "nosniff",
            "{path}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn the_scaling_curve_is_data_that_the_page_may_ask_for() -> Result<()> {
    let curve = service()?.get("/page/scaling.json").await?;
    assert_eq!(curve.status, StatusCode::OK);
    assert_eq!(curve.header(header::CONTENT_TYPE), "application/json");
    let curve: serde_json::Value = serde_json::from_slice(&curve.bytes)?;
    assert!(curve["rabbitmq"].is_array() && curve["kafka"].is_array());
    Ok(())
}

#[tokio::test]
async fn a_file_that_the_browser_has_is_not_sent_again() -> Result<()> {
    let service = service()?;
    for path in ["/", "/page/app.js"] {
        let first = service.get(path).await?;
        assert_eq!(first.header(header::CACHE_CONTROL), "no-cache");
        let etag = first.header(header::ETAG).to_owned();
        assert!(!etag.is_empty());
        for known in [etag.clone(), format!("\"older\", {etag}")] {
            let again = Request::get(path).header(header::IF_NONE_MATCH, known);
            let again = service.send(again.body(Body::empty())?).await?;
            assert_eq!(
                (again.status, again.bytes.len()),
                (StatusCode::NOT_MODIFIED, 0)
            );
            assert_eq!(again.header(header::ETAG), etag);
        }
        let changed = Request::get(path).header(header::IF_NONE_MATCH, "W/\"older\"");
        let changed = service.send(changed.body(Body::empty())?).await?;
        assert_eq!(
            (changed.status, changed.bytes),
            (StatusCode::OK, first.bytes)
        );
    }
    Ok(())
}

#[tokio::test]
async fn files_are_compressed_for_those_who_can_read_that() -> Result<()> {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    let service = service()?;
    for path in ["/", "/page/app.js", "/page/vendor/uPlot.iife.min.js"] {
        let plain = service.get(path).await?;
        assert_eq!(plain.header(header::CONTENT_ENCODING), "");
        let packed = Request::get(path).header(header::ACCEPT_ENCODING, "gzip, br");
        let packed = service.send(packed.body(Body::empty())?).await?;
        assert_eq!(packed.header(header::CONTENT_ENCODING), "gzip");
        assert_eq!(packed.header(header::ETAG), plain.header(header::ETAG));
        assert!(
            packed.bytes.starts_with(&GZIP) && packed.bytes.len() * 3 < plain.bytes.len() * 2,
            "{path}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn nothing_outside_of_the_folder_is_reachable() -> Result<()> {
    let service = service()?;
    for path in [
        "/page/none",
        "/page/",
        "/page/vendor",
        "/page/../Cargo.toml",
        "/page/../src/lib.rs",
        "/page/%2e%2e/Cargo.toml",
        "/page/..%2fCargo.toml",
        "/page/vendor/../../Cargo.toml",
        "/page/..%5cCargo.toml",
        "/page//etc/passwd",
        "/page/%2fetc%2fpasswd",
        "/page/app.js%00",
        "/page/tests/text.test.js",
    ] {
        let answer = service.get(path).await?;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(
            answer.header(header::CONTENT_TYPE),
            "application/problem+json",
            "{path}"
        );
    }
    Ok(())
}

fn service() -> Result<Service> {
    Ok(Service::start(PgPool::connect_lazy("postgres://nowhere")?))
}

fn text(page: &Answer) -> Result<String> {
    Ok(String::from_utf8(page.bytes.to_vec())?)
}
