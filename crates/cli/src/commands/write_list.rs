//! Writes a list in the form that is asked for, while it is read.

use anyhow::Context as _;
use report::{
    AsOfLine,
    csv::{self, Record},
    json::{self, Listed},
    ndjson,
};

use crate::output::{Destination, ListFormat};

/// A list that comes page by page.
pub(crate) trait Pages {
    /// What it holds.
    type Item: Listed + Record + Send + 'static;

    /// The next items; `None` when there are no more.
    async fn next(&mut self) -> anyhow::Result<Option<Vec<Self::Item>>>;
}

/// A list that is there as a whole.
pub(crate) struct Whole<T>(Option<Vec<T>>);

impl<T> Whole<T> {
    pub(crate) fn of(items: Vec<T>) -> Self {
        Self(Some(items))
    }
}

impl<T: Listed + Record + Send + 'static> Pages for Whole<T> {
    type Item = T;

    async fn next(&mut self) -> anyhow::Result<Option<Vec<T>>> {
        Ok(self.0.take())
    }
}

/// Writes the list to standard output. A table needs all of it; else only some pages are in memory.
pub(crate) async fn write_list<P: Pages>(
    mut pages: P,
    as_of: Option<AsOfLine>,
    format: ListFormat,
    table: impl FnOnce(Vec<P::Item>, &report::Options) -> String,
) -> anyhow::Result<()> {
    let destination = Destination::Stdout;
    if format == ListFormat::Table {
        let mut items = Vec::new();
        while let Some(page) = pages.next().await? {
            items.extend(page);
        }
        let head = as_of
            .as_ref()
            .map_or_else(String::new, report::history::as_of);
        return destination.write(&(head + &table(items, &destination.look(true))));
    }
    let (read, mut arriving) = tokio::sync::mpsc::channel::<Vec<P::Item>>(2);
    let written = tokio::task::spawn_blocking(move || {
        let items = std::iter::from_fn(|| arriving.blocking_recv()).flatten();
        destination.write_with(|out| match format {
            ListFormat::Csv => csv::write(items, out),
            ListFormat::Ndjson => ndjson::write(items, out),
            ListFormat::Json | ListFormat::Table => json::write_list(as_of.as_ref(), items, out),
        })
    });
    while let Some(page) = pages.next().await? {
        // Whoever reads has seen enough, or the writer says below why it stopped.
        if read.send(page).await.is_err() {
            break;
        }
    }
    drop(read);
    written.await.context("the list was not written")?
}
