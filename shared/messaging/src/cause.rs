use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::{Context, global};

const TRACEPARENT: &str = "traceparent";

/// Who caused a message: the trace context that travels with it.
///
/// It is passed explicitly, because a batch handles messages of many traces at once and an
/// ambient "current span" could name only one of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cause {
    traceparent: Option<String>,
}

impl Cause {
    /// Nobody in particular, for example a start-up.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The span of this context, for example that of an HTTP request.
    #[must_use]
    pub fn from_context(context: &Context) -> Self {
        let mut cause = Self::default();
        global::get_text_map_propagator(|propagator| {
            propagator.inject_context(context, &mut cause);
        });
        cause
    }

    /// The context to use as the parent of a span.
    #[must_use]
    pub fn context(&self) -> Context {
        global::get_text_map_propagator(|propagator| {
            propagator.extract_with_context(&Context::new(), self)
        })
    }

    /// The id of the trace in hexadecimal, for logs.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        self.traceparent.as_deref()?.get(3..35)
    }

    /// The W3C `traceparent`.
    #[must_use]
    pub fn traceparent(&self) -> Option<&str> {
        self.traceparent.as_deref()
    }

    pub(crate) fn from_traceparent(traceparent: Option<String>) -> Self {
        Self { traceparent }
    }
}

impl Injector for Cause {
    fn set(&mut self, key: &str, value: String) {
        if key == TRACEPARENT {
            self.traceparent = Some(value);
        }
    }
}

impl Extractor for Cause {
    fn get(&self, key: &str) -> Option<&str> {
        (key == TRACEPARENT).then(|| self.traceparent())?
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}
