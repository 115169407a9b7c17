//! What pages of other sites can make a browser send is refused.
#![expect(clippy::unwrap_used, reason = "a failed test may panic")]

use axum::{
    body::Body,
    http::{HeaderValue, Request, StatusCode},
};
use runtime::{
    health::Health,
    http::{self, Json},
};
use tower::ServiceExt;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Takes no body, like a payment.
#[utoipa::path(post, path = "/payment", responses((status = 200)))]
async fn pay() {}

#[utoipa::path(post, path = "/order", request_body = String, responses((status = 200)))]
async fn place(Json(order): Json<String>) -> String {
    order
}

#[utoipa::path(get, path = "/orders", responses((status = 200)))]
async fn list() {}

async fn status(method: &str, path: &str, headers: &[(&'static str, &str)]) -> StatusCode {
    let api = OpenApiRouter::new()
        .routes(routes!(pay))
        .routes(routes!(place))
        .routes(routes!(list));
    let allowed = ["shop.example".to_owned()];
    let app = http::app("order", api, Health::default(), &allowed);
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        request = request.header(*name, value);
    }
    let response = app
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    if response.status().is_client_error() {
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json"
        );
    }
    response.status()
}

async fn pay_with(headers: &[(&'static str, &str)]) -> StatusCode {
    let headers = [&[("host", "localhost:18080")], headers].concat();
    status("POST", "/payment", &headers).await
}

#[tokio::test]
async fn a_request_for_another_host_is_misdirected() {
    for (method, path) in [
        ("POST", "/payment"),
        ("GET", "/orders"),
        ("GET", "/nowhere"),
        ("DELETE", "/nowhere"),
        ("GET", "/docs/"),
        ("GET", "/openapi.json"),
    ] {
        for host in [
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "localhost.",
            "10.0.0.5",
            "127.0.0.2",
            "inventory",
            "[::2]:8080",
        ] {
            let status = status(method, path, &[("host", host)]).await;
            assert_eq!(
                status,
                StatusCode::MISDIRECTED_REQUEST,
                "{method} {path} {host}"
            );
        }
    }
}

#[tokio::test]
async fn the_hosts_of_this_machine_of_the_network_and_of_the_configuration_are_answered() {
    for host in [
        "localhost",
        "localhost:8080",
        "LOCALHOST:18080",
        "127.0.0.1:65535",
        "[::1]:8080",
        "order:8080",
        "gateway:8080",
        "shop.example",
        "Shop.Example:443",
    ] {
        assert_eq!(
            status("GET", "/orders", &[("host", host)]).await,
            StatusCode::OK,
            "{host}"
        );
        assert_eq!(
            status("POST", "/payment", &[("host", host)]).await,
            StatusCode::OK,
            "{host}"
        );
    }
}

#[tokio::test]
async fn a_request_without_one_host_is_malformed() {
    for headers in [
        &[][..],
        &[("host", "localhost"), ("host", "localhost")],
        &[("host", "localhost"), ("host", "evil.example")],
        &[("host", "ada@localhost")],
        &[("host", "localhost:http")],
        &[("host", "")],
    ] {
        let status = status("GET", "/orders", headers).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{headers:?}");
    }
    let other = status(
        "GET",
        "http://evil.example/orders",
        &[("host", "localhost")],
    )
    .await;
    assert_eq!(other, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn those_who_operate_the_process_may_ask_by_any_name() {
    for path in ["/health/live", "/health/ready", "/metrics"] {
        for headers in [&[][..], &[("host", "10.0.0.5:8080")]] {
            assert_eq!(status("GET", path, headers).await, StatusCode::OK, "{path}");
        }
    }
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    for header in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "anything"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", ""),
        // Another port is another page: only the gateway's is ours.
        ("origin", "http://localhost:3000"),
        ("origin", "http://localhost"),
        ("origin", "http://127.0.0.1:18080"),
        ("origin", "ftp://localhost:18080"),
        ("origin", "http://localhost:18080/"),
        ("origin", "http://localhost:18080.evil.example"),
    ] {
        assert_eq!(
            pay_with(&[header]).await,
            StatusCode::FORBIDDEN,
            "{header:?}"
        );
        let read = status("GET", "/orders", &[("host", "localhost:18080"), header]).await;
        assert_eq!(read, StatusCode::OK, "reading changes nothing: {header:?}");
    }
    let doubled = [
        ("origin", "http://localhost:18080"),
        ("origin", "http://evil.example"),
    ];
    assert_eq!(pay_with(&doubled).await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn our_own_pages_and_those_who_are_no_browsers_may_change_something() {
    for headers in [
        &[][..],
        &[
            ("sec-fetch-site", "same-origin"),
            ("origin", "http://localhost:18080"),
        ],
        &[("sec-fetch-site", "none")],
        &[("origin", "https://localhost:18080")],
        &[("content-type", "application/json")],
    ] {
        assert_eq!(pay_with(headers).await, StatusCode::OK, "{headers:?}");
    }
    // Behind a proxy that speaks TLS, on its usual port.
    let proxied = [("host", "shop.example"), ("origin", "https://shop.example")];
    assert_eq!(status("POST", "/payment", &proxied).await, StatusCode::OK);
}

#[tokio::test]
async fn what_a_form_can_send_is_no_json() {
    for content_type in [
        "text/plain",
        "TEXT/PLAIN;charset=utf-8",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain; application/json",
        "",
    ] {
        for path in ["/payment", "/order"] {
            let headers = [("host", "localhost"), ("content-type", content_type)];
            let status = status("POST", path, &headers).await;
            assert_eq!(
                status,
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "{path} {content_type}"
            );
        }
    }
    let doubled = [
        ("content-type", "application/json"),
        ("content-type", "text/plain"),
    ];
    assert_eq!(pay_with(&doubled).await, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}
