use axum::{
    extract::Request,
    http::{StatusCode, header},
};

use super::Problem;

/// The host that a request is for: a name or an address, and a port where it is not the usual one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) port: Option<u16>,
}

impl Host {
    /// Reads `name`, `name:port` or `[address]:port`; nothing else may stand beside them.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let after_address = text.find(']').map_or(0, |end| end + 1);
        let (name, port) = match text.get(after_address..)?.split_once(':') {
            Some((rest, port)) => (text.get(..after_address + rest.len())?, Some(port)),
            None => (text, None),
        };
        let is_digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
        let port = match port {
            None | Some("") => None,
            Some(port) => Some(port.parse().ok().filter(|_| is_digits(port))?),
        };
        let is_address = name.starts_with('[') && name.ends_with(']');
        let fits = |byte: u8| {
            byte.is_ascii_alphanumeric()
                || b"-._".contains(&byte)
                || (is_address && b":[]".contains(&byte))
        };
        let is_host = !name.is_empty() && name.bytes().all(fits);
        is_host.then(|| Self {
            name: name.to_ascii_lowercase(),
            port,
        })
    }
}

/// The names under which the process may be asked.
#[derive(Debug)]
pub(super) struct Hosts {
    names: Vec<String>,
}

impl Hosts {
    /// Those of every machine, those inside the Compose network, and the configured ones.
    pub(super) fn new(service: &str, configured: &[String]) -> Self {
        let names = ["localhost", "127.0.0.1", "[::1]", "gateway", service]
            .into_iter()
            .chain(configured.iter().map(String::as_str))
            .map(str::to_ascii_lowercase)
            .collect();
        Self { names }
    }

    /// The host that the request is for, if it may be asked for here.
    pub(super) fn check(&self, request: &Request) -> Result<Host, Problem> {
        let host = host_of(request).ok_or_else(|| {
            Problem::bad_request("a header is malformed").field("Host", "expected once, a host")
        })?;
        if self.names.contains(&host.name) {
            return Ok(host);
        }
        Err(Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            "this service does not answer for the host in the header `Host`; ALLOWED_HOSTS lists further ones",
        ))
    }
}

/// From the header, and from the address where the request line has a whole one: then both agree.
fn host_of(request: &Request) -> Option<Host> {
    let mut values = request.headers().get_all(header::HOST).iter();
    let header = match (values.next(), values.next()) {
        (None, _) => None,
        (Some(value), None) => Some(Host::parse(value.to_str().ok()?)?),
        (Some(_), Some(_)) => return None,
    };
    let address = match request.uri().authority() {
        Some(authority) => Some(Host::parse(authority.as_str())?),
        None => None,
    };
    match (header, address) {
        (Some(header), Some(address)) => (header == address).then_some(header),
        (header, address) => header.or(address),
    }
}

/// A clap value parser for one entry of `ALLOWED_HOSTS`: a name or an address without a port.
pub(crate) fn allowed_host(text: &str) -> Result<String, String> {
    match Host::parse(text.trim()) {
        Some(Host { name, port: None }) => Ok(name),
        _ => Err("expected names of hosts without ports, with commas between them".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_with_or_without_a_port() {
        for (text, name, port) in [
            ("localhost", "localhost", None),
            ("LocalHost:8080", "localhost", Some(8080)),
            ("localhost:", "localhost", None),
            ("127.0.0.1:80", "127.0.0.1", Some(80)),
            ("[::1]", "[::1]", None),
            ("[::1]:18080", "[::1]", Some(18080)),
        ] {
            let name = name.to_owned();
            assert_eq!(Host::parse(text), Some(Host { name, port }), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_host() {
        for text in [
            "",
            ":8080",
            "localhost:http",
            "localhost:+80",
            "localhost:99999",
            "ada@localhost",
            "evil.example/localhost",
            "localhost,evil.example",
            "local host",
            "::1",
            "[::1",
            "::1]",
            "[::1]x",
        ] {
            assert_eq!(Host::parse(text), None, "{text}");
        }
    }
}
