//! What does not show on empty tables and with nobody else there: the tables of a year, a flood of readers, rows
//! that a broker refuses, a snapshot that is held open, a database that falls silent.

mod migration;
mod refused;
mod silence;
mod snapshot;
mod tables;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;

use super::{Bench, WAITING, say};
use crate::costs::rounded;

/// So many at once ask for the longest page of orders.
const READERS: [&str; 2] = ["--readers", "64"];
/// For how long the inbox is looked at while it is pruned, and how often that happens.
const PRUNING: Duration = Duration::from_secs(60);
const EVERY: Duration = Duration::from_secs(5);

/// Pages of the inbox and of its index that anybody has touched since the server was started.
const TOUCHED: &str =
    "select coalesce(sum(heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit), 0)
    from pg_statio_all_tables where schemaname = 'messaging' and relname = 'inbox'";

impl Bench {
    /// Ends with tables that nobody wants to keep.
    pub(super) async fn volume(&mut self) -> Result<()> {
        let all = [("order", 1), ("inventory", 1), ("mail", 1), ("gateway", 1)];
        self.compose.up(&all).await?;
        let empty = self.confirmed_beside("empty tables", &[]).await?;
        say(&format!("fill in {} rows", self.rows));
        self.fill_tables().await?;
        let full = self.confirmed_beside("full tables", &[]).await?;
        self.figure("volume_confirmed_percent", 100.0 * full / empty);
        let beside = self.confirmed_beside("64 readers", &READERS).await?;
        self.figure("volume_readers_percent", 100.0 * beside / full);
        self.in_network(&["drained"]).await?;

        say("prune the inbox");
        let pages = self.pages_of_a_pass().await?;
        self.figure("volume_pruning_buffers", pages);
        self.held_snapshot().await?;
        self.refused_rows().await?;
        say("20,000 orders that wait");
        let took = self.drained_orders().await?;
        self.figure("volume_drain_s", took);
        say("a silent database");
        let took = self.silent_database().await?;
        self.figure("volume_silence_s", took);
        say("the migration of a large table");
        let took = self.migrated().await?;
        self.figure("volume_migration_s", took);
        Ok(())
    }

    async fn confirmed_beside(&mut self, what: &str, further: &[&str]) -> Result<f64> {
        say(what);
        let rate = self.confirmed(what, further).await?;
        self.add("volume_confirmed_per_s", what, json!(rate));
        Ok(rate)
    }

    /// With nothing else at work.
    async fn pages_of_a_pass(&self) -> Result<f64> {
        let touched = async || -> Result<f64> {
            let printed = self.sql("order", TOUCHED).await?;
            let touched = printed.trim().parse::<f64>();
            touched.with_context(|| printed.clone())
        };
        let before = touched().await?;
        tokio::time::sleep(PRUNING).await;
        let passes = PRUNING.as_secs_f64() / EVERY.as_secs_f64();
        Ok((touched().await? - before) / passes)
    }

    /// How long they take once `inventory` is there again.
    async fn drained_orders(&mut self) -> Result<f64> {
        self.stop_only(&["inventory", "notification"]).await?;
        self.load(&WAITING).await?;
        let start = Instant::now();
        self.stop_only(&["notification"]).await?;
        self.in_network(&["drained"]).await?;
        Ok(start.elapsed().as_secs_f64())
    }

    fn figure(&mut self, name: &str, value: f64) {
        let value = rounded(value, 10.0);
        say(&format!("{name}: {value}"));
        self.figures.insert(name.to_owned(), json!(value));
    }
}
