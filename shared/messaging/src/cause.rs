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

    /// Whether whoever caused it exports its trace: the first of the W3C flags.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        let flags = self
            .traceparent
            .as_deref()
            .and_then(|text| text.get(53..55));
        let flags = flags.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        flags.is_some_and(|flags| flags & 1 == 1)
    }

    /// The cause that a message names. What does not have the form of a W3C `traceparent` names nobody:
    /// it comes from outside and would travel on with every message that follows.
    pub(crate) fn from_traceparent(traceparent: Option<String>) -> Self {
        Self {
            traceparent: traceparent.filter(|text| is_traceparent(text)),
        }
    }
}

/// Version, trace id, span id and flags in hexadecimal, joined by hyphens.
fn is_traceparent(text: &str) -> bool {
    const DIGITS: [usize; 4] = [2, 32, 16, 2];
    let mut parts = text.split('-');
    let all = DIGITS.iter().all(|&digits| {
        let is_hexadecimal = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
        parts
            .next()
            .is_some_and(|part| part.len() == digits && is_hexadecimal(part))
    });
    all && parts.next().is_none()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_flag_says_whether_a_trace_is_exported() {
        for (flags, expected) in [("01", true), ("00", false), ("03", true), ("fe", false)] {
            let text = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}");
            let cause = Cause::from_traceparent(Some(text));
            assert_eq!(cause.is_sampled(), expected, "{flags}");
        }
        assert!(!Cause::none().is_sampled());
    }

    #[test]
    fn what_is_no_traceparent_names_nobody() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let cause = |text: &str| Cause::from_traceparent(Some(text.to_owned()));
        assert_eq!(cause(good).traceparent(), Some(good));
        for bad in [
            "",
            "00-1-2-01",
            &good[..54],
            &format!("{good}-00"),
            &good.replace('4', "\0"),
            &"a".repeat(200_000),
        ] {
            assert_eq!(cause(bad), Cause::none(), "{bad}");
        }
    }
}
