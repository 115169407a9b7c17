//! The OpenAPI document: what the routes say of themselves, and what is the same for all of them.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Content, HeaderBuilder, Info, Object, OpenApi, Ref, RefOr, Response, Type,
        path::{Operation, PathItem},
    },
};

use super::{BODY_LIMIT, Problem};

/// The OpenAPI document as [`app`](super::app) publishes it.
///
/// A route names only the errors that are its own, with a status and a description. Those that come of
/// the way in which every request is taken in are added here, and every error gets a [`Problem`] as
/// its body.
#[must_use]
pub fn openapi(service: &'static str, mut document: OpenApi) -> OpenApi {
    // Whole, since the library puts its own description and author there.
    document.info = Info::new(service, env!("CARGO_PKG_VERSION"));
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        add_common_errors(operation);
        give_errors_a_body(operation);
    }
    let mut schemas = vec![(Problem::name().into_owned(), Problem::schema())];
    Problem::schemas(&mut schemas);
    let components = document.components.get_or_insert_default();
    components.schemas.extend(schemas);
    document
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let all = [
        &mut path.get,
        &mut path.put,
        &mut path.post,
        &mut path.delete,
        &mut path.patch,
    ];
    all.into_iter().flatten()
}

fn add_common_errors(operation: &mut Operation) {
    let has_body = operation.request_body.is_some();
    let mut common = vec![("503", "Cannot be done right now".to_owned())];
    if has_body || operation.parameters.is_some() {
        common.push(("400", "Malformed".to_owned()));
    }
    if has_body {
        common.push(("413", format!("Larger than {} KiB", BODY_LIMIT / 1024)));
        common.push(("415", "Not JSON".to_owned()));
    }
    for (status, description) in common {
        let response = operation.responses.responses.entry(status.to_owned());
        response.or_insert_with(|| Response::new(description).into());
    }
}

fn give_errors_a_body(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else {
            continue;
        };
        if status.starts_with(['4', '5']) {
            let problem = Content::new(Some(Ref::from_schema_name(Problem::name())));
            response.content = [(Problem::CONTENT_TYPE.to_owned(), problem.into())].into();
        }
        if status == "503" {
            let seconds = HeaderBuilder::new()
                .schema(Some(Object::with_type(Type::Integer)))
                .description(Some("Seconds to wait before trying again"));
            let seconds = seconds.build().into();
            response.headers.insert("Retry-After".to_owned(), seconds);
        }
    }
}
