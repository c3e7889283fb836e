#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod alarm_fires;
mod catalog;
mod chain;
mod decide;
mod filter_coverage;
mod judge;
mod metric_filter;
mod obstacle;
mod subscription;
mod trail_coverage;

pub use catalog::{BenchmarkSection, Catalog, CatalogError, Control, Severity, UnknownControl};
pub use judge::{JudgeContext, judge};

use model::evidence::MetricFilter;

/// Whether a metric filter may match an event that one of the controls requires: if it cannot,
/// nothing below it is worth reading. A pattern that is not understood may.
pub fn is_candidate(controls: &[Control], filter: &MetricFilter) -> bool {
    let Ok(pattern) = filter_pattern::FilterPattern::parse(&filter.pattern) else {
        return true;
    };
    controls
        .iter()
        .flat_map(Control::required_events)
        .any(|event| filter_pattern::may_match(event, &pattern))
}
