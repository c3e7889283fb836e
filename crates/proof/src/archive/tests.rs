//! Archives that verify, and everything that must not.

mod alterations;
mod fixture;
mod hostile_files;
mod single_bytes;

use std::collections::BTreeMap;

use fixture::{Fixture, Unpacked, account_id, misfit_of, unpack};
use model::{ContentHash, SweepId, Verdict};

use super::*;
use crate::{misfit::Misfit, seal::SealHash};

#[test]
fn an_archive_of_the_whole_organization_verifies() {
    let fixture = Fixture::new();
    let (written, archive) = fixture.whole();
    let verified = verify(archive.as_slice(), None).unwrap();
    assert_eq!(verified, written);
    let expected = Verified {
        sweep: SweepId(2),
        organization_id: Some("o-a1b2c3d4e5".to_owned()),
        seal: fixture.seals[1].0.hash,
        head: fixture.seals[2].0.hash,
        head_sweep: SweepId(4),
        first_sweep: fixture.seals[0].0.sweep,
        seals: 3,
        noted_sweep: None,
        accounts: 3,
        accounts_sealed: 3,
        is_whole: true,
        verdicts: [
            (Verdict::Pass, 3),
            (Verdict::Fail, 2),
            (Verdict::Unknown, 1),
        ]
        .into(),
        documents: 10,
        drifts: BatchCount {
            shown: 2,
            withheld: 0,
        },
        journal: BatchCount {
            shown: 1,
            withheld: 0,
        },
    };
    assert_eq!(verified, expected);
}

#[test]
fn an_archive_of_one_account_verifies_by_its_path() {
    let fixture = Fixture::new();
    for number in 1..=3 {
        let (written, archive) = fixture.one(number);
        let verified = verify(archive.as_slice(), Some(fixture.seals[2].0.hash)).unwrap();
        assert_eq!(verified.accounts, 1);
        assert_eq!(verified.accounts_sealed, 3);
        assert!(!verified.is_whole);
        assert_eq!(verified.noted_sweep, Some(SweepId(4)));
        assert_eq!(verified.drifts.withheld, 1);
        assert_eq!(written.seal, verified.seal);
        let names: Vec<String> = unpack(&archive)
            .files
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        let accounts = names.iter().filter(|name| name.starts_with("accounts/"));
        assert_eq!(
            accounts.collect::<Vec<_>>(),
            [&format!("accounts/{}.json", account_id(number))]
        );
    }
}

#[test]
fn the_same_content_gives_the_same_bytes() {
    assert_eq!(Fixture::new().whole().1, Fixture::new().whole().1);
}

#[test]
fn other_tools_read_the_archive() {
    let (_, archive) = Fixture::new().whole();
    let mut tar = tar::Archive::new(zstd::Decoder::new(archive.as_slice()).unwrap());
    let mut sections = Vec::new();
    for entry in tar.entries().unwrap() {
        let entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        sections.push(path.split('/').next().unwrap().to_owned());
        assert_eq!(entry.header().mode().unwrap(), 0o444);
    }
    sections.dedup();
    let expected = [
        "README.txt",
        "seals",
        "later-seals",
        "accounts",
        "documents",
        "drifts",
        "journal",
        "summary.md",
        "manifest.json",
    ];
    assert_eq!(sections, expected);
}

#[test]
fn a_noted_head_is_found_wherever_it_is_in_the_chain() {
    let fixture = Fixture::new();
    let (_, archive) = fixture.whole();
    for (seal, _) in &fixture.seals {
        let verified = verify(archive.as_slice(), Some(seal.hash)).unwrap();
        assert_eq!(verified.noted_sweep, Some(seal.sweep));
    }
    let later = SealHash([9; 32]);
    let Err(VerifyError::NotNoted { expected, seals }) = verify(archive.as_slice(), Some(later))
    else {
        panic!("a head that was noted later was found, or said to be altered");
    };
    assert_eq!(expected, later);
    let sweeps = [0, fixture.seals.len() - 1].map(|place| fixture.seals[place].0.sweep);
    assert_eq!(seals, sweeps.into());
    // What was altered is said first: that the archive is whole in itself must be so.
    let mut longer = archive;
    longer.push(0);
    assert_eq!(
        misfit_of(verify(longer.as_slice(), Some(later))).what,
        "end"
    );
}

#[test]
fn an_organization_without_accounts_has_an_archive() {
    let (_, archive) = Fixture::of(&[]).whole();
    let verified = verify(archive.as_slice(), None).unwrap();
    assert!(verified.is_whole);
    assert_eq!(verified.accounts, 0);
}

#[test]
fn long_lists_are_cut_into_files() {
    let mut fixture = Fixture::new();
    fixture.drifts = (0..2_500)
        .map(|number| format!("{{\"drift\":{number}}}"))
        .collect();
    fixture.seal_anew();
    let (_, archive) = fixture.whole();
    let verified = verify(archive.as_slice(), None).unwrap();
    assert_eq!(verified.drifts.shown, 2_500);
    let files = unpack(&archive).files;
    let cut = files
        .iter()
        .filter(|(name, _)| name.starts_with("drifts/"))
        .count();
    assert_eq!(cut, 3);
}

#[test]
fn what_does_not_fit_is_not_written() {
    let refused = |alter: fn(&mut Fixture)| {
        let mut fixture = Fixture::new();
        alter(&mut fixture);
        let WriteError::Misfit(misfit) = fixture.write_whole().unwrap_err() else {
            panic!("written");
        };
        misfit
    };
    let without_document = refused(|fixture| {
        fixture.documents.pop_first();
    });
    assert_eq!(without_document.found, "no such file");
    let with_another = refused(|fixture| {
        fixture
            .documents
            .insert(ContentHash::of_text("{}"), "{}".to_owned());
    });
    assert_eq!(with_another.found, "a document that nothing names");
    let other_name = refused(|fixture| fixture.accounts[1].0.name.push('x'));
    assert_eq!(other_name.what, "Merkle root");
    let fewer = refused(|fixture| {
        fixture.accounts.pop();
    });
    assert_eq!(fewer.what, "number of accounts");
    let unordered = refused(|fixture| fixture.accounts.reverse());
    assert_eq!(unordered.what, "order of files");
    let fewer_drifts = refused(|fixture| {
        fixture.drifts.pop();
    });
    assert_eq!(
        (fewer_drifts.what, fewer_drifts.place.as_str()),
        ("hash of the records", "drifts")
    );
    let other_counts = refused(|fixture| {
        fixture.verdicts = BTreeMap::from([(Verdict::Pass, 6)]);
        fixture.seal_anew();
    });
    assert_eq!(other_counts.what, "verdicts");
    assert_eq!(other_counts.found, "6 PASS");
}

/// The text is part of the format: archives that were written with it must verify for ever.
#[test]
fn the_texts_of_format_1_are_fixed() {
    let (_, archive) = Fixture::new().one(2);
    let unpacked = unpack(&archive);
    let text = |name: &str| {
        let (_, bytes) = unpacked
            .files
            .iter()
            .find(|(file, _)| file == name)
            .unwrap();
        String::from_utf8(bytes.clone()).unwrap()
    };
    assert_eq!(
        text("summary.md"),
        include_str!("tests/summary_of_format_1.md")
    );
    assert_eq!(
        ContentHash::of_text(&text("README.txt")).to_string(),
        "e553f830a9ed6ddbfe47b989e6537164680d680034c27e9cf3480cf08e072e5e"
    );
}

/// The archive with some files altered by somebody who knows how to mend the manifest.
fn after(unpacked: &Unpacked, alter: impl FnOnce(&mut Unpacked)) -> Misfit {
    let mut altered = unpacked.clone();
    alter(&mut altered);
    altered.mend_manifest();
    misfit_of(verify(altered.pack().as_slice(), None))
}
