use anyhow::{Context, Result};
use axum::{body::Body, http::Request};
use serde_json::{Map, Value, json};

use super::Values;

/// One operation of an OpenAPI document, with every reference resolved.
#[derive(Debug, Clone)]
pub struct Operation {
    /// `get`, `post`, ...
    pub method: String,
    /// The path with its parameters in braces.
    pub path: String,
    described: Value,
}

/// One request, as a client makes it that has read the document.
#[derive(Debug, Clone)]
pub struct Call {
    /// `get`, `post`, ...
    pub method: String,
    /// Path and query.
    pub uri: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// JSON, if there is any.
    pub body: Option<Value>,
}

impl Operation {
    /// All operations of the document.
    ///
    /// # Errors
    ///
    /// When it is no OpenAPI document.
    pub fn all(document: &Value) -> Result<Vec<Self>> {
        let paths = document["paths"].as_object().context("no paths")?;
        let operations = paths.iter().flat_map(|(path, methods)| {
            methods
                .as_object()
                .into_iter()
                .flatten()
                .map(move |(method, described)| Self {
                    method: method.clone(),
                    path: path.clone(),
                    described: resolved(document, described),
                })
        });
        Ok(operations.collect())
    }

    /// The request that the page shows as an example, with `values` for parameters of the path that have
    /// none. What is optional and has no example is left out.
    ///
    /// # Errors
    ///
    /// When a required part has no example.
    pub fn example(&self, values: &Values) -> Result<Call> {
        self.call(|name, schema, parameter, required| {
            let example = [
                &parameter["example"],
                &schema["example"],
                &schema["examples"][0],
            ]
            .into_iter()
            .find(|example| !example.is_null())
            .cloned()
            .or_else(|| values.first(name));
            anyhow::ensure!(example.is_some() || !required, "{name} has no example");
            Ok(example)
        })
    }

    /// Any request that the schemas allow.
    ///
    /// # Errors
    ///
    /// When a schema says something that cannot be generated yet.
    pub fn generated(&self, values: &Values) -> Result<Call> {
        self.call(|name, schema, parameter, required| {
            if !required && !values.coin() {
                return Ok(None);
            }
            let value = values.generate(name, schema)?;
            // A number with a fraction of zero is whole in JSON, and nothing is JSON outside of a body.
            let is_of_body = parameter["in"].is_null();
            let fraction = value.as_f64().filter(|_| !is_of_body && !value.is_i64());
            Ok(Some(fraction.map_or(value, |number| json!(number as i64))))
        })
    }

    fn call(
        &self,
        value: impl Fn(&str, &Value, &Value, bool) -> Result<Option<Value>>,
    ) -> Result<Call> {
        let mut call = Call {
            method: self.method.clone(),
            uri: self.path.clone(),
            headers: Vec::new(),
            body: None,
        };
        let mut query = Vec::new();
        for parameter in self.described["parameters"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let name = parameter["name"]
                .as_str()
                .context("a parameter without name")?;
            let required = parameter["required"] == true;
            let Some(value) = value(name, &parameter["schema"], parameter, required)? else {
                continue;
            };
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            match parameter["in"].as_str() {
                Some("path") => {
                    call.uri = call.uri.replace(&format!("{{{name}}}"), &encoded(&value));
                }
                Some("query") => query.push(format!("{name}={}", encoded(&value))),
                _ => call.headers.push((name.to_owned(), value)),
            }
        }
        if !query.is_empty() {
            call.uri = format!("{}?{}", call.uri, query.join("&"));
        }
        let content = &self.described["requestBody"]["content"]["application/json"];
        if !content.is_null() {
            call.body = value("body", &content["schema"], content, true)?;
        }
        Ok(call)
    }
}

impl Call {
    /// The request as the router takes it.
    ///
    /// # Errors
    ///
    /// When it cannot be one, for example because of a character in a header.
    pub fn request(&self) -> Result<Request<Body>> {
        let method = self.method.to_ascii_uppercase();
        let mut request = Request::builder()
            .method(method.as_str())
            .uri(&self.uri)
            .header("host", "localhost");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        Ok(match &self.body {
            Some(body) => request
                .header("content-type", "application/json")
                .body(body.to_string().into())?,
            None => request.body(Body::empty())?,
        })
    }
}

/// A value in an address, where most letters but these have a meaning of their own.
fn encoded(value: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte: u8| match is_plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    value.bytes().map(encode).collect()
}

/// The value with what it refers to in the places of the references.
fn resolved(document: &Value, value: &Value) -> Value {
    let target = value["$ref"]
        .as_str()
        .and_then(|reference| document.pointer(reference.strip_prefix('#')?));
    match (target, value) {
        (Some(target), _) => resolved(document, target),
        (None, Value::Object(fields)) => {
            let resolve =
                |(name, value): (&String, &Value)| (name.clone(), resolved(document, value));
            Value::Object(fields.iter().map(resolve).collect::<Map<_, _>>())
        }
        (None, Value::Array(items)) => items.iter().map(|item| resolved(document, item)).collect(),
        (None, other) => other.clone(),
    }
}
