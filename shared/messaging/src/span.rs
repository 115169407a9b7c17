use opentelemetry::KeyValue;
use opentelemetry::global::BoxedSpan;
use opentelemetry::trace::{Span, Status};

/// An open span, or nothing when the trace of the message is not recorded.
#[derive(Default)]
pub(crate) struct OpenSpan(Option<BoxedSpan>);

impl OpenSpan {
    pub(crate) fn note(&mut self, attribute: KeyValue) {
        if let Some(span) = &mut self.0 {
            span.set_attribute(attribute);
        }
    }

    pub(crate) fn end(&mut self, error: Option<impl ToString>) {
        if let Some(span) = &mut self.0 {
            if let Some(error) = error {
                span.set_status(Status::error(error.to_string()));
            }
            span.end();
        }
    }
}

/// One that nobody has ended tells of work that was given back. After its end this changes nothing.
impl Drop for OpenSpan {
    fn drop(&mut self) {
        self.end(Some("given back"));
    }
}

impl From<BoxedSpan> for OpenSpan {
    fn from(span: BoxedSpan) -> Self {
        Self(Some(span))
    }
}
