use anyhow::{Result, ensure};
use reqwest::Client;
use serde::Deserialize;

use crate::{SOON, eventually, setting};

/// The mail catcher.
#[derive(Debug, Clone)]
pub struct Mailbox {
    http: Client,
    url: String,
}

/// An e-mail as it was received.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "known from every mail program")]
pub struct Email {
    pub subject: String,
    pub text: Option<String>,
    pub html: Option<String>,
    pub headers: Headers,
    pub envelope: Envelope,
}

/// The headers that tests look at.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "known from every mail program")]
pub struct Headers {
    pub message_id: String,
    pub x_order_id: Option<String>,
    pub traceparent: Option<String>,
}

/// What was said before the message itself.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "known from SMTP")]
pub struct Envelope {
    pub to: Vec<Address>,
}

/// An address.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "says it all")]
pub struct Address {
    pub address: String,
}

#[derive(Deserialize)]
struct Summary {
    #[serde(rename = "storeTotal")]
    store_total: u64,
}

impl Mailbox {
    /// As `MAIL_URL` says.
    pub fn new(http: Client) -> Result<Self> {
        Ok(Self {
            http,
            url: setting("MAIL_URL")?,
        })
    }

    /// Everything that was sent to this address.
    pub async fn sent_to(&self, address: &str) -> Result<Vec<Email>> {
        let query = format!("envelope.to.address={address}");
        let request = self.http.get(format!("{}/api/email?{query}", self.url));
        let response = request.send().await?;
        Ok(response.error_for_status()?.json().await?)
    }

    /// Waits until so many e-mails were sent to this address.
    pub async fn receives(&self, address: &str, count: usize) -> Result<Vec<Email>> {
        let emails = eventually(format!("{count} e-mails to {address}"), SOON, async || {
            let emails = self.sent_to(address).await?;
            Ok((emails.len() >= count).then_some(emails))
        });
        let emails = emails.await?;
        ensure!(
            emails.len() == count,
            "{} e-mails to {address}: {emails:?}",
            emails.len()
        );
        Ok(emails)
    }

    /// How many e-mails there are.
    pub async fn count(&self) -> Result<u64> {
        let request = self
            .http
            .get(format!("{}/api/email/summary?limit=1", self.url));
        let summary: Summary = request.send().await?.error_for_status()?.json().await?;
        Ok(summary.store_total)
    }

    /// Throws everything away.
    pub async fn clear(&self) -> Result<()> {
        let request = self.http.delete(format!("{}/api/email/all", self.url));
        request.send().await?.error_for_status()?;
        Ok(())
    }
}
