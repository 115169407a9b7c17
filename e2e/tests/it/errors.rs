//! Every row of the table of errors, through the gateway.

use anyhow::{Result, ensure};
use harness::{Answer, SOON, Stack, setting, wish};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use uuid::Uuid;

use crate::ANYTHING;

#[tokio::test]
async fn what_is_well_formed_and_wrong_is_refused_by_field() -> Result<()> {
    let stack = Stack::shared().await?;
    let with = |path: &str, value: Value| {
        let mut body = wish(ANYTHING, 1);
        if let Some(place) = body.pointer_mut(path) {
            *place = value;
        }
        body
    };
    let line = json!({"sku": ANYTHING, "quantity": 1});
    let many: Vec<_> = (0..51)
        .map(|n| json!({"sku": format!("SKU-{n}"), "quantity": 1}))
        .collect();
    for (field, body) in [
        ("lines[0].sku", with("/lines/0/sku", "NO-SUCH-THING".into())),
        ("lines[0].quantity", with("/lines/0/quantity", 0.into())),
        ("lines[0].quantity", with("/lines/0/quantity", 1_001.into())),
        ("lines", with("/lines", json!([]))),
        ("lines", with("/lines", many.into())),
        ("lines[1].sku", with("/lines", json!([line, line]))),
        (
            "customer.email",
            with("/customer/email", "no address".into()),
        ),
        (
            "customer.phone",
            with(
                "/customer",
                json!({"email": "a@e2e.example", "phone": "call me"}),
            ),
        ),
    ] {
        let answer = stack.gateway.post("/api/orders", &body).await?;
        expect(&answer, 422, Some(field))?;
    }
    let answer = stack
        .gateway
        .post(
            &format!("/api/stock/{ANYTHING}/restocks"),
            &json!({"quantity": 0}),
        )
        .await?;
    expect(&answer, 422, Some("quantity"))?;
    expect(
        &stack.gateway.get("/api/orders?limit=0").await?,
        422,
        Some("limit"),
    )
}

#[tokio::test]
async fn what_is_malformed_is_refused() -> Result<()> {
    let stack = Stack::shared().await?;
    let send = async |body: &'static str| {
        let request = stack
            .gateway
            .request("/api/orders", &Value::Null)
            .body(body);
        stack.gateway.send(request).await
    };
    expect(&send("{ this is no JSON").await?, 400, None)?;
    expect(&send("").await?, 400, None)?;
    expect(&send("{}").await?, 400, None)?;
    let text =
        r#"{"customer":{"email":"a@e2e.example"},"lines":[{"sku":"KAYAK-SOLO","quantity":"two"}]}"#;
    expect(&send(text).await?, 400, Some("lines[0].quantity"))?;
    let text = r#"{"customer":{"email":"a@e2e.example","tier":"gold"},"lines":[{"sku":"KAYAK-SOLO","quantity":2}]}"#;
    expect(&send(text).await?, 400, Some("customer.tier"))?;

    for path in [
        "/api/orders/not-an-id",
        "/api/orders?status=lost",
        "/api/orders?after=1",
        "/api/notifications",
        "/api/notifications?order_id=1",
    ] {
        expect(&stack.gateway.get(path).await?, 400, None)?;
    }
    let request = stack.gateway.request("/api/orders", &wish(ANYTHING, 1));
    let answer = stack
        .gateway
        .send(request.header("idempotency-key", "a b"))
        .await?;
    expect(&answer, 400, Some("Idempotency-Key"))
}

#[tokio::test]
async fn what_is_not_there_is_not_found() -> Result<()> {
    let stack = Stack::shared().await?;
    let id = Uuid::now_v7();
    for path in [
        format!("/api/orders/{id}"),
        "/api/stock/NO-SUCH-THING".to_owned(),
        "/api/orders/a/b/c".to_owned(),
        "/nothing".to_owned(),
    ] {
        expect(&stack.gateway.get(&path).await?, 404, None)?;
    }
    for path in [
        format!("/api/orders/{id}/payment"),
        format!("/api/orders/{id}/cancellation"),
        "/api/stock/NO-SUCH-THING/restocks".to_owned(),
    ] {
        expect(
            &stack.gateway.post(&path, &json!({"quantity": 1})).await?,
            404,
            None,
        )?;
    }
    Ok(())
}

#[tokio::test]
async fn what_is_too_large_or_of_another_type_is_refused() -> Result<()> {
    let stack = Stack::shared().await?;
    for kib in [70, 300] {
        let mut body = wish(ANYTHING, 1);
        body["note"] = "x".repeat(kib * 1_024).into();
        expect(&stack.gateway.post("/api/orders", &body).await?, 413, None)?;
    }
    let request = stack
        .gateway
        .request("/api/orders", &wish(ANYTHING, 1))
        .build()?;
    let body = request
        .body()
        .and_then(|body| body.as_bytes())
        .unwrap_or_default()
        .to_vec();
    let request = stack
        .gateway
        .request_of_type("/api/orders", "text/plain", body);
    expect(&stack.gateway.send(request).await?, 415, None)
}

#[tokio::test]
async fn the_wrong_method_is_refused() -> Result<()> {
    let stack = Stack::shared().await?;
    let answer = stack.gateway.post("/api/products", &Value::Null).await?;
    expect(&answer, 405, None)
}

#[tokio::test]
async fn only_the_api_and_its_pages_are_published() -> Result<()> {
    let stack = Stack::shared().await?;
    for prefix in [
        "",
        "/order",
        "/inventory",
        "/notification",
        "/console",
        "/load",
        "/api/orders/..",
        "/api/orders/../..",
        "/api/orders/%2e%2e/%2e%2e",
        "/order/docs/..",
        "/order/docs/..%2f..",
    ] {
        for path in ["/health/live", "/health/ready", "/metrics"] {
            // As it is written: an HTTP client would resolve the dots before it asks.
            let request = format!(
                "GET {prefix}{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            );
            let answer = raw(&request).await?;
            ensure!(answer.starts_with("HTTP/1.1 404 "), "{request}{answer}");
        }
    }
    for service in ["order", "inventory", "notification", "console", "load"] {
        let page = stack.gateway.get(&format!("/{service}/docs/")).await?;
        assert_eq!(page.status, 200, "{page:?}");
        assert!(
            page.headers["content-type"]
                .to_str()?
                .starts_with("text/html")
        );
        let document = stack
            .gateway
            .get(&format!("/{service}/openapi.json"))
            .await?;
        assert_eq!(document.body["info"]["title"], service);
        assert!(
            document.body["paths"]
                .as_object()
                .is_some_and(|paths| !paths.is_empty())
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_client_that_goes_away_in_the_middle_of_its_request_disturbs_nobody() -> Result<()> {
    let stack = Stack::shared().await?;
    // More often than an instance may fail before the gateway leaves it alone for a while.
    for _ in 0..10 {
        let request = "POST /api/orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                       Content-Length: 5000\r\n\r\n{\"customer\":";
        raw(request).await?;
        let next = stack.gateway.get("/api/orders?limit=1").await?;
        ensure!(next.status == 200, "{next:?}");
    }
    Ok(())
}

/// Sends this and nothing more, and returns whatever is answered to it, which may be nothing.
async fn raw(request: &str) -> Result<String> {
    let gateway = setting("GATEWAY_URL")?;
    let mut stream = TcpStream::connect(gateway.trim_start_matches("http://")).await?;
    stream.write_all(request.as_bytes()).await?;
    stream.shutdown().await?;
    let mut answer = Vec::new();
    timeout(SOON, stream.read_to_end(&mut answer)).await??;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// A problem as RFC 9457 defines it, which names the field if there is one to blame.
fn expect(answer: &Answer, status: u16, field: Option<&str>) -> Result<()> {
    ensure!(answer.status == status, "expected {status}: {answer:?}");
    ensure!(
        answer.headers["content-type"] == "application/problem+json",
        "{answer:?}"
    );
    ensure!(
        answer.body["status"] == status && answer.body["title"].is_string(),
        "{answer:?}"
    );
    ensure!(answer.body["detail"].is_string(), "{answer:?}");
    if let Some(field) = field {
        let errors = answer.body["errors"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        ensure!(
            errors.iter().any(|error| error["field"] == field),
            "expected {field}: {answer:?}"
        );
    }
    Ok(())
}
