//! The OpenAPI document says what every route may answer, whether or not the route says it.

#![expect(clippy::unwrap_used, reason = "a failed test may panic")]

use runtime::http::{self, Json, Path, Problem};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

#[derive(Deserialize, Serialize, ToSchema)]
struct Basket {
    lines: u32,
}

#[utoipa::path(get, path = "/baskets", responses((status = 200)))]
async fn list() {}

#[utoipa::path(
    get,
    path = "/baskets/{number}",
    params(("number" = u32, Path)),
    responses((status = 200), (status = 404, description = "No such basket"))
)]
async fn read(Path(number): Path<u32>) -> String {
    number.to_string()
}

#[utoipa::path(
    post,
    path = "/baskets",
    request_body = Basket,
    responses(
        (status = 201, body = Basket),
        (status = 409, description = "Closed", body = Problem),
        (status = 503, description = "Full")
    )
)]
async fn create(Json(basket): Json<Basket>) -> Json<Basket> {
    Json(basket)
}

fn document() -> Value {
    let routes = OpenApiRouter::<()>::new()
        .routes(routes!(list, create))
        .routes(routes!(read));
    let document = http::openapi("baskets", routes.into_openapi());
    serde_json::to_value(document).unwrap()
}

fn responses(method: &str, path: &str) -> Value {
    document()["paths"][path][method]["responses"].clone()
}

fn statuses(method: &str, path: &str) -> Vec<String> {
    let responses = responses(method, path);
    responses.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn every_error_is_a_problem_and_nothing_else_is() {
    let schema = json!({"schema": {"$ref": "#/components/schemas/Problem"}});
    for (method, path) in [
        ("get", "/baskets"),
        ("get", "/baskets/{number}"),
        ("post", "/baskets"),
    ] {
        for (status, response) in responses(method, path).as_object().unwrap() {
            let is_error = status.as_str() >= "400";
            let problem = json!({"application/problem+json": schema});
            assert_eq!(
                response["content"] == problem,
                is_error,
                "{status} {response}"
            );
        }
    }
    let schemas = &document()["components"]["schemas"];
    assert!(schemas["Problem"]["properties"]["detail"].is_object());
    assert!(schemas["FieldError"]["properties"]["field"].is_object());
}

#[test]
fn what_comes_of_taking_a_request_in_need_not_be_said() {
    assert_eq!(statuses("get", "/baskets"), ["200", "400", "421", "503"]);
    assert_eq!(
        statuses("get", "/baskets/{number}"),
        ["200", "400", "404", "421", "503"]
    );
    assert_eq!(
        statuses("post", "/baskets"),
        ["201", "400", "403", "409", "413", "415", "421", "503"]
    );
    assert_eq!(
        responses("post", "/baskets")["413"]["description"],
        "The body is larger than 64 KiB"
    );
}

#[test]
fn what_a_route_says_itself_stands() {
    let unavailable = &responses("post", "/baskets")["503"];
    assert_eq!(unavailable["description"], "Full");
    assert!(unavailable["headers"]["Retry-After"].is_object());
}
