//! Addresses, parameters and what a handler returns.

use axum::http::StatusCode;

use crate::{fields, get};

#[tokio::test]
async fn an_unknown_address_is_404() {
    let (status, headers, problem) = get("/nowhere").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(problem["detail"], "there is nothing at /nowhere");
}

#[tokio::test]
async fn another_method_is_405_and_names_those_allowed() {
    let (status, headers, _) = get("/baskets").await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(headers["allow"], "POST");
}

#[tokio::test]
async fn a_malformed_parameter_is_400_and_named() {
    for (path, field) in [
        ("/baskets/one", "number"),
        ("/baskets/%ff", "number"),
        ("/baskets/1?limit=many", "limit"),
    ] {
        let (status, headers, problem) = get(path).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(headers["content-type"], "application/problem+json");
        assert_eq!(fields(&problem), [field], "{problem}");
    }
}

#[tokio::test]
async fn a_handler_answers_with_the_problem_it_returns() {
    assert_eq!(get("/baskets/404").await.0, StatusCode::NOT_FOUND);
    assert_eq!(get("/baskets/409").await.0, StatusCode::CONFLICT);
}

#[tokio::test]
async fn an_internal_error_is_500_without_its_details() {
    let (status, _, problem) = get("/baskets/500").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!problem.to_string().contains("hunter2"), "{problem}");
}

#[tokio::test]
async fn a_panic_in_a_handler_is_500() {
    let (status, headers, _) = get("/baskets/501").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(headers["content-type"], "application/problem+json");
}

#[tokio::test]
async fn an_overloaded_database_is_503_with_retry_after() {
    let (status, headers, _) = get("/baskets/503").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(headers["retry-after"], "1");
}
