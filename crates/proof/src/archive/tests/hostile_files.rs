//! Files that are no archive, that are cut off, or that were made to hurt.

use std::io::{self, Read};

use proptest::prelude::*;

use super::*;
use crate::archive::{
    entry::EntryName,
    tests::fixture::{compress, tar_of},
};

fn is_no_archive(bytes: &[u8]) -> bool {
    matches!(verify(bytes, None), Err(VerifyError::NotAnArchive(_)))
}

#[test]
fn a_file_that_is_no_archive_is_told_from_one_that_was_altered() {
    let mut other_tar = Unpacked {
        files: vec![("notes.txt".to_owned(), b"hello".to_vec())],
    };
    assert!(is_no_archive(&other_tar.pack()));
    other_tar.files[0].0 = "README.txt".to_owned();
    assert!(is_no_archive(&other_tar.pack()));
    for bytes in [
        &b""[..],
        b"\x28\xb5\x2f\xfd",
        b"hello, this is no archive",
        b"\x1f\x8b\x08\x00",
        &[0; 4096],
        &compress(b""),
        &compress(b"hello"),
        &compress(&[0; 4096]),
    ] {
        assert!(is_no_archive(bytes), "{bytes:?}");
    }
}

#[test]
fn an_archive_is_known_for_one_where_its_beginning_was_altered() {
    let mut name = unpack(&Fixture::new().whole().1);
    name.files[0].0 = "REAFME.txt".to_owned();
    let mut text = unpack(&Fixture::new().whole().1);
    text.replace("README.txt", "format 1", "formaT 1");
    for altered in [name, text] {
        let verified = verify(altered.pack().as_slice(), None);
        assert!(
            matches!(verified, Err(VerifyError::Tampered(_))),
            "{verified:?}"
        );
    }
}

#[test]
fn an_archive_of_another_format_is_named_so() {
    let mut unpacked = unpack(&Fixture::new().whole().1);
    unpacked.replace("README.txt", "format 1", "format 2");
    let Err(VerifyError::NotAnArchive(why)) = verify(unpacked.pack().as_slice(), None) else {
        panic!("verified");
    };
    assert_eq!(why, "its format is 2, this version knows 1");
}

#[test]
fn an_archive_that_was_cut_off_is_tampered_with() {
    let (_, archive) = Fixture::new().whole();
    let mut known_from = None;
    for length in 0..archive.len() {
        match verify(&archive[..length], None) {
            Err(VerifyError::NotAnArchive(_)) => assert_eq!(known_from, None, "{length}"),
            Err(VerifyError::Tampered(_)) => known_from = known_from.or(Some(length)),
            other => panic!("{length} bytes: {other:?}"),
        }
    }
    // The README alone comes to 1.4 kB.
    assert!(known_from.unwrap() < 2_000, "{known_from:?}");
}

#[test]
fn nothing_may_follow_an_archive() {
    let (_, archive) = Fixture::new().whole();
    // Another frame, one to be skipped, other bytes.
    for more in [
        &compress(b"x")[..],
        b"\x50\x2a\x4d\x18\x01\x00\x00\x00x",
        b"\0",
    ] {
        let longer = [&archive, more].concat();
        assert_eq!(misfit_of(verify(longer.as_slice(), None)).what, "end");
    }
    let mut tar = tar_of(&archive);
    tar.push(0);
    assert_eq!(
        misfit_of(verify(compress(&tar).as_slice(), None)).what,
        "end"
    );
    tar.truncate(tar.len() - 513);
    assert_eq!(
        misfit_of(verify(compress(&tar).as_slice(), None)).what,
        "compressed data"
    );
}

#[test]
fn names_that_an_archive_does_not_have_are_refused() {
    for name in [
        "../evil",
        "/etc/passwd",
        "seals/../x.json",
        "accounts/x.json",
        "x",
    ] {
        let mut unpacked = unpack(&Fixture::new().whole().1);
        let mut tar = unpacked.tar();
        // As raw bytes: the tar library would refuse to write some of them.
        let name_at = 512 + unpacked.file("README.txt").len().next_multiple_of(512);
        tar[name_at..name_at + 100].fill(0);
        tar[name_at..name_at + name.len()].copy_from_slice(name.as_bytes());
        let misfit = misfit_of(verify(compress(&tar).as_slice(), None));
        assert_eq!((misfit.what, misfit.place.as_str()), ("file", name));
    }
}

#[test]
fn links_and_other_kinds_of_entries_are_refused() {
    let mut unpacked = unpack(&Fixture::new().whole().1);
    let at = 512 + unpacked.file("README.txt").len().next_multiple_of(512);
    for kind in [
        tar::EntryType::Symlink,
        tar::EntryType::Link,
        tar::EntryType::XHeader,
    ] {
        let mut tar = unpacked.tar();
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes().copy_from_slice(&tar[at..at + 512]);
        header.set_entry_type(kind);
        header.set_cksum();
        tar[at..at + 512].copy_from_slice(header.as_bytes());
        assert_eq!(
            misfit_of(verify(compress(&tar).as_slice(), None)).what,
            "tar header"
        );
    }
}

#[test]
fn a_bomb_is_refused_before_it_is_unpacked() {
    let mut unpacked = unpack(&Fixture::new().whole().1);
    unpacked.files.truncate(1);
    let readme = unpacked.tar();
    let readme = &readme[..readme.len() - 1024];
    let header = EntryName::Seals(1).header(LARGEST_FILE + 1).unwrap();
    let tar = [readme, header.as_bytes(), &vec![0; 64 << 20]].concat();
    assert_eq!(
        misfit_of(verify(compress(&tar).as_slice(), None)).what,
        "size"
    );
    // A header that promises more than there is.
    let header = EntryName::Seals(1).header(LARGEST_FILE).unwrap();
    let tar = [readme, header.as_bytes(), &[0; 512]].concat();
    assert_eq!(
        misfit_of(verify(compress(&tar).as_slice(), None)).what,
        "compressed data"
    );
    // JSON that is nested without end.
    unpacked
        .files
        .push(("seals/00000001.json".to_owned(), b"[".repeat(1 << 20)));
    assert_eq!(
        misfit_of(verify(unpacked.pack().as_slice(), None)).what,
        "text"
    );
}

#[test]
fn a_window_that_takes_too_much_memory_is_refused() {
    let (_, archive) = Fixture::new().whole();
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(LARGEST_WINDOW_LOG + 3).unwrap();
    io::copy(&mut tar_of(&archive).as_slice(), &mut encoder).unwrap();
    assert!(is_no_archive(&encoder.finish().unwrap()));
}

#[test]
fn a_file_that_cannot_be_read_is_no_forgery() {
    struct Broken<'a>(&'a [u8]);

    impl Read for Broken<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::Error::other("the disk is gone")),
                read => Ok(read),
            }
        }
    }

    let (_, archive) = Fixture::new().whole();
    for length in [
        0,
        3,
        1_000,
        archive.len() / 2,
        archive.len() - 1,
        archive.len(),
    ] {
        let result = verify(Broken(&archive[..length]), None);
        assert!(
            matches!(result, Err(VerifyError::Input(_))),
            "{length}: {result:?}"
        );
    }
}

proptest! {
    #[test]
    fn whatever_a_file_holds_verifying_ends(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        prop_assert!(verify(bytes.as_slice(), None).is_err());
        prop_assert!(verify(compress(&bytes).as_slice(), None).is_err());
    }

    #[test]
    fn pieces_put_elsewhere_never_verify(
        from in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(),
        length in 1..3_000_usize,
        is_moved in any::<bool>(),
    ) {
        let tar = tar_of(&Fixture::new().one(1).1);
        let from = from.index(tar.len());
        let piece = tar[from..(from + length).min(tar.len())].to_vec();
        let mut altered = tar.clone();
        if is_moved {
            altered.drain(from..from + piece.len());
        }
        let to = to.index(altered.len() + 1);
        altered.splice(to..to, piece);
        let verified = verify(compress(&altered).as_slice(), None).is_ok();
        prop_assert_eq!(verified, altered == tar);
    }
}
