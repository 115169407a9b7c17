//! The `health` sub-command: a container's health check in an image without curl.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream},
    process::ExitCode,
    time::Duration,
};

use crate::config::HttpArgs;

const TIMEOUT: Duration = Duration::from_secs(3);

/// Asks the process that listens at `HTTP_ADDR` whether it is ready.
pub(crate) fn ready(http: &HttpArgs) -> ExitCode {
    match ask(http.addr) {
        Ok(answer) if answer.starts_with("HTTP/1.1 200 ") => ExitCode::SUCCESS,
        Ok(answer) => {
            eprintln!(
                "not ready: {}",
                answer.lines().last().unwrap_or("empty answer")
            );
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("not ready: {}: {error}", http.addr);
            ExitCode::FAILURE
        }
    }
}

fn ask(mut addr: SocketAddr) -> io::Result<String> {
    if addr.ip().is_unspecified() {
        addr.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let mut stream = TcpStream::connect_timeout(&addr, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream
        .write_all(b"GET /health/ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
