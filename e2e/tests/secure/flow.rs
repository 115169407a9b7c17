//! An order from the wish to the e-mail, over TLS everywhere.

use anyhow::{Result, ensure};
use harness::{SOON, Stack, eventually, http_client, setting, wish};
use serde_json::json;
use sqlx::Row;
use sqlx::postgres::PgSslMode;

use crate::clients::{TIMEOUT, authority, password, postgres};

#[tokio::test]
async fn an_order_is_confirmed_told_of_and_paid() -> Result<()> {
    let stack = Stack::shared().await?;
    let order = stack.gateway.place(&wish("PADDLE-CARBON", 1)).await?;
    stack.gateway.reaches(order.id, "confirmed", SOON).await?;
    let expected = [
        ("order-placed", "push"),
        ("order-confirmed", "push"),
        ("order-confirmed", "email"),
    ];
    stack.gateway.told(order.id, &expected).await?;
    let paid = stack.gateway.settle(order.id, "payment").await?;
    assert_eq!(paid.status, "paid");
    // The console has read of it in the topics.
    let path = format!("/api/console/orders/{}", order.id);
    eventually("the console knows that it is paid", SOON, async || {
        let answer = stack.gateway.get(&path).await?;
        Ok((answer.body["order"]["status"] == "paid").then_some(()))
    })
    .await
}

#[tokio::test]
async fn every_session_of_a_service_with_its_database_is_encrypted() -> Result<()> {
    let mut db = postgres("postgres", "postgres", PgSslMode::VerifyFull, &authority()?).await?;
    let sessions = "select usename::text, bool_and(ssl) as encrypted from pg_stat_activity \
                    join pg_stat_ssl using (pid) where usename <> 'postgres' group by usename order by usename";
    let rows = sqlx::query(sessions).fetch_all(&mut db).await?;
    let mut users = Vec::new();
    for row in &rows {
        ensure!(row.try_get::<bool, _>("encrypted")?);
        users.push(row.try_get::<String, _>("usename")?);
    }
    assert_eq!(users, ["console", "inventory", "notification", "order"]);
    Ok(())
}

#[tokio::test]
async fn nothing_can_be_broken_on_purpose() -> Result<()> {
    let stack = Stack::shared().await?;
    let url = setting("GATEWAY_URL")?;
    let asked = http_client(TIMEOUT)?
        .put(format!("{url}/api/console/controls/inventory"))
        .bearer_auth(password("admin-token")?)
        .json(&json!({"pause": true, "seconds": 5, "by": "Mallory"}));
    assert_eq!(asked.send().await?.status().as_u16(), 403);
    let controls = stack.gateway.get("/api/console/controls").await?;
    assert_eq!(controls.body, json!({"demo": false, "controls": []}));
    Ok(())
}
