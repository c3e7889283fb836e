//! Logs: to stderr, for people on a terminal and as JSON otherwise. Metrics: gathered here, and rendered for
//! whoever asks.

use std::{
    fmt::Write as _,
    io::{IsTerminal as _, stderr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use model::{MetricFamily, MetricKind};
use tracing_subscriber::{EnvFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::exit::BadInput;

/// Libraries that write requests, with their security tokens, or answers into their logs below
/// this level: whatever filter is asked for, they stay above it.
const CAPPED: [&str; 14] = [
    "aws_config=info",
    "aws_credential_types=info",
    "aws_runtime=info",
    "aws_sigv4=info",
    "aws_smithy_http_client=info",
    "aws_smithy_runtime=info",
    "aws_smithy_runtime_api=info",
    "h2=info",
    "hyper=info",
    "hyper_util=info",
    "lettre=info",
    "reqwest=info",
    "rustls=info",
    "sqlx=warn",
];

/// What is logged where nothing is asked for: of a command that somebody waits for, what is wrong,
pub(crate) const DEFAULT_FILTER: &str = "warn";
/// and of a service also what it does: a line for each sweep, and one for each change of its own state.
pub(crate) const SERVICE_FILTER: &str = "warn,scanner=info,daemon=info,alerts=info,web=info";

/// Starts logging by a filter such as `warn` or `info,scanner=debug`.
pub(crate) fn start(filter: &str) -> anyhow::Result<()> {
    let mut filter = EnvFilter::try_new(filter)
        .map_err(|error| BadInput::of(format!("--log `{}`: {error}", filter.escape_debug())))?;
    for cap in CAPPED {
        filter = filter.add_directive(cap.parse()?);
    }
    let registry = tracing_subscriber::registry().with(filter);
    if stderr().is_terminal() {
        registry
            .with(tracing_subscriber::fmt::layer().with_writer(stderr))
            .init();
    } else {
        registry
            .with(tracing_subscriber::fmt::layer().json().with_writer(stderr))
            .init();
    }
    Ok(())
}

/// Every family of metrics, by name: each crate lists its own.
pub(crate) fn families() -> Vec<&'static MetricFamily> {
    let mut families: Vec<&MetricFamily> =
        [aws::METRICS, store::METRICS, daemon::METRICS, web::METRICS]
            .into_iter()
            .flatten()
            .collect();
    families.sort_by_key(|family| family.name);
    families
}

/// How long things take, from a wait that nobody notices to a sweep of a large organization.
const WAITS: [f64; 10] = [0.001, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0];
const SWEEPS: [f64; 10] = [
    1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 1800.0, 7200.0,
];

/// How often what was recorded is put into its buckets, so that it takes no room.
const UPKEEP: Duration = Duration::from_secs(5);

/// The metrics of this process.
#[derive(Clone)]
pub(crate) struct Metrics {
    handle: PrometheusHandle,
    kept_small: Arc<Mutex<Option<Instant>>>,
}

impl Metrics {
    /// What renders them, in Prometheus's text format.
    pub(crate) fn render(&self) -> Arc<dyn Fn() -> String + Send + Sync> {
        let handle = self.handle.clone();
        Arc::new(move || handle.render())
    }

    /// Puts what was recorded into its buckets, now and then.
    pub(crate) fn keep_small(&self) {
        let mut kept = (self.kept_small.lock()).unwrap_or_else(PoisonError::into_inner);
        if kept.is_none_or(|kept| kept.elapsed() >= UPKEEP) {
            *kept = Some(Instant::now());
            self.handle.run_upkeep();
        }
    }
}

/// Begins to gather metrics, with each of them at zero.
pub(crate) fn record_metrics() -> anyhow::Result<Metrics> {
    let recorder = PrometheusBuilder::new()
        .set_buckets(&WAITS)
        .and_then(|builder| {
            let sweeps = Matcher::Full("scanner_sweep_duration_seconds".to_owned());
            builder.set_buckets_for_metric(sweeps, &SWEEPS)
        })
        .context("cannot gather metrics")?
        .build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).context("cannot gather metrics")?;
    for family in families() {
        match family.kind {
            MetricKind::Counter => metrics::describe_counter!(family.name, family.help),
            MetricKind::Gauge => metrics::describe_gauge!(family.name, family.help),
            MetricKind::Histogram => metrics::describe_histogram!(family.name, family.help),
        }
    }
    metrics::describe_gauge!("scanner_build_info", "The version of the scanner.");
    metrics::gauge!("scanner_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    aws::register_metrics();
    store::register_metrics();
    daemon::register_metrics();
    web::register_metrics();
    Ok(Metrics {
        handle,
        kept_small: Arc::default(),
    })
}

/// The page of `docs/` that describes every metric.
pub(crate) fn metrics_page() -> String {
    let mut page = String::from(
        "<!-- Made by `cargo xtask docs`. -->\n\n# Metrics\n\n\
         What `GET /metrics` of `scanner serve` shows, in Prometheus's text format. No label is an account, a\n\
         name or anything else that grows with the organization. `config/prometheus/scanner-rules.yml` has\n\
         alert rules over them, `config/grafana/scanner-dashboard.json` a dashboard.\n\n\
         | metric | kind | labels | what it says |\n|---|---|---|---|\n",
    );
    for family in families() {
        let labels: Vec<String> = (family.labels.iter())
            .map(|label| format!("`{label}`"))
            .collect();
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            family.name,
            family.kind.as_str(),
            labels.join(", "),
            family.help
        );
    }
    page.push_str("| `scanner_build_info` | gauge | `version` | The version of the scanner. |\n");
    page
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn file(name: &str) -> String {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        std::fs::read_to_string(root.join(name)).unwrap_or_default()
    }

    #[test]
    fn the_page_of_metrics_is_fresh() {
        let written = file("docs/metrics.md").replace("\r\n", "\n");
        assert!(
            written == metrics_page(),
            "docs/metrics.md is stale; renew it with `cargo xtask docs`"
        );
    }

    #[test]
    fn a_name_says_what_it_counts() {
        let mut seen = BTreeSet::new();
        for family in families() {
            let MetricFamily { name, kind, .. } = *family;
            assert!(seen.insert(name), "{name} is there twice");
            assert!(name.starts_with("scanner_"), "{name}");
            assert_eq!(
                name.ends_with("_total"),
                kind == MetricKind::Counter,
                "{name}"
            );
            if kind == MetricKind::Histogram {
                assert!(name.ends_with("_seconds"), "{name}");
            }
            assert!(family.help.ends_with('.'), "{name}: {}", family.help);
            assert!(!family.labels.contains(&"account"), "{name}");
        }
    }

    /// Everything that the crates list is in a scrape from the start, with the labels that they list, and
    /// nothing else.
    #[test]
    fn a_scrape_shows_what_is_described() {
        let metrics = record_metrics().unwrap();
        let scrape = metrics.handle.render();
        let mut shown: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for line in scrape
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
        {
            let (series, _) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let names = labels.split('"').step_by(2).filter_map(|part| {
                let name = part.trim_start_matches([',', '}']).strip_suffix('=')?;
                (name != "le").then(|| name.to_owned())
            });
            let name = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|suffix| {
                    let base = name.strip_suffix(suffix)?;
                    families()
                        .iter()
                        .any(|family| family.name == base)
                        .then_some(base)
                })
                .unwrap_or(name);
            shown.entry(name.to_owned()).or_default().extend(names);
        }
        shown.remove("scanner_build_info");
        let described = (families().iter())
            .map(|family| {
                let labels = family.labels.iter().map(ToString::to_string).collect();
                (family.name.to_owned(), labels)
            })
            .collect();
        assert_eq!(shown, described);
    }

    /// No crate keeps a metric that it does not list.
    #[test]
    fn what_is_counted_anywhere_is_described() {
        let known: BTreeSet<&str> = (families().iter())
            .map(|family| family.name)
            .chain(["scanner_build_info"])
            .collect();
        let mut counted = BTreeSet::new();
        let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = std::fs::read_to_string(path).unwrap();
                    for call in ["counter!(", "gauge!(", "histogram!("] {
                        let named = text.split(call).skip(1).filter_map(|rest| {
                            let name = rest.trim_start().strip_prefix('"')?.split('"').next()?;
                            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                            name.chars().all(is_name).then(|| name.to_owned())
                        });
                        counted.extend(named);
                    }
                }
            }
        }
        assert!(counted.len() >= known.len(), "{counted:?}");
        let unknown: Vec<_> = (counted.iter())
            .filter(|name| !known.contains(name.as_str()))
            .collect();
        assert!(unknown.is_empty(), "not described: {unknown:?}");
    }

    #[test]
    fn the_dashboard_and_the_rules_ask_for_what_is_there() {
        let known: BTreeSet<&str> = (families().iter())
            .map(|family| family.name)
            .chain(["scanner_build_info"])
            .collect();
        for name in [
            "config/grafana/scanner-dashboard.json",
            "config/prometheus/scanner-rules.yml",
        ] {
            let text = file(name);
            let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let asked: BTreeSet<&str> = words
                .filter(|word| word.starts_with("scanner_"))
                .map(|word| {
                    ["_bucket", "_sum", "_count"]
                        .iter()
                        .find_map(|suffix| {
                            word.strip_suffix(suffix)
                                .filter(|base| known.contains(base))
                        })
                        .unwrap_or(word)
                })
                .collect();
            assert!(!asked.is_empty(), "{name} is not there");
            let unknown: Vec<_> = asked.difference(&known).collect();
            assert!(unknown.is_empty(), "{name} asks for {unknown:?}");
        }
    }
}
