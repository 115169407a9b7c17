//! Bodies, good and bad.

use axum::http::{Request, StatusCode};
use runtime::http;
use serde_json::json;

use crate::{call, fields, post};

#[tokio::test]
async fn good_input_reaches_the_handler() {
    let body = json!({"lines": [{"sku": "A", "quantity": 1}]});
    let (status, _, answer) = post(body.to_string()).await;
    assert_eq!((status, answer), (StatusCode::OK, body));
}

#[tokio::test]
async fn malformed_json_is_400() {
    for body in [
        "",
        "{",
        "{\"lines\": [}",
        "nonsense",
        "{\"lines\": []} {}",
        "\u{0}",
    ] {
        let (status, headers, problem) = post(body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(headers["content-type"], "application/problem+json");
        assert_eq!(problem["title"], "Bad Request");
        assert_eq!(problem["status"], 400);
        assert!(
            problem["detail"]
                .as_str()
                .unwrap()
                .starts_with("the body is not JSON"),
            "{problem}"
        );
    }
    let (status, ..) = post(&b"{\"lines\": [{\"sku\": \"\xff\"}]}"[..]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "not UTF-8");
}

#[tokio::test]
async fn a_body_of_another_shape_is_400_and_names_the_field() {
    let cases = [
        (json!({}), "lines"),
        (json!({"lines": "none"}), "lines"),
        (json!({"lines": [], "colour": "red"}), "colour"),
        (json!({"lines": [{"sku": "A"}]}), "lines[0].quantity"),
        (
            json!({"lines": [{"sku": "A", "quantity": "1"}]}),
            "lines[0].quantity",
        ),
        (
            json!({"lines": [{"sku": "A", "quantity": -1}]}),
            "lines[0].quantity",
        ),
        (
            json!({"lines": [{"sku": "A", "quantity": 1}, {"sku": "A", "quantity": 1, "price": 0}]}),
            "lines[1].price",
        ),
    ];
    for (body, field) in cases {
        let (status, _, problem) = post(body.to_string()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body} {problem}");
        assert_eq!(fields(&problem), [field], "{body} {problem}");
    }
}

#[tokio::test]
async fn a_body_that_is_no_object_is_400() {
    for body in ["[]", "null", "\"text\"", "1"] {
        let (status, _, problem) = post(body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body} {problem}");
    }
}

#[tokio::test]
async fn a_well_formed_body_that_breaks_rules_is_422_and_lists_every_field() {
    let lines = json!({"lines": [{"sku": "A", "quantity": 0}, {"sku": "é", "quantity": 1001}]});
    let (status, headers, problem) = post(lines.to_string()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(
        fields(&problem),
        ["lines[0].quantity", "lines[1].quantity", "lines[1].sku"]
    );
    let (status, _, problem) = post(json!({"lines": []}).to_string()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(fields(&problem), ["lines"]);
}

#[tokio::test]
async fn another_content_type_or_none_is_415() {
    for content_type in [None, Some("text/plain"), Some("application/xml")] {
        let mut request = Request::post("/baskets");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let (status, headers, _) = call(request.body("{}".into()).unwrap()).await;
        assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert_eq!(headers["content-type"], "application/problem+json");
    }
}

#[tokio::test]
async fn a_body_over_64_kib_is_413() {
    let mut body = json!({"lines": [{"sku": "A", "quantity": 1}]}).to_string();
    body.push_str(&" ".repeat(http::BODY_LIMIT - body.len()));
    let (status, ..) = post(body.clone()).await;
    assert_eq!(status, StatusCode::OK, "exactly the limit");
    body.push(' ');
    let (status, headers, _) = post(body).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(headers["content-type"], "application/problem+json");
}
