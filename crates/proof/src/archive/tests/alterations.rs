//! What a forger who mends the manifest could try, and what is named.

use serde_json::json;

use super::*;
use crate::{
    LeafHash,
    archive::tests::fixture::{account_id, unpack},
};

fn whole() -> Unpacked {
    unpack(&Fixture::new().whole().1)
}

fn one() -> Unpacked {
    unpack(&Fixture::new().one(1).1)
}

#[test]
fn taken_apart_and_put_together_it_still_verifies() {
    for unpacked in [whole(), one()] {
        verify(unpacked.pack().as_slice(), None).unwrap();
        let mut mended = unpacked.clone();
        mended.mend_manifest();
        assert_eq!(mended.files, unpacked.files);
    }
}

#[test]
fn an_altered_leaf_is_named_by_its_account() {
    let alter = |unpacked: &mut Unpacked| {
        unpacked.replace("accounts/", "FAIL", "PASS");
    };
    let misfit = after(&whole(), alter);
    assert_eq!(
        (misfit.what, misfit.place.as_str()),
        ("leaf hash", "accounts/111111111111.json")
    );
    // With its hash mended, the whole tree shows it, or the account's path.
    let alter = |unpacked: &mut Unpacked| {
        unpacked.leaf("accounts/", |leaf| {
            leaf["findings"]["root-usage"]["reason"] = json!("covered-by-own-trail");
            leaf["findings"]["root-usage"]["verdict"] = json!("PASS");
        });
    };
    let misfit = after(&whole(), alter);
    assert_eq!(
        (misfit.what, misfit.place.as_str()),
        ("Merkle root", "accounts of sweep 2")
    );
    let misfit = after(&one(), alter);
    assert_eq!(
        (misfit.what, misfit.place.as_str()),
        ("Merkle root", "accounts/111111111111.json")
    );
}

#[test]
fn an_altered_path_is_named() {
    for alter in [
        (|path| path["index"] = json!(1)) as fn(&mut serde_json::Value),
        |path| path["siblings"][0] = json!(LeafHash([1; 32])),
        |path| path["siblings"].as_array_mut().unwrap().swap(0, 1),
        |path| path["siblings"] = json!([]),
    ] {
        let misfit = after(&one(), |unpacked| {
            unpacked.json("accounts/", |file| alter(&mut file["path"]));
        });
        assert_eq!(misfit.what, "Merkle root");
    }
}

#[test]
fn a_verdict_must_follow_from_its_reason() {
    let mut fixture = Fixture::new();
    for finding in fixture.accounts[0].2.values_mut() {
        finding.verdict = Verdict::Pass;
    }
    fixture.seal_anew();
    let WriteError::Misfit(misfit) = fixture.write_whole().unwrap_err() else {
        panic!("written");
    };
    assert_eq!((misfit.what, misfit.expected.as_str()), ("verdict", "FAIL"));
}

#[test]
fn accounts_that_were_taken_out_added_or_moved_are_noticed() {
    let misfit = after(&whole(), |unpacked| unpacked.remove("accounts/2"));
    assert_eq!(
        (misfit.what, misfit.found.as_str()),
        ("number of accounts", "2")
    );
    let misfit = after(&one(), |unpacked| unpacked.remove("accounts/1"));
    assert_eq!(
        (misfit.what, misfit.found.as_str()),
        ("number of accounts", "0")
    );
    // One account passed off as another.
    let misfit = after(&one(), |unpacked| {
        let (name, _) = unpacked
            .files
            .iter_mut()
            .find(|(name, _)| name.starts_with("acc"))
            .unwrap();
        *name = format!("accounts/{}.json", account_id(2));
    });
    assert_eq!(misfit.what, "account id");
    let misfit = after(&one(), |unpacked| {
        let other = whole().file("accounts/2").clone();
        let at = unpacked
            .files
            .iter()
            .position(|(name, _)| name.starts_with("acc"))
            .unwrap();
        unpacked
            .files
            .insert(at + 1, (format!("accounts/{}.json", account_id(2)), other));
    });
    assert_eq!(misfit.what, "path");
}

#[test]
fn documents_must_be_those_that_are_named() {
    let misfit = after(&whole(), |unpacked| {
        unpacked.replace("documents/", "\":", "\": ");
    });
    assert_eq!(misfit.what, "SHA-256");
    let misfit = after(&whole(), |unpacked| unpacked.remove("documents/"));
    assert_eq!(misfit.found, "no such file");
    let misfit = after(&one(), |unpacked| {
        let at = unpacked
            .files
            .iter()
            .position(|(name, _)| name == "drifts/00000001.json")
            .unwrap();
        let name = format!("documents/{}.json", "f".repeat(64));
        unpacked.files.insert(at, (name, b"{}".to_vec()));
    });
    assert_eq!(misfit.what, "SHA-256");
}

#[test]
fn a_detail_that_names_a_reason_must_name_that_of_its_finding() {
    let mut fixture = Fixture::new();
    for finding in fixture.accounts[2].2.values_mut() {
        if finding.verdict == Verdict::Unknown {
            finding.reason = model::Reason::AlarmUndecided;
        }
    }
    fixture.seal_anew();
    let WriteError::Misfit(misfit) = fixture.write_whole().unwrap_err() else {
        panic!("written");
    };
    assert_eq!(
        (misfit.what, misfit.found.as_str()),
        ("reason", "evidence-gap")
    );
}

#[test]
fn altered_seals_are_named_by_their_sweep() {
    let misfit = after(&whole(), |unpacked| {
        unpacked.replace("seals/", "1.0.0", "1.0.1");
    });
    assert_eq!(
        (misfit.what, misfit.place.as_str()),
        ("header", "seal of sweep 1")
    );
    let misfit = after(&whole(), |unpacked| {
        unpacked.json("later-seals/", |lines| {
            lines[0]["seal"]["accounts"]["accounts"] = json!(9);
        });
    });
    assert_eq!(
        (misfit.what, misfit.place.as_str()),
        ("hash", "seal of sweep 4")
    );
    let misfit = after(&whole(), |unpacked| unpacked.remove("seals/"));
    assert_eq!(
        (misfit.what, misfit.place.as_str()),
        ("file", "seals/00000001.json")
    );
    let misfit = after(&whole(), |unpacked| {
        unpacked.json("seals/", |lines| {
            drop(lines.as_array_mut().unwrap().remove(0));
        });
    });
    assert_eq!(
        (misfit.what, misfit.place.as_str()),
        ("previous seal", "seal of sweep 2")
    );
    let misfit = after(&whole(), |unpacked| unpacked.remove("later-seals/"));
    // Nothing but the head tells: the archive up to the sweep itself is as good as before.
    assert_eq!(misfit.what, "text");
    assert!(misfit.place.starts_with("summary.md"), "{misfit}");
}

#[test]
fn altered_records_are_noticed() {
    for start in ["drifts/", "journal/"] {
        let misfit = after(&whole(), |unpacked| {
            unpacked.json(start, |lines| lines[0] = json!("{\"other\":1}"));
        });
        assert_eq!(misfit.what, "hash of the records");
        let misfit = after(&whole(), |unpacked| unpacked.remove(start));
        assert_eq!(misfit.what, "hash of the records");
    }
    let misfit = after(&whole(), |unpacked| {
        unpacked.json("drifts/", |lines| lines.as_array_mut().unwrap().swap(0, 1));
    });
    assert_eq!(misfit.what, "hash of the records");
}

#[test]
fn what_humans_read_must_follow_from_the_rest() {
    let misfit = after(&whole(), |unpacked| {
        unpacked.replace("summary.md", "FAIL filter-absent", "PASS filter-absent");
    });
    assert_eq!(misfit.what, "text");
    assert!(misfit.expected.contains("FAIL filter-absent"), "{misfit}");
    let misfit = after(&whole(), |unpacked| {
        unpacked
            .file("summary.md")
            .extend_from_slice(b"All is well.\n");
    });
    assert_eq!(misfit.what, "text");
    let misfit = after(&whole(), |unpacked| unpacked.remove("summary.md"));
    assert_eq!((misfit.what, misfit.place.as_str()), ("file", "summary.md"));
    let misfit = after(&whole(), |unpacked| {
        unpacked.replace("README.txt", "--expect", "--ignore");
    });
    assert_eq!(misfit.place, "README.txt, line 6");
}

#[test]
fn a_field_that_no_hash_binds_is_refused() {
    for (start, place) in [
        ("accounts/", ""),
        ("accounts/", "/path"),
        ("seals/", "/0"),
        ("seals/", "/0/seal"),
        ("seals/", "/0/seal/accounts"),
        ("drifts/", "/1"),
    ] {
        let misfit = after(&one(), |unpacked| {
            unpacked.json(start, |file| {
                file.pointer_mut(place).unwrap()["note"] = json!("All is well.");
            });
        });
        assert_eq!(misfit.what, "text", "{start}{place}: {misfit}");
    }
}

#[test]
fn every_field_of_the_manifest_is_compared() {
    let hash = "0".repeat(64);
    for (what, field, value) in [
        ("schema_version", "/schema_version", json!(2)),
        ("kind", "/kind", json!("x")),
        ("organization_id", "/organization_id", json!("o-other")),
        ("sweep", "/sweep", json!(4)),
        ("seal", "/seal", json!(hash)),
        ("head", "/head/seal", json!(hash)),
        ("sweep of the head", "/head/sweep", json!(2)),
        ("accounts_sealed", "/accounts_sealed", json!(4)),
        (
            "selection",
            "/selection",
            json!({"accounts": [account_id(1)]}),
        ),
        ("size", "/files/3/size", json!(1)),
        ("SHA-256", "/files/0/sha256", json!(hash)),
        ("file", "/files/3/path", json!("accounts/999999999999.json")),
    ] {
        let mut unpacked = whole();
        unpacked.json("manifest.json", |manifest| {
            *manifest.pointer_mut(field).unwrap() = value;
        });
        let misfit = misfit_of(verify(unpacked.pack().as_slice(), None));
        assert_eq!(misfit.what, what);
    }
    let mut unpacked = whole();
    unpacked.json("manifest.json", |manifest| manifest["more"] = json!(1));
    assert_eq!(
        misfit_of(verify(unpacked.pack().as_slice(), None)).what,
        "form"
    );
}

#[test]
fn files_that_only_one_of_archive_and_manifest_has_are_named() {
    let mut unpacked = whole();
    unpacked.json("manifest.json", |manifest| {
        manifest["files"].as_array_mut().unwrap().remove(2);
    });
    let misfit = misfit_of(verify(unpacked.pack().as_slice(), None));
    assert_eq!(misfit.place, "later-seals/00000001.json");
    assert_eq!(misfit.found, "one that it does not list");
    let mut unpacked = whole();
    unpacked.json("manifest.json", |manifest| {
        let files = manifest["files"].as_array_mut().unwrap();
        let line = json!({"path": "x", "size": 0, "sha256": "0".repeat(64)});
        files.insert(1, line);
    });
    let misfit = misfit_of(verify(unpacked.pack().as_slice(), None));
    assert_eq!(
        (misfit.place.as_str(), misfit.found.as_str()),
        ("x", "no such file")
    );
}

#[test]
fn a_chain_made_anew_is_noticed_against_a_noted_head_alone() {
    let honest = Fixture::new();
    let noted = honest.seals[2].0.hash;
    let mut forged = Fixture::new();
    forged.accounts[0].0.name = "forged".to_owned();
    forged.seal_anew();
    let (_, archive) = forged.whole();
    verify(archive.as_slice(), None).unwrap();
    assert!(matches!(
        verify(archive.as_slice(), Some(noted)),
        Err(VerifyError::NotNoted { .. })
    ));
}
