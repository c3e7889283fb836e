//! What sealing costs: `cargo bench -p proof`; the figures are in `docs/performance.md`.

#![expect(clippy::expect_used, reason = "a benchmark fails by panicking")]

use std::collections::BTreeMap;

use divan::{Bencher, black_box};
use model::{
    Account, AccountId, AccountState, ContentHash, ControlId, Link, OuPath, Reason, SweepId,
    SweepScope, SweepState, Verdict,
};
use proof::{
    AccountLeaf, FindingLeaf, LeafHash, LeafHasher, MerkleTree, Seal, SealHeader,
    archive::{ArchiveWriter, verify},
    batch_hash,
};

const ACCOUNTS: usize = 10_000;
const CONTROLS: usize = 15;
const DETAIL: &str = r#"{"message":"No metric filter on the log group."}"#;
const EVIDENCE: &str = r#"{"trails":{"Ok":[]}}"#;

fn main() {
    divan::main();
}

/// Accounts as in an organization, with fifteen findings each.
fn accounts() -> Accounts {
    let controls: Vec<ControlId> = (0..CONTROLS)
        .map(|number| format!("control-number-{number}").parse().expect("a slug"))
        .collect();
    let finding = FindingLeaf {
        verdict: Verdict::Fail,
        reason: Reason::FilterAbsent,
        link: Some(Link::MetricFilter),
        detail: ContentHash::of_text(DETAIL),
        gap_samples: None,
    };
    let findings: BTreeMap<_, _> = controls.into_iter().map(|id| (id, finding)).collect();
    (0..ACCOUNTS)
        .map(|number| {
            let account = Account {
                id: id(number),
                name: format!("account-{number}"),
                state: AccountState::Active,
                ou_path: Some(OuPath(vec!["r-ab12".to_owned(), "ou-ab12-c3d4".to_owned()])),
                tags: None,
            };
            (account, findings.clone())
        })
        .collect()
}

fn id(number: usize) -> AccountId {
    let digits = format!("{:012}", 100_000_000_000 + number);
    digits.parse().expect("twelve digits")
}

fn leaves(seed: usize) -> Vec<(AccountId, LeafHash)> {
    (0..ACCOUNTS)
        .map(|number| {
            (
                id(number),
                LeafHash::of_canonical(&format!("{seed}/{number}")),
            )
        })
        .collect()
}

/// The leaves of 10,000 accounts by 15 controls.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn leaves_from_nothing(bencher: Bencher<'_, '_>) {
    let accounts = accounts();
    bencher.bench_local(|| {
        let mut hasher = LeafHasher::default();
        for (account, findings) in &accounts {
            black_box(hasher.hash(&AccountLeaf {
                account,
                evidence: None,
                findings,
            }));
        }
    });
}

/// The tree over 10,000 leaves.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn tree_from_nothing(bencher: Bencher<'_, '_>) {
    let leaves = leaves(0);
    bencher.bench_local(|| MerkleTree::new(leaves.iter().copied()).head());
}

/// Leaves that changed among 10,000.
#[divan::bench(args = [1, 100], sample_count = 20, sample_size = 1)]
fn tree_after_changes(bencher: Bencher<'_, '_>, changes: usize) {
    let tree = MerkleTree::new(leaves(0));
    let other_leaves: Vec<_> = (leaves(1).into_iter())
        .step_by(ACCOUNTS / changes)
        .map(|(account, leaf)| (account, Some(leaf)))
        .collect();
    bencher
        .with_inputs(|| tree.clone())
        .bench_local_refs(|tree| {
            tree.update(other_leaves.iter().copied());
            tree.head()
        });
}

/// One account more among 10,000: the tree is made anew, but for the nodes of its leaves.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn tree_with_one_account_more(bencher: Bencher<'_, '_>) {
    let tree = MerkleTree::new(leaves(0));
    let more = (id(ACCOUNTS), Some(LeafHash::of_canonical("one more")));
    bencher
        .with_inputs(|| tree.clone())
        .bench_local_refs(|tree| {
            tree.update([more]);
            tree.head()
        });
}

/// The paths of 10,000 accounts.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn paths_of_all(bencher: Bencher<'_, '_>) {
    let tree = MerkleTree::new(leaves(0));
    bencher.bench_local(|| {
        for number in 0..ACCOUNTS {
            black_box(tree.path(id(number)));
        }
    });
}

type Accounts = Vec<(Account, BTreeMap<ControlId, FindingLeaf>)>;

/// The archive of all accounts, which share their evidence and what their findings say.
fn archive(accounts: &Accounts, seal: &Seal, header: &str) -> Vec<u8> {
    let write = || {
        let mut writer = ArchiveWriter::new(Vec::new())?;
        writer.seal(seal, header)?;
        for (account, findings) in accounts {
            writer.account(&leaf(account, findings), None)?;
        }
        let mut documents = [DETAIL, EVIDENCE];
        documents.sort_by_key(|text| ContentHash::of_text(text));
        for document in documents {
            writer.document(document)?;
        }
        writer.finish()
    };
    write().expect("what fits").1
}

fn leaf<'a>(
    account: &'a Account,
    findings: &'a BTreeMap<ControlId, FindingLeaf>,
) -> AccountLeaf<'a> {
    AccountLeaf {
        account,
        evidence: Some(ContentHash::of_text(EVIDENCE)),
        findings,
    }
}

fn seal(accounts: &Accounts) -> (Seal, String) {
    let time = "2026-11-23T00:00:00Z".parse().expect("a time");
    let header = SealHeader {
        sweep: SweepId(1),
        organization_id: None,
        organization: None,
        caller: id(0),
        scope: SweepScope::default(),
        scanner_version: "1.0.0".to_owned(),
        configuration: None,
        started_at: time,
        finished_at: time,
        state: SweepState::Finished,
        discovery: None,
        verdicts: BTreeMap::new(),
        gaps: BTreeMap::new(),
        accounts_seen: 0,
        findings_seen: 0,
        api_calls: 0,
        seen: None,
        unsealed: None,
        content_from: None,
    };
    let leaves =
        (accounts.iter()).map(|(account, findings)| (account.id, leaf(account, findings).hash()));
    let none = batch_hash::<&str>([]);
    let seal = Seal::make(None, &header, MerkleTree::new(leaves).head(), none, none);
    (seal, header.canonical())
}

/// An archive of 10,000 accounts by 15 controls, which is examined while it is written.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn archive_written(bencher: Bencher<'_, '_>) {
    let accounts = accounts();
    let (seal, header) = seal(&accounts);
    bencher.bench_local(|| archive(&accounts, &seal, &header).len());
}

/// The same, verified.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn archive_verified(bencher: Bencher<'_, '_>) {
    let accounts = accounts();
    let (seal, header) = seal(&accounts);
    let archive = archive(&accounts, &seal, &header);
    bencher.bench_local(|| verify(archive.as_slice(), None).expect("it fits"));
}
