//! Every single byte of an archive altered.

use std::thread;

use super::*;
use crate::archive::{tests::fixture::tar_of, verify::verify_unpacked};

/// What `check` says of each index, on all cores.
fn for_each(count: usize, check: impl Fn(usize) + Sync) {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for first in 0..threads {
            let check = &check;
            scope.spawn(move || (first..count).step_by(threads).for_each(check));
        }
    });
}

/// No byte of the tar is without meaning: names, sizes, modes, padding and the end count as well.
#[test]
fn no_byte_of_the_tar_can_be_altered() {
    let fixture = Fixture::of(&["prod"]);
    let (_, archive) = fixture.one(1);
    let tar = tar_of(&archive);
    for_each(tar.len(), |at| {
        // Of long runs of zeros, which are most of a tar, some.
        let is_padding = tar[at..].iter().take(16).all(|byte| *byte == 0);
        if is_padding && at % 61 != 0 {
            return;
        }
        let mut altered = tar.clone();
        altered[at] ^= 1 << (at % 7);
        let result = verify_unpacked(&altered);
        assert!(result.is_err(), "byte {at}: {result:?}");
    });
}

/// A file in which a bit differs is refused, or unpacks to the very same tar: a few bits of the frame's
/// header have no meaning, and zstd can tell some runs of zeros in more than one way.
#[test]
fn no_byte_of_the_file_can_be_altered_with_effect() {
    let fixture = Fixture::of(&["prod"]);
    let (written, archive) = fixture.one(1);
    let tar = tar_of(&archive);
    for_each(archive.len(), |at| {
        let mut altered = archive.clone();
        altered[at] ^= 1 << (at % 8);
        if let Ok(verified) = verify(altered.as_slice(), None) {
            assert_eq!(verified, written, "byte {at}");
            assert_eq!(tar_of(&altered), tar, "byte {at}");
        }
    });
}
