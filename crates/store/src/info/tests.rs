//! The numbers of a store.

use super::*;
use crate::{
    fixture::Folder,
    history_fixture::{at, history},
};

#[tokio::test]
async fn a_store_tells_what_it_holds() {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    let info = sweeper.store().info().await.unwrap();
    let head = sweeper.store().seals().await.unwrap().pop().unwrap().seal;
    assert_eq!(info.organization_id.as_deref(), Some("o-aaaaaaaaaa"));
    assert_eq!(
        (info.sweeps, info.seals, info.drifts, info.journal),
        (8, 7, 4, 3)
    );
    assert_eq!((info.accounts, info.accounts_now), (5, 4));
    assert_eq!((info.findings, info.findings_now), (17, 8));
    assert_eq!(info.first_sweep, Some((SweepId(1), at(0))));
    assert_eq!(info.last_sweep, Some((SweepId(8), at(7))));
    assert_eq!(info.sealed_since, Some(SweepId(1)));
    assert_eq!(info.head, Some((SweepId(8), head.hash)));
    assert_eq!(info.content_from, None);
    assert!(info.bytes >= info.pages * 4096);
    let schema = Store::schema(folder.file("store.db")).await.unwrap();
    assert_eq!((schema.from, schema.to), (info.schema, info.schema));
    let names: Vec<&str> = info
        .tables
        .iter()
        .map(|table| table.name.as_str())
        .collect();
    assert!(
        names.contains(&"findings") && names.contains(&"documents"),
        "{names:?}"
    );
}

#[tokio::test]
async fn an_empty_store_tells_that_it_is() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let info = sweeper.store().info().await.unwrap();
    assert_eq!((info.sweeps, info.seals, info.head), (0, 0, None));
    assert_eq!((info.first_sweep, info.last_sweep), (None, None));
}
