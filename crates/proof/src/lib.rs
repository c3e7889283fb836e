#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod archive;
mod batch;
mod digest;
mod leaf;
mod merkle;
mod misfit;
mod seal;

pub use batch::{BatchHash, BatchHasher, RecordHash, batch_hash};
pub use leaf::{AccountLeaf, FindingLeaf, LeafHash, LeafHasher};
pub use merkle::{InclusionPath, MerkleRoot, MerkleTree, NodeHash, TreeHead, verify_path};
pub use misfit::Misfit;
pub use seal::{Chain, SEAL_VERSION, Seal, SealHash, SealHeader, SeenAccounts};
