//! Requests without the admin token.

use anyhow::{Context, Result};
use harness::{http_client, setting};
use reqwest::Method;
use serde_json::json;

use crate::clients::{TIMEOUT, password};

#[tokio::test]
async fn restocks_lists_and_actions_need_the_token() -> Result<()> {
    let (url, token) = (setting("GATEWAY_URL")?, password("admin-token")?);
    let client = http_client(TIMEOUT)?;
    for (method, path, body, status) in [
        (
            Method::POST,
            "/api/stock/PADDLE-CARBON/restocks",
            json!({"quantity": 1}),
            200,
        ),
        (Method::GET, "/api/orders", json!(null), 200),
        (Method::GET, "/api/console/orders", json!(null), 200),
        (Method::GET, "/api/console/letters", json!(null), 200),
        (
            Method::POST,
            "/api/console/letters/restore",
            json!({"by": "Ada", "letters": []}),
            0,
        ),
        (
            Method::PUT,
            "/api/console/controls/order",
            json!({"pause": true, "seconds": 5, "by": "Ada"}),
            403,
        ),
    ] {
        for (brought, expected) in [
            (None, 401),
            (Some("not-the-admin-token"), 401),
            (Some(&*token), status),
        ] {
            let mut request = client.request(method.clone(), format!("{url}{path}"));
            if !body.is_null() {
                request = request.json(&body);
            }
            if let Some(brought) = brought {
                request = request.bearer_auth(brought);
            }
            let answer = request.send().await.context(path)?.status().as_u16();
            if expected == 0 {
                assert_ne!(answer, 401, "{method} {path}");
            } else {
                assert_eq!(answer, expected, "{method} {path} with {brought:?}");
            }
        }
    }
    for path in ["/api/products", "/api/stock", "/api/console/frame", "/"] {
        let answer = client.get(format!("{url}{path}")).send().await?;
        assert_eq!(answer.status().as_u16(), 200, "{path} is for everybody");
    }
    Ok(())
}
