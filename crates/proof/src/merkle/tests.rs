//! The tree against the definition of RFC 6962, and its paths against every alteration.

use proptest::prelude::*;

use super::*;

fn account(number: u64) -> AccountId {
    format!("{number:012}").parse().unwrap()
}

fn leaf(seed: u64) -> LeafHash {
    LeafHash::of_canonical(&seed.to_string())
}

/// The definition, from the top: MTH of RFC 6962, section 2.1.
fn defined_root(nodes: &[NodeHash]) -> [u8; 32] {
    match nodes {
        [] => Sha256::digest([]).into(),
        [only] => only.0,
        _ => {
            let split = nodes.len().next_power_of_two() / 2;
            let (left, right) = nodes.split_at(split);
            let hasher = Sha256::new_with_prefix([1])
                .chain_update(defined_root(left))
                .chain_update(defined_root(right));
            hasher.finalize().into()
        }
    }
}

fn leaves() -> impl Strategy<Value = BTreeMap<AccountId, LeafHash>> {
    prop::collection::btree_map(
        (0..60_u64).prop_map(account),
        any::<u64>().prop_map(leaf),
        0..40,
    )
}

#[test]
fn the_tree_is_the_one_that_rfc_6962_defines() {
    for count in 0..70 {
        let tree = MerkleTree::new((0..count).map(|number| (account(number), leaf(number))));
        let nodes: Vec<_> = (0..count).map(|n| leaf_node(account(n), leaf(n))).collect();
        assert_eq!(tree.head().root.0, defined_root(&nodes), "{count} leaves");
        assert_eq!(tree.head().accounts, count);
    }
}

#[test]
fn the_empty_tree_has_the_hash_of_nothing_and_no_paths() {
    let tree = MerkleTree::new([]);
    assert_eq!(
        tree.head().root.to_string(),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    assert_eq!(tree.path(account(1)), None);
    let path = InclusionPath {
        index: 0,
        siblings: Vec::new(),
    };
    assert!(!verify_path(&tree.head(), account(1), leaf(1), &path));
}

#[test]
fn an_inner_node_passes_for_no_leaf() {
    let tree = MerkleTree::new((0..4).map(|number| (account(number), leaf(number))));
    // The root of a tree of two, made of the inner nodes of a tree of four.
    let inner = [tree.levels[1][0], tree.levels[1][1]];
    for number in 0..4 {
        for node in inner {
            let path = InclusionPath {
                index: 0,
                siblings: vec![inner[1]],
            };
            let head = TreeHead {
                accounts: 2,
                ..tree.head()
            };
            assert!(!verify_path(
                &head,
                account(number),
                LeafHash(node.0),
                &path
            ));
        }
    }
}

#[test]
fn a_leaf_stands_for_no_other_account() {
    let tree = MerkleTree::new([(account(1), leaf(1))]);
    let other = MerkleTree::new([(account(2), leaf(1))]);
    assert_ne!(tree.head(), other.head());
}

proptest! {
    #[test]
    fn the_root_does_not_depend_on_the_order_of_insertion(
        leaves in leaves().prop_map(Vec::from_iter).prop_flat_map(|leaves| {
            (Just(leaves.clone()), Just(leaves).prop_shuffle())
        }),
    ) {
        prop_assert_eq!(MerkleTree::new(leaves.0), MerkleTree::new(leaves.1));
    }

    #[test]
    fn every_path_verifies_and_no_altered_one_does(
        leaves in leaves(),
        bit in 0..256_usize,
        other in 0..60_u64,
        chosen in any::<prop::sample::Index>(),
    ) {
        let tree = MerkleTree::new(leaves.clone());
        let head = tree.head();
        for (id, leaf) in &leaves {
            prop_assert!(verify_path(&head, *id, *leaf, &tree.path(*id).unwrap()));
        }
        if !leaves.is_empty() {
            let (id, leaf) = leaves.into_iter().nth(chosen.index(tree.leaves.len())).unwrap();
            let path = tree.path(id).unwrap();
            let flip = |bytes: [u8; 32]| {
                let mut bytes = bytes;
                bytes[bit / 8] ^= 1 << (bit % 8);
                bytes
            };
            prop_assert!(!verify_path(&head, id, LeafHash(flip(leaf.0)), &path));
            if account(other) != id {
                prop_assert!(!verify_path(&head, account(other), leaf, &path));
            }
            for at in 0..path.siblings.len() {
                let mut altered = path.clone();
                altered.siblings[at] = NodeHash(flip(altered.siblings[at].0));
                prop_assert!(!verify_path(&head, id, leaf, &altered));
                let mut shorter = path.clone();
                shorter.siblings.remove(at);
                prop_assert!(!verify_path(&head, id, leaf, &shorter));
                let mut swapped = path.clone();
                let last = swapped.siblings.len() - 1;
                swapped.siblings.swap(at, last);
                prop_assert_eq!(verify_path(&head, id, leaf, &swapped), at == last);
            }
            let mut longer = path.clone();
            longer.siblings.push(NodeHash(leaf.0));
            prop_assert!(!verify_path(&head, id, leaf, &longer));
            for index in (0..head.accounts + 2).filter(|index| *index != path.index) {
                let elsewhere = InclusionPath { index, ..path.clone() };
                prop_assert!(!verify_path(&head, id, leaf, &elsewhere));
            }
        }
    }

    #[test]
    fn an_updated_tree_is_the_tree_made_anew(
        leaves in leaves(),
        changes in prop::collection::vec(
            ((0..60_u64).prop_map(account), prop::option::of(any::<u64>().prop_map(leaf))),
            0..10,
        ),
    ) {
        let mut tree = MerkleTree::new(leaves.clone());
        tree.update(changes.clone());
        let mut after = leaves;
        for (account, leaf) in changes {
            match leaf {
                Some(leaf) => after.insert(account, leaf),
                None => after.remove(&account),
            };
        }
        prop_assert_eq!(tree.leaves().collect::<BTreeMap<_, _>>(), after.clone());
        prop_assert_eq!(tree, MerkleTree::new(after));
    }

    #[test]
    fn a_changed_leaf_updates_its_path_alone(leaves in leaves(), seed in any::<u64>()) {
        let mut tree = MerkleTree::new(leaves.clone());
        for id in leaves.keys() {
            tree.update([(*id, Some(leaf(seed)))]);
        }
        let after = leaves.keys().map(|id| (*id, leaf(seed)));
        prop_assert_eq!(tree, MerkleTree::new(after));
    }
}
