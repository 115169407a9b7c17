//! Log lines for people or for a log store, both with the id of the trace they belong to.

use std::{
    fmt,
    io::{IsTerminal, stdout},
};

use opentelemetry::{Context, TraceId, trace::TraceContextExt};
use serde_json::{Map, Value};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    EnvFilter,
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

use crate::config::{LogFormat, TelemetryArgs};

/// Libraries that report their normal working at the level where we report ours. An explicit
/// directive in `RUST_LOG` wins over these.
const QUIET: &str = "h2=warn,hyper=warn,lapin=error,opentelemetry=warn,opentelemetry_sdk=warn,\
                     opentelemetry-otlp=warn,rdkafka=error,librdkafka=error,rustls=warn,sqlx=warn,tonic=warn,tower=warn";

/// Sends log events to standard output from now on, panics included.
pub(super) fn init(service: &'static str, args: &TelemetryArgs) -> anyhow::Result<()> {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(format!("{QUIET},{}", args.log_filter))?)
        .with_ansi(stdout().is_terminal());
    let started = match args.log_format {
        LogFormat::Json => builder.event_format(Json { service }).try_init(),
        LogFormat::Pretty => builder.event_format(Pretty).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!(error))?;
    std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    Ok(())
}

struct Pretty;

impl<S, N> FormatEvent<S, N> for Pretty
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        SystemTime.format_time(&mut line)?;
        match (line.has_ansi_escapes(), colour(metadata.level())) {
            (true, colour) => write!(line, " \x1b[{colour}m{:>5}\x1b[0m ", metadata.level())?,
            (false, _) => write!(line, " {:>5} ", metadata.level())?,
        }
        write!(line, "{}: ", metadata.target())?;
        ctx.format_fields(line.by_ref(), event)?;
        if let Some(trace) = current_trace(event) {
            write!(line, " trace_id={trace}")?;
        }
        writeln!(line)
    }
}

struct Json {
    service: &'static str,
}

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let mut object = Map::new();
        object.insert("timestamp".to_owned(), time.into());
        object.insert("level".to_owned(), event.metadata().level().as_str().into());
        object.insert("service".to_owned(), self.service.into());
        object.insert("target".to_owned(), event.metadata().target().into());
        event.record(&mut Fields(&mut object));
        if let Some(trace) = current_trace(event) {
            object.insert("trace_id".to_owned(), trace.to_string().into());
        }
        writeln!(line, "{}", Value::Object(object))
    }
}

/// Collects the fields of an event, the message among them.
struct Fields<'a>(&'a mut Map<String, Value>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0
            .insert(field.name().to_owned(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

/// The trace that the event happened in, unless the event names another by itself.
fn current_trace(event: &Event<'_>) -> Option<TraceId> {
    if event.metadata().fields().field("trace_id").is_some() {
        return None;
    }
    Context::map_current(|context| {
        let span = context.span();
        let span = span.span_context();
        span.is_valid().then(|| span.trace_id())
    })
}

/// The ANSI colour of a level.
fn colour(level: &Level) -> u8 {
    match *level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        Level::DEBUG => 34,
        Level::TRACE => 35,
    }
}
