use std::time::Duration;

use reqwest::Client;

/// An HTTP client with a time limit for each request.
///
/// It uses no connection again that was idle for long: the management API of RabbitMQ and the mail catcher
/// close theirs after 5 s, and a request that meets this and must not be repeated would be an error.
///
/// # Errors
///
/// When the client cannot be built.
pub fn http_client(limit: Duration) -> reqwest::Result<Client> {
    // Nothing here speaks TLS, the HTTP client wants to know all the same who would.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .timeout(limit)
        .pool_idle_timeout(Duration::from_secs(2))
        .build()
}
