//! Whether the tests would notice what no page may do.

use anyhow::Result;
use browser::{Look, in_a_browser_at};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const HEADERS: &str = "content-security-policy: default-src 'self'; img-src *; script-src 'self' 'unsafe-inline'\r\n\
    content-type: text/html\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn a_page_that_does_nothing_wrong_passes() -> Result<()> {
    assert_eq!(found("<title>Calm</title>").await?, None);
    Ok(())
}

#[tokio::test]
async fn what_no_page_may_do_is_found() -> Result<()> {
    for (page, why) in [
        ("<script>console.error('oops')</script>", "oops"),
        ("<script>nonsense()</script>", "nonsense is not defined"),
        ("<style>p {color: red}</style>", "Content Security Policy"),
        ("<script src='/no-such-thing'></script>", "404"),
        (
            "<img src='http://127.0.0.2:9/logo.png'>",
            "a request to another host: http://127.0.0.2:9/logo.png",
        ),
    ] {
        let found = found(page).await?;
        let is_found = found.as_ref().is_some_and(|found| found.contains(why));
        assert!(is_found, "{page}: {found:?}");
    }
    Ok(())
}

/// What is complained of on a page with this content.
async fn found(page: &str) -> Result<Option<String>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let page = format!("<!doctype html><link rel=icon href=/icon>{page}");
    let server = tokio::spawn(serve(listener, page));
    let visit = in_a_browser_at(&origin, Look::default(), async |page| page.go("/").await);
    let visit = visit.await;
    server.abort();
    Ok(visit.err().map(|error| format!("{error:#}")))
}

async fn serve(listener: TcpListener, page: String) -> Result<()> {
    loop {
        let (mut socket, _) = listener.accept().await?;
        let page = page.clone();
        tokio::spawn(async move {
            let mut request = [0; 4096];
            let length = socket.read(&mut request).await?;
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            let is_there = request.starts_with("GET / ") || request.starts_with("GET /icon ");
            let status = if is_there { "200 OK" } else { "404 Not Found" };
            let answer = format!("HTTP/1.1 {status}\r\n{HEADERS}{page}");
            socket.write_all(answer.as_bytes()).await
        });
    }
}
