//! The state of the whole system in one frame, a few times a second for whoever looks.
//!
//! A frame is a state and not a change: whoever misses one, or comes back after an hour, needs nothing but the next.
//! It is made and serialised once for all who look, and not at all while nobody does.

mod build;
mod control;
mod frame;
mod letters;
mod sentences;
mod watched;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use database::within_limit;
use futures::FutureExt;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::debug;

pub use control::ControlView;
pub use frame::Frame;
pub use letters::JobView;

use crate::controls::Controls;
use crate::pace::every;
use crate::statistics::Statistics;
use crate::store::{self, Attempt, Figures, LetterFilter};
use letters::Letters;
use sentences::Sentences;

/// How often the database is asked whether there is news, which costs little. A frame follows each answer.
const NEWS: Duration = Duration::from_millis(250);

/// While the database says nothing, frames come without it.
const PATIENCE: Duration = Duration::from_millis(350);

/// How often it is asked for all that only it knows.
const FIGURES: Duration = Duration::from_secs(1);

/// What frames are made of; clones share it.
#[derive(Clone)]
pub struct Live {
    /// What the brokers say.
    pub statistics: Statistics,
    /// What was asked of services.
    pub controls: Controls,
    /// The service's database.
    pub pool: PgPool,
    /// Nothing may be changed here.
    pub readonly: bool,
    /// How many records of topics could not be decoded since this process began.
    pub undecodable: Arc<AtomicU64>,
    frames: watch::Sender<Arc<str>>,
}

/// What the database knew a moment ago.
#[derive(Default)]
struct Seen {
    figures: Option<Figures>,
    news: Option<(i64, i64)>,
    attempts: Vec<Attempt>,
    letters: Option<Letters>,
}

impl Live {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(pool: PgPool, statistics: Statistics, controls: Controls, readonly: bool) -> Self {
        Self {
            statistics,
            controls,
            pool,
            readonly,
            undecodable: Arc::default(),
            frames: watch::Sender::new("".into()),
        }
    }

    /// The frames from now on, each as JSON.
    #[must_use]
    pub fn listen(&self) -> watch::Receiver<Arc<str>> {
        let mut frames = self.frames.subscribe();
        // The last one may be old.
        frames.mark_unchanged();
        frames
    }

    /// Somebody asks for what was read, so that it is read on whoever is busy.
    pub(crate) fn is_asked(&self) {
        self.statistics.known().show();
    }

    /// One frame, made now.
    pub async fn frame(&self) -> Frame {
        // Also for whoever has no patience while the database is busy.
        self.is_asked();
        let seen = self.look().await;
        build::frame(self, &seen, &mut Sentences::default())
    }

    /// Makes frames while somebody listens, until stopped.
    ///
    /// # Errors
    ///
    /// When a frame cannot be serialised, which none that was ever made.
    pub async fn run(self, token: CancellationToken) -> anyhow::Result<()> {
        let seen = watch::Sender::new(Seen::default());
        let looking = self.keep_looking(&seen);
        let framing = self.keep_framing(&seen);
        tokio::select! {
            () = token.cancelled() => Ok(()),
            () = looking => Ok(()),
            ended = framing => ended,
        }
    }

    /// On its own, because a database that is away takes seconds to say nothing.
    async fn keep_looking(&self, seen: &watch::Sender<Seen>) {
        let (mut tick, mut figures) = (every(NEWS), every(FIGURES));
        loop {
            tick.tick().await;
            if !self.is_watched() {
                continue;
            }
            if figures.tick().now_or_never().is_some() {
                seen.send_replace(self.look().await);
            } else {
                let news = within_limit(store::news(&self.pool)).await.ok();
                seen.send_modify(|seen| seen.news = news);
            }
        }
    }

    async fn keep_framing(&self, seen: &watch::Sender<Seen>) -> anyhow::Result<()> {
        let mut seen = seen.subscribe();
        let mut sentences = Sentences::default();
        loop {
            // Its sender lives as long as this.
            let _ = timeout(PATIENCE, seen.changed()).await;
            if self.is_watched() {
                let frame = build::frame(self, &seen.borrow_and_update(), &mut sentences);
                self.frames
                    .send_replace(serde_json::to_string(&frame)?.into());
            } else {
                // Nobody knows how long it will go on while nobody looks.
                sentences = Sentences::default();
            }
        }
    }

    fn is_watched(&self) -> bool {
        self.frames.receiver_count() > 0
    }

    /// What the database does not tell is unknown.
    async fn look(&self) -> Seen {
        let figures = within_limit(store::figures(&self.pool));
        let news = within_limit(store::news(&self.pool));
        let attempts = within_limit(store::attempts(&self.pool));
        let letters = within_limit(self.letters());
        let (figures, news, attempts, letters) = tokio::join!(figures, news, attempts, letters);
        if let Err(error) = &figures {
            let error = error.to_string();
            debug!(error, "the figures of orders are unknown");
        }
        Seen {
            figures: figures.ok(),
            news: news.ok(),
            attempts: attempts.unwrap_or_default(),
            letters: letters.ok(),
        }
    }

    async fn letters(&self) -> sqlx::Result<Letters> {
        let open = LetterFilter {
            state: Some("open".to_owned()),
            ..LetterFilter::default()
        };
        let open = store::count_letters(&self.pool, &open).await?;
        Ok(Letters {
            open: open.count,
            more: open.is_more,
            jobs: (store::active_jobs(&self.pool).await?.into_iter())
                .map(JobView::from)
                .collect(),
            changes: store::changes_of_letters(&self.pool).await?,
        })
    }

    fn undecodable(&self) -> u64 {
        self.undecodable.load(Ordering::Relaxed)
    }
}
