//! What a seal binds, and what a chain of them notices.

use super::*;
use crate::{batch::batch_hash, merkle::MerkleTree};

fn header(sweep: i64) -> SealHeader {
    SealHeader {
        sweep: SweepId(sweep),
        organization_id: Some("o-a1b2c3d4e5".to_owned()),
        organization: None,
        caller: "111111111111".parse().unwrap(),
        scope: SweepScope::default(),
        scanner_version: "1.0.0".to_owned(),
        configuration: None,
        started_at: Timestamp::UNIX_EPOCH,
        finished_at: Timestamp::UNIX_EPOCH,
        state: SweepState::Finished,
        discovery: Some(DiscoveryState::Complete),
        verdicts: [(Verdict::Pass, 3)].into(),
        gaps: BTreeMap::new(),
        accounts_seen: 3,
        findings_seen: 3,
        api_calls: 12,
        seen: None,
        unsealed: None,
        content_from: None,
    }
}

fn chain(sweeps: &[i64]) -> Vec<(Seal, String)> {
    let mut previous = None;
    let empty = batch_hash::<&str>([]);
    (sweeps.iter())
        .map(|sweep| {
            let header = header(*sweep);
            let seal = Seal::make(previous, &header, MerkleTree::new([]).head(), empty, empty);
            previous = Some(seal.hash);
            (seal, header.canonical())
        })
        .collect()
}

fn follow(seals: &[(Seal, String)]) -> Result<Chain, Misfit> {
    let mut chain = Chain::default();
    for (seal, header) in seals {
        chain.follow(seal, header)?;
    }
    Ok(chain)
}

#[test]
fn a_chain_leads_to_its_head() {
    let seals = chain(&[1, 2, 5]);
    let followed = follow(&seals).unwrap();
    assert_eq!(followed.head(), Some(seals[2].0.hash));
    assert_eq!(followed.seals(), 3);
    assert_eq!(Chain::default().head(), None);
}

/// Fixed for ever: stores and archives hold seals that were computed so.
#[test]
fn version_1_of_a_seal_keeps_its_bytes() {
    let seals = chain(&[1, 2]);
    assert_eq!(
        seals[1].0.hash.to_string(),
        "0a36ac1019c4543032e5b8521702fcad67b4d9bdc75004c50a30f83b4239b03d"
    );
}

type Alter = Box<dyn Fn(&mut (Seal, String))>;

#[test]
fn an_altered_field_is_named_with_its_sweep() {
    let other = SealHash([7; 32]);
    let hash = ContentHash::of("other");
    let tree = MerkleTree::new([]).head();
    let batch = batch_hash(["{}"]);
    let cases: Vec<(&str, Alter)> = vec![
        ("version", Box::new(|it| it.0.version = 2)),
        ("sweep", Box::new(|it| it.0.sweep = SweepId(1))),
        ("hash", Box::new(|it| it.0.sweep = SweepId(3))),
        (
            "previous seal",
            Box::new(move |it| it.0.previous = Some(other)),
        ),
        ("previous seal", Box::new(|it| it.0.previous = None)),
        ("header", Box::new(move |it| it.0.header = hash)),
        (
            "header",
            Box::new(|it| it.1 = it.1.replace("1.0.0", "1.0.1")),
        ),
        (
            "hash",
            Box::new(move |it| {
                it.0.accounts = TreeHead {
                    accounts: 1,
                    ..tree
                }
            }),
        ),
        ("hash", Box::new(move |it| it.0.drifts = batch)),
        ("hash", Box::new(move |it| it.0.journal = batch)),
        ("hash", Box::new(move |it| it.0.hash = other)),
    ];
    for (what, alter) in cases {
        let mut seals = chain(&[1, 2, 4]);
        alter(&mut seals[1]);
        let misfit = follow(&seals).unwrap_err();
        assert_eq!(misfit.what, what);
        assert!(misfit.place.starts_with("seal of sweep "), "{misfit}");
    }
}

#[test]
fn a_seal_made_anew_is_noticed_by_the_next_one() {
    let mut seals = chain(&[1, 2, 3]);
    let mut forged = header(2);
    forged.verdicts = BTreeMap::new();
    let seal = seals[1].0;
    seals[1] = (
        Seal::make(
            seal.previous,
            &forged,
            seal.accounts,
            seal.drifts,
            seal.journal,
        ),
        forged.canonical(),
    );
    let misfit = follow(&seals).unwrap_err();
    assert_eq!(misfit.what, "previous seal");
    assert_eq!(misfit.place, "seal of sweep 3");
    assert_eq!(misfit.expected, seals[1].0.hash.to_string());
}

#[test]
fn a_seal_that_was_taken_out_or_moved_is_noticed() {
    let seals = chain(&[1, 2, 3]);
    let without_second = [seals[0].clone(), seals[2].clone()];
    assert_eq!(follow(&without_second).unwrap_err().what, "previous seal");
    let without_first = &seals[1..];
    assert_eq!(follow(without_first).unwrap_err().what, "previous seal");
    let twice = [seals[0].clone(), seals[0].clone()];
    assert_eq!(follow(&twice).unwrap_err().what, "sweep");
}

#[test]
fn a_header_of_another_sweep_is_noticed() {
    let mut seals = chain(&[1]);
    seals[0].1 = header(9).canonical();
    seals[0].0.header = ContentHash::of_text(&seals[0].1);
    seals[0].0.hash = seals[0].0.computed_hash();
    let misfit = follow(&seals).unwrap_err();
    assert_eq!(misfit.what, "sweep of the header");
}
