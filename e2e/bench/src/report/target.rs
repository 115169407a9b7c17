/// A figure to reach: its name, what people call it, and the limit.
pub(super) struct Target {
    pub(super) key: &'static str,
    pub(super) name: &'static str,
    pub(super) limit: Limit,
}

pub(super) enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

pub(super) const TARGETS: [Target; 23] = [
    at_least(
        "accepted_per_s",
        "orders accepted per second, consumers stopped",
        3_000.0,
    ),
    at_least(
        "confirmed_per_s",
        "orders confirmed per second, notification stopped",
        2_500.0,
    ),
    at_least(
        "delivered_per_s",
        "e-mails delivered per second, the whole chain",
        150.0,
    ),
    at_most(
        "p50_ms",
        "placed -> confirmed at 50 orders/s, p50 in ms",
        10.0,
    ),
    at_most(
        "p99_ms",
        "placed -> confirmed at 50 orders/s, p99 in ms",
        30.0,
    ),
    at_most(
        "drain_s",
        "20,000 waiting orders decided, all at work, in s",
        30.0,
    ),
    at_least(
        "four_against_one",
        "4 consumers that wait 20 ms against one",
        3.6,
    ),
    at_most("idle_mib", "resident memory idle, MiB", 20.0),
    at_most("load_mib", "resident memory under load, MiB", 64.0),
    at_most("binary_mib", "stripped binary, MiB", 25.0),
    at_most(
        "console_cost_percent",
        "fewer orders confirmed/s beside the console, in %",
        5.0,
    ),
    at_least(
        "console_events_per_s",
        "events per second that the console takes in, alone",
        5_000.0,
    ),
    at_most("console_mib", "memory of the console, MiB", 64.0),
    at_most("console_api_p99_ms", "console API, p99 in ms", 50.0),
    at_least(
        "volume_confirmed_percent",
        "orders confirmed/s with full tables, in %",
        90.0,
    ),
    at_least(
        "volume_readers_percent",
        "orders confirmed/s beside 64 readers, in %",
        80.0,
    ),
    at_most(
        "volume_pruning_buffers",
        "pages that one pruning of the inbox touches",
        2_000.0,
    ),
    at_most(
        "volume_snapshot_times",
        "p50 with a snapshot held open, times the usual",
        2.0,
    ),
    at_most(
        "volume_refused_ms",
        "placed -> confirmed beside 60,000 refused rows, ms",
        2_000.0,
    ),
    at_most(
        "volume_refused_log_lines",
        "log lines about them in a minute",
        1.0,
    ),
    at_most(
        "volume_drain_s",
        "20,000 waiting orders, full tables, in s",
        10.0,
    ),
    at_most(
        "volume_silence_s",
        "first order after a silent database of 60 s, in s",
        10.0,
    ),
    at_most(
        "volume_migration_s",
        "notification ready after a large migration, in s",
        600.0,
    ),
];

const fn at_least(key: &'static str, name: &'static str, limit: f64) -> Target {
    Target {
        key,
        name,
        limit: Limit::AtLeast(limit),
    }
}

const fn at_most(key: &'static str, name: &'static str, limit: f64) -> Target {
    Target {
        key,
        name,
        limit: Limit::AtMost(limit),
    }
}
