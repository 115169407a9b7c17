//! A whole process, the one in `examples/smallest_service.rs`: command line, signals, exit code.
#![expect(clippy::unwrap_used, reason = "a failed test may panic")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Output, Stdio},
};

use serde_json::Value;

/// The example, which `cargo test` has built beside this test.
fn command(variables: &[(&str, &str)]) -> Command {
    let test = std::env::current_exe().unwrap();
    let example: PathBuf = test
        .parent()
        .unwrap()
        .with_file_name("examples")
        .join("smallest_service");
    let mut command = Command::new(example);
    for variable in ["RUST_LOG", "LOG_FORMAT", "OTEL_EXPORTER_OTLP_ENDPOINT"] {
        command.env_remove(variable);
    }
    command.envs(variables.iter().copied());
    command
}

struct Service {
    process: Child,
    log: BufReader<ChildStdout>,
    addr: String,
}

impl Service {
    /// Starts it on a free port and waits until it listens there.
    fn start() -> Self {
        Self::start_with(&[("HTTP_ADDR", "127.0.0.1:0"), ("LOG_FORMAT", "json")])
    }

    fn start_with(variables: &[(&str, &str)]) -> Self {
        let mut command = command(variables);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(process.stdout.take().unwrap());
        let addr = loop {
            let mut line = String::new();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "it ended");
            let line: Value = serde_json::from_str(&line).unwrap();
            if let Some(addr) = line["message"]
                .as_str()
                .unwrap()
                .strip_prefix("HTTP server listens at ")
            {
                break addr.to_owned();
            }
        };
        Self { process, log, addr }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.addr).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn health(&self) -> Output {
        command(&[("HTTP_ADDR", &self.addr)])
            .arg("health")
            .output()
            .unwrap()
    }

    fn stop(mut self, signal: &str) -> (Option<i32>, String) {
        let pid = self.process.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
        let mut log = String::new();
        self.log.read_to_string(&mut log).unwrap();
        (self.process.wait().unwrap().code(), log)
    }
}

#[test]
fn a_signal_ends_it_well() {
    for signal in ["-TERM", "-INT"] {
        let (code, log) = Service::start().stop(signal);
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains("greetings has stopped"), "{log}");
    }
}

#[test]
fn the_health_command_asks_the_running_process() {
    let service = Service::start();
    assert!(service.health().status.success());
    let addr = service.addr.clone();
    service.stop("-TERM");
    let health = command(&[("HTTP_ADDR", &addr)])
        .arg("health")
        .output()
        .unwrap();
    assert_eq!(health.status.code(), Some(1));
}

#[test]
fn a_dead_task_ends_it_with_an_error_that_is_logged_once() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let output = command(&[("HTTP_ADDR", &addr)]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let log = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        log.matches(&format!("HTTP_ADDR {addr} cannot be listened at"))
            .count(),
        1,
        "{log}"
    );
}

#[test]
fn a_bad_value_gives_one_line_that_names_the_variable() {
    for (variable, value) in [
        ("HTTP_ADDR", "nowhere"),
        ("LOG_FORMAT", "xml"),
        ("RUST_LOG", "a=b=c"),
        ("SHUTDOWN_TIMEOUT", "soon"),
        ("SHUTDOWN_TIMEOUT", "8"),
    ] {
        let output = command(&[(variable, value)]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{variable}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(error.contains(variable) && error.contains(value), "{error}");
    }
}

#[test]
fn a_variable_that_is_set_to_nothing_is_not_set() {
    let mut variables = vec![("HTTP_ADDR", "127.0.0.1:0"), ("LOG_FORMAT", "json")];
    variables.extend(
        [
            "SHUTDOWN_TIMEOUT",
            "RUST_LOG",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "ALLOWED_HOSTS",
        ]
        .map(|variable| (variable, "")),
    );
    let (code, log) = Service::start_with(&variables).stop("-TERM");
    assert_eq!(code, Some(0), "{log}");

    let service = Service::start();
    let health = command(&[("HTTP_ADDR", &service.addr), ("LOG_FORMAT", "")])
        .arg("health")
        .output();
    assert!(health.unwrap().status.success());
    service.stop("-TERM");
}

#[test]
fn metrics_show_the_process_and_its_requests() {
    let service = Service::start();
    assert!(service.get("/greetings/you").contains("Hello, you!"));
    let metrics = service.get("/metrics");
    assert!(
        metrics.contains("process_resident_memory_bytes "),
        "{metrics}"
    );
    let bucket = metrics
        .lines()
        .find(|line| line.starts_with("http_server_request_duration_seconds_bucket"));
    let bucket = bucket.unwrap();
    for label in [
        "http_request_method=\"GET\"",
        "http_route=\"/greetings/{name}\"",
        "http_response_status_code=\"200\"",
        "le=\"0.005\"",
    ] {
        assert!(bucket.contains(label), "{bucket}");
    }
    assert!(metrics.contains("service_name=\"greetings\""), "{metrics}");
    service.stop("-TERM");
}
