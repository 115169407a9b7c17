//! A service that was given something wrong says so in one line, and does not start.

use anyhow::{Context, Result};
use harness::Compose;

#[tokio::test]
async fn a_setting_that_is_wrong_is_one_line_that_names_it() -> Result<()> {
    let compose = Compose::from_environment()?;
    let cases: [(&[&str], &str); 6] = [
        (
            &["SSL_CERT_FILE=/nowhere/ca.pem"],
            "order: SSL_CERT_FILE: cannot read /nowhere/ca.pem: ",
        ),
        (
            &["SSL_CERT_FILE=/run/secrets/amqp-url"],
            "order: SSL_CERT_FILE: /run/secrets/amqp-url holds no certificate",
        ),
        (
            &["DATABASE_URL_FILE=/nowhere/url"],
            "order: DATABASE_URL_FILE: cannot read /nowhere/url: ",
        ),
        (
            &["KAFKA_PASSWORD=again"],
            "order: KAFKA_PASSWORD and KAFKA_PASSWORD_FILE are both set",
        ),
        (
            &["ADMIN_TOKEN_FILE=", "ADMIN_TOKEN=too-short"],
            "order: error: ADMIN_TOKEN must have at least 16 characters",
        ),
        (
            &["KAFKA_SECURITY_PROTOCOL=TLS"],
            "order: error: invalid value 'TLS' for '--kafka-security-protocol",
        ),
    ];
    for (settings, expected) in cases {
        let mut arguments = vec!["run", "--rm", "--no-deps", "-T"];
        arguments.extend(settings.iter().flat_map(|&setting| ["-e", setting]));
        arguments.push("order");
        let started = compose.run(&arguments).await;
        let said = started.err().context("it started")?.to_string();
        assert_eq!(said.matches(expected).count(), 1, "{settings:?}: {said}");
    }
    Ok(())
}
