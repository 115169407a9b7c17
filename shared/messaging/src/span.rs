use opentelemetry::global::BoxedSpan;
use opentelemetry::trace::{Span, Status};

/// An open span, or nothing when the trace of the message is not recorded.
#[derive(Default)]
pub(crate) struct OpenSpan(Option<BoxedSpan>);

impl OpenSpan {
    pub(crate) fn end(&mut self, error: Option<impl ToString>) {
        if let Some(span) = &mut self.0 {
            if let Some(error) = error {
                span.set_status(Status::error(error.to_string()));
            }
            span.end();
        }
    }
}

impl From<BoxedSpan> for OpenSpan {
    fn from(span: BoxedSpan) -> Self {
        Self(Some(span))
    }
}
