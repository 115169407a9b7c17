use anyhow::Result;
use serde_json::Value;
use thirtyfour::BrowserLogEntry;

/// What the browser noted since the page was opened for the first time.
#[derive(Debug, Clone, Default)]
pub struct Record {
    requests: Vec<Request>,
    /// What stands in the browser's console as an error.
    errors: Vec<Error>,
    /// How often the browser gave up a request because the machine's network has changed.
    given_up: usize,
}

/// Chrome gives up what it loads when a network interface comes or goes, as one does with every container that starts
/// or ends. That is nothing that a page does.
const GIVEN_UP: &str = "ERR_NETWORK_CHANGED";

/// One request of the page.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Where it went.
    pub url: String,
    /// What came over the line; none as long as nothing came, and when the cache answered.
    pub status: Option<u16>,
    /// What came over the line so far, with headers.
    pub bytes: u64,
    id: String,
}

#[derive(Debug, Clone)]
struct Error {
    source: String,
    message: String,
}

impl Record {
    /// What the page asked for, in this order. The browser says less about what it asks for by itself, such as an
    /// icon.
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        let requests = self.requests.iter();
        requests.filter(|request| !request.url.is_empty())
    }

    /// Forgets what was so far, for a second visit.
    pub(crate) fn clear(&mut self) {
        self.requests.clear();
    }

    /// How many requests the browser has given up since it was asked last.
    pub(crate) fn take_given_up(&mut self) -> usize {
        std::mem::take(&mut self.given_up)
    }

    /// What no page may do, each as a sentence. `origin` is that of the page. Failed requests are no error
    /// where a test takes the server away.
    pub(crate) fn wrongs(&self, origin: &str, failures_are_expected: bool) -> Vec<String> {
        let errors = self.errors.iter();
        let errors = errors.filter(|error| !(failures_are_expected && error.source == "network"));
        let errors = errors.map(|Error { source, message }| format!("{source}: {message}"));
        let is_foreign = |request: &&Request| {
            let inside = ["data:", "blob:", "about:"];
            let is_inside = inside.iter().any(|scheme| request.url.starts_with(scheme));
            let is_ours = request.url.strip_prefix(origin);
            !is_inside && !is_ours.is_some_and(|path| path.starts_with('/'))
        };
        let foreign = self.requests().filter(is_foreign);
        let foreign = foreign.map(|request| format!("a request to another host: {}", request.url));
        let mut wrongs: Vec<_> = errors.chain(foreign).collect();
        // Whatever is wrong is wrong again a moment later.
        wrongs.sort_unstable();
        wrongs.dedup();
        wrongs
    }

    /// Adds entries of the log `browser`.
    pub(crate) fn add_console(&mut self, entries: Vec<BrowserLogEntry>) {
        // What a content security policy stops is an error from the source `security`.
        let errors = entries.into_iter().filter(|entry| entry.level == "SEVERE");
        let (given_up, errors): (Vec<_>, Vec<_>) =
            errors.partition(|entry| entry.message.contains(GIVEN_UP));
        self.given_up += given_up.len();
        let errors = errors.into_iter();
        self.errors.extend(errors.map(|entry| Error {
            source: entry.source.unwrap_or_default(),
            message: entry.message,
        }));
    }

    /// Adds entries of the log `performance`, which are events of the protocol of the developer tools.
    pub(crate) fn add_events(&mut self, entries: &[BrowserLogEntry]) -> Result<()> {
        for entry in entries {
            let entry: Value = serde_json::from_str(&entry.message)?;
            let event = &entry["message"];
            self.add_event(
                event["method"].as_str().unwrap_or_default(),
                &event["params"],
            );
        }
        Ok(())
    }

    fn add_event(&mut self, method: &str, event: &Value) {
        let id = event["requestId"].as_str().unwrap_or_default();
        let bytes = event["encodedDataLength"].as_u64().unwrap_or_default();
        match method {
            "Network.requestWillBeSent" => {
                let url = event["request"]["url"].as_str().unwrap_or_default();
                self.of(id).url = url.to_owned();
            }
            // This one says what came over the line, `responseReceived` what the page sees: never a 304.
            "Network.responseReceivedExtraInfo" => {
                let status = event["statusCode"].as_u64();
                self.of(id).status = status.and_then(|status| u16::try_from(status).ok());
            }
            // A stream never finishes.
            "Network.dataReceived" => self.of(id).bytes += bytes,
            "Network.loadingFinished" => self.of(id).bytes = bytes,
            _ => {}
        }
    }

    /// The events of a request come in any order.
    fn of(&mut self, id: &str) -> &mut Request {
        let known = self.requests.iter().rposition(|request| request.id == id);
        let index = known.unwrap_or_else(|| {
            self.requests.push(Request {
                id: id.to_owned(),
                ..Request::default()
            });
            self.requests.len() - 1
        });
        &mut self.requests[index]
    }
}
