use schemars::{JsonSchema, generate::SchemaSettings};
use utoipa::openapi::schema::Schema;

/// The OpenAPI schema of a type of the contracts, which know nothing of HTTP: both speak JSON Schema.
pub(super) fn of<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::openapi3().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let schema = settings.into_generator().into_root_schema_for::<T>();
    serde_json::from_value(schema.to_value()).unwrap_or_default()
}
