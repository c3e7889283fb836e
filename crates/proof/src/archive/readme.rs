//! The text that opens every archive: by it an archive is known.

/// How every archive begins, before the number of its format.
pub(super) const OPENING: &str = "scanner evidence archive, format ";

/// What stands in `README.txt`. It belongs to the format: to change it is to make a new one.
pub(super) const README: &str = "\
scanner evidence archive, format 1

What one sweep over an AWS organization found, with all that is needed to verify it offline:

    scanner evidence verify FILE
    scanner evidence verify FILE --expect HASH

HASH is a head that was noted outside of the store, at the sweep or later: each sweep logs its own. Without
one, an archive shows that it fits together. That nobody made the whole chain of seals anew, only a noted
head shows.

summary.md        for humans; verified against the rest
manifest.json     what this is of; size and SHA-256 of every other file
seals/            the seals from the first to that of the sweep, with the header of each
later-seals/      those after it, up to the head
accounts/         what the sweep says of each account, and where that is in the Merkle tree of the seal
documents/        evidence, and the details of findings: the SHA-256 of each is its name
drifts/           the records of what changed, or the hashes of those that are withheld
journal/          the same for what arrived since the seal before: authors, acknowledgements, exceptions

How to verify by hand. H is SHA-256, | puts bytes together, a label is ASCII with a zero byte at its end,
a number is 8 bytes, big-endian. JSON is canonical: keys sorted, no white space.

document     its name is H(text)
leaf         H('scanner-proof/account-leaf/1' | JSON of `leaf`)
Merkle tree  RFC 6962, section 2.1, over one entry an account in the order of ids: its 12 digits | its leaf
             so a leaf's node is H(00 | digits | leaf) and an inner node is H(01 | left | right)
path         the siblings from the leaf upwards; the last node of an odd level goes up as it is
record       H('scanner-proof/record/1' | text)
batch        H('scanner-proof/batch/1' | record | record | ... | number of records)
header       H(JSON of `header`)
seal         H('scanner-proof/seal/1' | sweep | previous | header | number of accounts | Merkle root
               | batch of drifts | batch of the journal)
             where previous is 00 for the first seal, and else 01 | hash of the seal before
";

/// The format of an archive that begins so; `None` for what is none.
pub(super) fn format_of(readme: &[u8]) -> Option<&str> {
    let first_line = readme.split(|byte| *byte == b'\n').next()?;
    std::str::from_utf8(first_line).ok()?.strip_prefix(OPENING)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::FORMAT;

    #[test]
    fn the_readme_names_the_format() {
        assert_eq!(
            format_of(README.as_bytes()),
            Some(FORMAT.to_string().as_str())
        );
        assert_eq!(format_of(b"something else"), None);
        assert_eq!(format_of(b""), None);
    }
}
