//! Rebuilds the crate when a migration is added or changed; the macro alone does not notice.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
