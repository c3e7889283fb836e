//! The crates keep to their layers: the table of docs/ARCHITECTURE.md, held against what cargo says.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

use crate::scanner::root;

/// Which of our crates each crate may depend on. A crate that is not here is not allowed to exist.
const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("filter-pattern", &[]),
    ("controls", &["model", "filter-pattern"]),
    ("proof", &["model"]),
    ("report", &["model"]),
    ("store", &["model", "proof"]),
    ("drift", &["model"]),
    (
        "answers",
        &["model", "filter-pattern", "controls", "store", "report"],
    ),
    ("aws", &["model"]),
    ("simulator", &["model"]),
    ("discovery", &["model", "aws"]),
    ("scanner", &["model", "aws"]),
    ("alerts", &["model", "aws", "report"]),
    (
        "daemon",
        &[
            "model",
            "aws",
            "discovery",
            "scanner",
            "controls",
            "proof",
            "store",
            "drift",
            "alerts",
        ],
    ),
    (
        "web",
        &["model", "controls", "store", "report", "answers", "daemon"],
    ),
    (
        "cli",
        &[
            "model",
            "filter-pattern",
            "controls",
            "aws",
            "discovery",
            "scanner",
            "proof",
            "store",
            "drift",
            "alerts",
            "daemon",
            "report",
            "answers",
            "web",
            "simulator",
        ],
    ),
    ("xtask", &["model", "controls"]),
    (
        "measure",
        &[
            "model",
            "controls",
            "aws",
            "discovery",
            "store",
            "daemon",
            "simulator",
            "web",
        ],
    ),
    ("e2e", &["model", "simulator", "store"]),
];

/// The page says the same, each crate once.
#[test]
fn the_page_has_this_table() {
    let page = std::fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let names = |cell: &str| -> BTreeSet<String> {
        cell.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    let mut told: Vec<(String, BTreeSet<String>)> = Vec::new();
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split(" |").collect();
        let [first, .., last, _] = &cells[..] else {
            panic!("{line}")
        };
        let name = first.split('`').nth(1).unwrap();
        let may = if last.trim() == "all of the above" {
            told.iter().map(|(name, _)| name.clone()).collect()
        } else {
            names(last)
        };
        told.push((name.to_owned(), may));
    }
    told.sort();
    let mut held: Vec<(String, BTreeSet<String>)> = (MAY_DEPEND_ON.iter())
        .map(|(name, may)| {
            let may = may.iter().map(ToString::to_string).collect();
            ((*name).to_owned(), may)
        })
        .collect();
    held.sort();
    assert_eq!(told, held);
}

/// What a crate must not know: the libraries through which it would.
const MUST_NOT_USE: &[(&str, &[&str])] = &[
    (
        "model",
        &["tokio", "sqlx", "hyper", "reqwest", "aws-", "toml", "clap"],
    ),
    ("filter-pattern", &["tokio", "sqlx", "hyper", "aws-"]),
    (
        "controls",
        &["tokio", "sqlx", "hyper", "aws-", "rand", "jiff"],
    ),
    (
        "drift",
        &["tokio", "sqlx", "hyper", "aws-", "rand", "tracing"],
    ),
    ("proof", &["tokio", "sqlx", "hyper", "aws-", "clap", "rand"]),
    ("report", &["tokio", "sqlx", "hyper", "aws-"]),
    (
        "answers",
        &["tokio", "sqlx", "hyper", "axum", "aws-", "clap"],
    ),
    ("web", &["sqlx", "aws-", "clap", "rand", "getrandom"]),
    ("store", &["hyper", "aws-", "clap"]),
    ("aws", &["sqlx", "clap"]),
    ("discovery", &["sqlx", "clap"]),
    ("scanner", &["sqlx", "clap"]),
    ("alerts", &["sqlx", "clap", "axum", "rand"]),
    (
        "daemon",
        &["sqlx", "aws-", "clap", "hyper", "axum", "reqwest", "lettre"],
    ),
    ("simulator", &["aws-", "sqlx", "clap"]),
    ("cli", &["sqlx", "aws-", "hyper", "reqwest", "lettre"]),
];

#[test]
fn crates_depend_only_on_what_their_layer_allows() {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .unwrap();
    let allowed: BTreeMap<&str, BTreeSet<&str>> = MAY_DEPEND_ON
        .iter()
        .map(|(name, on)| (*name, on.iter().copied().collect()))
        .collect();
    let ours: BTreeSet<&str> = metadata
        .packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    assert_eq!(
        ours,
        allowed.keys().copied().collect(),
        "the crates of the workspace and of this table differ"
    );

    let mut wrong = Vec::new();
    for package in &metadata.packages {
        let name = package.name.as_str();
        // What only tests use may cross layers, except for the tests of the pure crates.
        let counts =
            |kind| kind == DependencyKind::Normal || kind == DependencyKind::Build || name == "e2e";
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| counts(dependency.kind))
        {
            let on = dependency.name.as_str();
            if ours.contains(on) && !allowed[name].contains(on) {
                wrong.push(format!("{name} must not depend on {on}"));
            }
            let forbidden = MUST_NOT_USE
                .iter()
                .filter(|(of, _)| *of == name)
                .flat_map(|(_, list)| *list);
            for prefix in forbidden {
                if !ours.contains(on)
                    && (on == *prefix || (prefix.ends_with('-') && on.starts_with(prefix)))
                {
                    wrong.push(format!("{name} must not use {on}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_crate_has_the_lints_of_the_workspace_and_says_what_it_must_not_do() {
    for (name, _) in MAY_DEPEND_ON {
        let folder = if *name == "e2e" {
            root().join("tests")
        } else {
            root().join("crates").join(name)
        };
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{name}");
        if !["xtask", "e2e"].contains(name) {
            let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
            let says = readme.to_lowercase();
            assert!(
                says.contains("must not"),
                "crates/{name}/README.md does not say what the crate must not do"
            );
        }
    }
}
