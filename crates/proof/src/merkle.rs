//! The Merkle tree over the accounts of a sweep.
//!
//! The tree of RFC 6962, section 2.1, over the leaves in the order of account ids. What it hashes as
//! a leaf is the account's twelve digits and its [`LeafHash`], so a leaf stands for no other account.

use std::collections::BTreeMap;

use model::AccountId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{digest::digest_type, leaf::LeafHash};

#[cfg(test)]
mod tests;

const LEAF: [u8; 1] = [0];
const INNER: [u8; 1] = [1];

digest_type! {
    /// The hash at the root of the tree.
    MerkleRoot, "Merkle root"
}

digest_type! {
    /// The hash of a node within the tree.
    NodeHash, "node hash"
}

/// What a tree comes to. How many leaves it has is part of it: without that, a path would not tell
/// where in the tree its leaf is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TreeHead {
    /// How many accounts it has leaves of.
    pub accounts: u64,
    /// The hash at its root.
    pub root: MerkleRoot,
}

/// The way from a leaf to the root: all that is needed to see that the leaf is in the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InclusionPath {
    /// How many accounts have smaller ids.
    pub index: u64,
    /// The sibling at each level that has one, from the leaf upwards.
    pub siblings: Vec<NodeHash>,
}

/// A tree that can be changed: only what lies above a changed leaf is hashed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MerkleTree {
    /// In ascending order, with their leaves beside them.
    accounts: Vec<AccountId>,
    leaves: Vec<LeafHash>,
    /// The nodes from the leaves up to the root. The last node of an odd level goes up as it is,
    /// which gives the tree that RFC 6962 defines from the top.
    levels: Vec<Vec<NodeHash>>,
}

impl MerkleTree {
    /// The tree over these leaves, in whatever order they come.
    pub fn new(leaves: impl IntoIterator<Item = (AccountId, LeafHash)>) -> Self {
        let leaves: BTreeMap<_, _> = leaves.into_iter().collect();
        let nodes = leaves
            .iter()
            .map(|(account, leaf)| leaf_node(*account, *leaf));
        Self {
            levels: levels_above(nodes.collect()),
            accounts: leaves.keys().copied().collect(),
            leaves: leaves.into_values().collect(),
        }
    }

    /// Changes leaves; `None` takes an account out.
    ///
    /// While the accounts stay the same, this costs one hash a level for each changed leaf. A leaf
    /// that is as it was costs nothing.
    pub fn update(&mut self, changes: impl IntoIterator<Item = (AccountId, Option<LeafHash>)>) {
        let changes: BTreeMap<_, _> = changes.into_iter().collect();
        let same_accounts = (changes.iter())
            .all(|(account, leaf)| self.accounts.binary_search(account).is_ok() == leaf.is_some());
        if same_accounts {
            self.change_leaves(&changes);
        } else {
            self.change_accounts(changes);
        }
    }

    fn change_leaves(&mut self, changes: &BTreeMap<AccountId, Option<LeafHash>>) {
        let mut touched = Vec::new();
        for (account, leaf) in changes {
            let (Ok(index), Some(leaf)) = (self.accounts.binary_search(account), leaf) else {
                continue;
            };
            if self.leaves[index] != *leaf {
                self.leaves[index] = *leaf;
                self.levels[0][index] = leaf_node(*account, *leaf);
                touched.push(index);
            }
        }
        for level in 1..self.levels.len() {
            let (below, above) = self.levels.split_at_mut(level);
            for index in &mut touched {
                *index /= 2;
            }
            touched.dedup();
            for &index in &touched {
                above[0][index] = parent(&below[level - 1], index);
            }
        }
    }

    fn change_accounts(&mut self, changes: BTreeMap<AccountId, Option<LeafHash>>) {
        let known = self.accounts.iter().zip(&self.leaves).zip(&self.levels[0]);
        let mut all: BTreeMap<_, _> = known
            .map(|((account, leaf), node)| (*account, (*leaf, *node)))
            .collect();
        for (account, leaf) in changes {
            match leaf {
                Some(leaf) => all.insert(account, (leaf, leaf_node(account, leaf))),
                None => all.remove(&account),
            };
        }
        self.accounts = all.keys().copied().collect();
        self.leaves = all.values().map(|(leaf, _)| *leaf).collect();
        self.levels = levels_above(all.into_values().map(|(_, node)| node).collect());
    }

    /// What the tree comes to. The root of an empty tree is the hash of nothing.
    pub fn head(&self) -> TreeHead {
        let top = self.levels.last().and_then(|level| level.first());
        TreeHead {
            accounts: self.accounts.len() as u64,
            root: MerkleRoot(top.map_or_else(|| Sha256::digest([]).into(), |node| node.0)),
        }
    }

    /// The account's leaf.
    pub fn leaf(&self, account: AccountId) -> Option<LeafHash> {
        let index = self.accounts.binary_search(&account).ok()?;
        self.leaves.get(index).copied()
    }

    /// The accounts with their leaves, in the order of ids.
    pub fn leaves(&self) -> impl Iterator<Item = (AccountId, LeafHash)> {
        (self.accounts.iter().copied()).zip(self.leaves.iter().copied())
    }

    /// The way from the account's leaf to the root; `None` for an account without a leaf.
    pub fn path(&self, account: AccountId) -> Option<InclusionPath> {
        let index = self.accounts.binary_search(&account).ok()?;
        let siblings = (self.levels.iter().enumerate())
            .filter_map(|(height, level)| level.get((index >> height) ^ 1))
            .copied();
        Some(InclusionPath {
            index: index as u64,
            siblings: siblings.collect(),
        })
    }
}

impl InclusionPath {
    /// The root that this path leads to; `None` if it is not as long as a path in a tree of so many
    /// leaves is.
    pub fn root(&self, account: AccountId, leaf: LeafHash, accounts: u64) -> Option<MerkleRoot> {
        let mut last = accounts.checked_sub(1)?;
        let mut index = self.index;
        if index > last {
            return None;
        }
        let mut node = leaf_node(account, leaf);
        let mut siblings = self.siblings.iter();
        while last > 0 {
            if index % 2 == 1 {
                node = inner_node(siblings.next()?, &node);
            } else if index < last {
                node = inner_node(&node, siblings.next()?);
            }
            index /= 2;
            last /= 2;
        }
        siblings.next().is_none().then_some(MerkleRoot(node.0))
    }
}

/// Whether the account has this leaf in the tree.
pub fn verify_path(
    head: &TreeHead,
    account: AccountId,
    leaf: LeafHash,
    path: &InclusionPath,
) -> bool {
    path.root(account, leaf, head.accounts) == Some(head.root)
}

fn leaf_node(account: AccountId, leaf: LeafHash) -> NodeHash {
    let hasher = Sha256::new_with_prefix(LEAF)
        .chain_update(account.to_string())
        .chain_update(leaf.as_bytes());
    NodeHash(hasher.finalize().into())
}

fn inner_node(left: &NodeHash, right: &NodeHash) -> NodeHash {
    let hasher = Sha256::new_with_prefix(INNER)
        .chain_update(left.0)
        .chain_update(right.0);
    NodeHash(hasher.finalize().into())
}

/// The node at `index` of the level above.
fn parent(level: &[NodeHash], index: usize) -> NodeHash {
    match &level[2 * index..] {
        [left, right, ..] => inner_node(left, right),
        alone => alone[0],
    }
}

fn levels_above(nodes: Vec<NodeHash>) -> Vec<Vec<NodeHash>> {
    let mut levels = vec![nodes];
    while let Some(level) = levels.last().filter(|level| level.len() > 1) {
        let above = (0..level.len().div_ceil(2)).map(|index| parent(level, index));
        let above = above.collect();
        levels.push(above);
    }
    levels
}
