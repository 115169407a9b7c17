//! The OpenAPI document: what the routes say of themselves, and what is the same for all of them.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Content, HeaderBuilder, Info, Object, OpenApi, Ref, RefOr, Response, Type,
        path::{Operation, PathItem},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::{Admin, BODY_LIMIT, Problem};

/// The OpenAPI document as [`app`](super::app) publishes it.
///
/// A route names only the errors that are its own, with a status and a description. Those that come of
/// the way in which every request is taken in are added here, and every error gets a [`Problem`] as
/// its body.
#[must_use]
pub fn openapi(service: &'static str, mut document: OpenApi) -> OpenApi {
    // Whole, since the library puts its own description and author there.
    document.info = Info::new(service, env!("CARGO_PKG_VERSION"));
    let mut is_guarded = false;
    for path in document.paths.paths.values_mut() {
        for (is_safe, operation) in operations(path) {
            is_guarded |= operation.security.is_some();
            add_common_errors(is_safe, operation);
            give_errors_a_body(operation);
        }
    }
    let mut schemas = vec![(Problem::name().into_owned(), Problem::schema())];
    Problem::schemas(&mut schemas);
    let components = document.components.get_or_insert_default();
    components.schemas.extend(schemas);
    if is_guarded {
        components.add_security_scheme(Admin::SCHEME, bearer());
    }
    document
}

fn bearer() -> SecurityScheme {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    let bearer = bearer.description(Some("`ADMIN_TOKEN` of the service, where one is set"));
    SecurityScheme::Http(bearer.build())
}

/// Each operation, and whether it changes nothing.
fn operations(path: &mut PathItem) -> impl Iterator<Item = (bool, &mut Operation)> {
    let all = [
        (true, &mut path.get),
        (false, &mut path.put),
        (false, &mut path.post),
        (false, &mut path.delete),
        (false, &mut path.patch),
    ];
    all.into_iter()
        .filter_map(|(is_safe, operation)| Some((is_safe, operation.as_mut()?)))
}

fn add_common_errors(is_safe: bool, operation: &mut Operation) {
    let mut common = vec![
        (
            "400",
            "Malformed request; `errors` names the field, parameter or header".to_owned(),
        ),
        (
            "421",
            "`Host` is neither this machine nor among `ALLOWED_HOSTS`".to_owned(),
        ),
        ("503", "Not possible at the moment".to_owned()),
    ];
    if !is_safe {
        common.push((
            "403",
            "Sent by a page of another site, says `Sec-Fetch-Site` or `Origin`".to_owned(),
        ));
        common.push((
            "413",
            format!("The body is larger than {} KiB", BODY_LIMIT / 1024),
        ));
        common.push((
            "415",
            "The content type is not `application/json`".to_owned(),
        ));
    }
    if operation.security.is_some() {
        common.push((
            "401",
            "`ADMIN_TOKEN` is set, and the request does not bring it".to_owned(),
        ));
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
