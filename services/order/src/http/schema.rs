use contracts::{EMAIL_PATTERNS, MAX_EMAIL_LENGTH};
use schemars::{JsonSchema, generate::SchemaSettings};
use utoipa::openapi::schema::{
    AllOfBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type,
};

/// The OpenAPI schema of a type of the contracts, which know nothing of HTTP: both speak JSON Schema.
pub(super) fn of<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::openapi3().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let schema = settings.into_generator().into_root_schema_for::<T>();
    serde_json::from_value(schema.to_value()).unwrap_or_default()
}

/// The rule of [`contracts::check_email`] as far as a schema can say it.
pub(super) fn email() -> Schema {
    let text = ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Email)))
        .max_length(Some(MAX_EMAIL_LENGTH));
    let patterns = EMAIL_PATTERNS.map(|pattern| {
        let text = ObjectBuilder::new().schema_type(Type::String);
        text.pattern(Some(pattern))
    });
    let all = AllOfBuilder::new()
        .description(Some(
            "E-mail address with a domain on the internet: no IP address, no domain without a dot, not `localhost`.",
        ))
        .examples(["ada@example.org"])
        .item(text);
    patterns.into_iter().fold(all, AllOfBuilder::item).into()
}
