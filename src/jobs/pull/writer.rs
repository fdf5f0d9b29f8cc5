//! Writes what a pull brings in a thread of its own: a disk takes its time to say that it has something for
//! good, and the asking goes on meanwhile.

use anyhow::Context;
use tokio::task::JoinHandle;

use crate::jobs::platform::StoredTokens;
use crate::model::Timestamp;
use crate::store::{PulledUser, Store, StoreError, TokenChange};

/// Users who are written together, each with the moment at which they were asked.
pub(super) type Batch = Vec<(PulledUser, Timestamp)>;

/// One batch at a time, through a connection of its own.
pub(super) struct Writer<'a> {
    run_id: &'a str,
    tokens: &'a StoredTokens,
    /// Not there while it writes.
    store: Option<Store>,
    writing: Option<JoinHandle<Written>>,
}

struct Written {
    store: Store,
    tokens: Vec<TokenChange>,
    result: Result<(), StoreError>,
}

impl<'a> Writer<'a> {
    /// A writer into the database of `store`.
    ///
    /// # Errors
    /// When it cannot be opened once more.
    pub(super) fn beside(store: &Store, run_id: &'a str, tokens: &'a StoredTokens) -> Result<Self, StoreError> {
        Ok(Self { run_id, tokens, store: Some(store.beside()?), writing: None })
    }

    /// Whether a batch could be begun without waiting.
    pub(super) fn is_idle(&self) -> bool {
        self.writing.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Begins to write a batch, and the tokens that are held back, in one transaction, when the one before is written.
    ///
    /// # Errors
    /// When the batch before could not be written.
    pub(super) async fn begin(&mut self, batch: Batch) -> anyhow::Result<()> {
        self.end().await?;
        let tokens = self.tokens.held();
        if batch.is_empty() && tokens.is_empty() {
            return Ok(());
        }
        let mut store = self.store.take().context("the database is lost to the pull")?;
        let run_id = self.run_id.to_owned();
        let span = tracing::Span::current();
        self.writing = Some(tokio::task::spawn_blocking(move || {
            let result = span.in_scope(|| store.record_pull(&run_id, &batch, &tokens));
            Written { store, tokens, result }
        }));
        Ok(())
    }

    /// Waits until everything that was begun is written.
    ///
    /// # Errors
    /// When it could not be written.
    pub(super) async fn end(&mut self) -> anyhow::Result<()> {
        let Some(writing) = self.writing.take() else { return Ok(()) };
        let Written { store, tokens, result } = writing.await.context("storing a pull ended without a result")?;
        self.store = Some(store);
        result?;
        self.tokens.written(&tokens);
        Ok(())
    }
}
