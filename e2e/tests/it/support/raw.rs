//! Requests byte by byte, and what the gateway says by itself.

use anyhow::{Result, ensure};
use harness::{Answer, SOON, setting};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub(crate) fn refused(answer: &Answer, status: u16) -> Result<()> {
    ensure!(answer.status == status, "{answer:?}");
    ensure!(
        answer.headers["content-type"] == "application/problem+json" && answer.body != Value::Null,
        "{answer:?}"
    );
    Ok(())
}

pub(crate) async fn connect() -> Result<TcpStream> {
    let gateway = setting("GATEWAY_URL")?;
    Ok(TcpStream::connect(gateway.trim_start_matches("http://")).await?)
}

/// Sends this and returns all that is answered to it.
pub(crate) async fn raw(request: &str) -> Result<String> {
    let mut stream = connect().await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    timeout(SOON, stream.read_to_end(&mut answer)).await??;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
