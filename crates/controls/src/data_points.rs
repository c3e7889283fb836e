//! What the periods of a filter's metric may hold, and what a statistic makes of it.
//!
//! A filter publishes its value for each match, and its default value for each minute in which
//! events arrived but none matched. An alarm that tells of one event must breach whatever else
//! falls into the same period, and must not breach for anything that holds no match: so every such
//! content is listed, by its corners, and the statistic is computed on each.

use model::evidence::MetricAlarm;

/// More matches than any threshold that is meant for one event.
const MANY: u64 = 1_000_000;

/// CloudWatch refuses samples beyond this (PutMetricData: from -2^360 to 2^360).
const GREATEST_SAMPLE: f64 = 2.348_542_582_773_833_4e108;

/// Several filters may publish to the metric, each with its own default value. More distinct ones
/// than these would make too many combinations, and nobody has them.
const MOST_DEFAULTS: usize = 3;

/// The longest window that CloudWatch evaluates: seven days.
pub(crate) const LONGEST_WINDOW_SECONDS: i64 = 7 * 24 * 60 * 60;

/// A statistic as far as it is known: somewhere between the two, both of them finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Interval {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Interval {
    fn between(low: f64, high: f64) -> Option<Self> {
        (low.is_finite() && high.is_finite()).then_some(Self { low, high })
    }

    pub(crate) fn exactly(value: f64) -> Option<Self> {
        Self::between(value, value)
    }

    /// The same interval after a function that rises or falls throughout.
    pub(crate) fn map(self, function: impl Fn(f64) -> f64) -> Option<Self> {
        let (a, b) = (function(self.low), function(self.high));
        Self::between(a.min(b), a.max(b))
    }
}

/// How an alarm compares with its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    AtLeast,
    Above,
    Below,
    AtMost,
}

impl Comparison {
    pub(crate) fn parse(operator: &str) -> Option<Self> {
        Some(match operator {
            "GreaterThanOrEqualToThreshold" => Self::AtLeast,
            "GreaterThanThreshold" => Self::Above,
            "LessThanThreshold" => Self::Below,
            "LessThanOrEqualToThreshold" => Self::AtMost,
            _ => return None,
        })
    }

    /// The comparison in words that a number follows.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::AtLeast => "at least",
            Self::Above => "more than",
            Self::Below => "less than",
            Self::AtMost => "at most",
        }
    }

    fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::AtLeast => value >= threshold,
            Self::Above => value > threshold,
            Self::Below => value < threshold,
            Self::AtMost => value <= threshold,
        }
    }

    /// Whether a statistic breaches; `None` where only a part of what it may be does.
    pub(crate) fn breaches(self, point: Interval, threshold: f64) -> Option<bool> {
        let (low, high) = (
            self.holds(point.low, threshold),
            self.holds(point.high, threshold),
        );
        (low == high).then_some(low)
    }
}

/// What a statistic looks at: a share of the samples in order, or those within values.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Bounds {
    Percent(f64, f64),
    /// Above the first, and at most the second.
    Values(f64, f64),
}

/// A statistic of CloudWatch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Statistic {
    Sum,
    Average,
    Minimum,
    Maximum,
    SampleCount,
    Percentile(f64),
    TrimmedMean(BoundsOf),
    WinsorizedMean(BoundsOf),
    TrimmedCount(BoundsOf),
    TrimmedSum(BoundsOf),
    PercentileRank(BoundsOf),
}

/// The bounds of a statistic, which nothing outside of this file looks at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct BoundsOf(Bounds);

/// A number as statistics are written with it: digits and at most one point.
fn plain_number(text: &str) -> Option<f64> {
    let digits_only = text.chars().all(|c| c.is_ascii_digit() || c == '.');
    let starts_with_digit = text.starts_with(|c: char| c.is_ascii_digit());
    (digits_only && starts_with_digit)
        .then(|| text.parse::<f64>().ok())
        .flatten()
        .filter(|number| number.is_finite())
}

fn percentage(text: &str) -> Option<f64> {
    plain_number(text).filter(|share| *share <= 100.0)
}

impl Bounds {
    /// `10%:90%`, `:95%`, `150:1000`, `0.5:`; both sides alike.
    fn parse(text: &str) -> Option<Self> {
        let (low, high) = text.split_once(':')?;
        let (low, high) = (low.trim(), high.trim());
        if low.is_empty() && high.is_empty() {
            return None;
        }
        let percent = |side: &str, absent: f64| match side.strip_suffix('%') {
            Some(share) => percentage(share),
            None => side.is_empty().then_some(absent),
        };
        if let (Some(low), Some(high)) = (percent(low, 0.0), percent(high, 100.0)) {
            return (low < high).then_some(Self::Percent(low, high));
        }
        let value = |side: &str, absent: f64| {
            if side.is_empty() {
                Some(absent)
            } else {
                plain_number(side)
            }
        };
        let (low, high) = (value(low, f64::NEG_INFINITY)?, value(high, f64::INFINITY)?);
        (low < high).then_some(Self::Values(low, high))
    }
}

impl Statistic {
    /// Whether it is one of the two that zeros beside a match dilute.
    pub(crate) fn is_average_or_minimum(&self) -> bool {
        matches!(self, Self::Average | Self::Minimum)
    }

    /// Reads a statistic in exactly the forms that CloudWatch documents; `None` for any other.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let known = match text {
            "Sum" => Some(Self::Sum),
            "Average" => Some(Self::Average),
            "Minimum" => Some(Self::Minimum),
            "Maximum" => Some(Self::Maximum),
            "SampleCount" => Some(Self::SampleCount),
            "IQM" => Some(Self::TrimmedMean(BoundsOf(Bounds::Percent(25.0, 75.0)))),
            _ => None,
        };
        if known.is_some() {
            return known;
        }
        if let Some(inner) = text.strip_suffix(')') {
            let (name, inner) = inner.split_once('(')?;
            let bounds = Bounds::parse(inner)?;
            return match (name, bounds) {
                ("TM", _) => Some(Self::TrimmedMean(BoundsOf(bounds))),
                ("WM", _) => Some(Self::WinsorizedMean(BoundsOf(bounds))),
                ("TC", _) => Some(Self::TrimmedCount(BoundsOf(bounds))),
                ("TS", _) => Some(Self::TrimmedSum(BoundsOf(bounds))),
                // A rank is asked for by values; for shares it says nothing.
                ("PR", Bounds::Values(..)) => Some(Self::PercentileRank(BoundsOf(bounds))),
                _ => None,
            };
        }
        if let Some(share) = text.strip_prefix('p') {
            return percentage(share).map(Self::Percentile);
        }
        let (name, share) = text.split_at_checked(2)?;
        let upto = BoundsOf(Bounds::Percent(0.0, percentage(share)?));
        match name {
            "tm" => Some(Self::TrimmedMean(upto)),
            "wm" => Some(Self::WinsorizedMean(upto)),
            "tc" => Some(Self::TrimmedCount(upto)),
            "ts" => Some(Self::TrimmedSum(upto)),
            _ => None,
        }
    }

    /// Whether it needs single samples in order, which CloudWatch does not offer for metrics with
    /// negative values.
    fn needs_order(self) -> bool {
        !matches!(
            self,
            Self::Sum | Self::Average | Self::Minimum | Self::Maximum | Self::SampleCount
        )
    }

    /// The statistic of samples, as far as it follows from what CloudWatch documents.
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of samples, far below 2^52"
    )]
    pub(crate) fn of(self, samples: &Samples) -> Option<Interval> {
        let (low, high) = (samples.least()?, samples.greatest()?);
        if self.needs_order() && low < 0.0 {
            return None;
        }
        let all = |_: f64| true;
        let within = |bounds: Bounds| {
            move |value: f64| match bounds {
                Bounds::Percent(..) => true,
                Bounds::Values(above, most) => above < value && value <= most,
            }
        };
        let count = samples.count(all) as f64;
        let mean = |keep: &dyn Fn(f64) -> bool| {
            let kept = samples.count(keep);
            (kept > 0)
                .then(|| Interval::exactly(samples.sum(keep) / kept as f64))
                .flatten()
        };
        match self {
            Self::Minimum => Interval::exactly(low),
            Self::Maximum => Interval::exactly(high),
            Self::Percentile(share) => samples.percentile(share),
            Self::Average
            | Self::TrimmedMean(BoundsOf(Bounds::Percent(0.0, 100.0)))
            | Self::WinsorizedMean(BoundsOf(Bounds::Percent(0.0, 100.0))) => mean(&all),
            // Which of the samples go depends on how ranks are rounded; the mean of any of them
            // lies between the least and the greatest.
            Self::TrimmedMean(BoundsOf(Bounds::Percent(..)))
            | Self::WinsorizedMean(BoundsOf(Bounds::Percent(..))) => Interval::between(low, high),
            Self::TrimmedMean(BoundsOf(bounds @ Bounds::Values(..))) => mean(&within(bounds)),
            Self::WinsorizedMean(BoundsOf(Bounds::Values(least, most))) => {
                Interval::exactly(samples.sum_of(|value| value.clamp(least, most)) / count)
            }
            Self::SampleCount | Self::TrimmedCount(BoundsOf(Bounds::Percent(0.0, 100.0))) => {
                Interval::exactly(count)
            }
            Self::Sum | Self::TrimmedSum(BoundsOf(Bounds::Percent(0.0, 100.0))) => {
                Interval::exactly(samples.sum(all))
            }
            Self::TrimmedCount(BoundsOf(Bounds::Percent(..))) => Interval::between(0.0, count),
            Self::TrimmedSum(BoundsOf(Bounds::Percent(..))) => {
                Interval::between(0.0, samples.sum(all))
            }
            // Where no sample is left it may be 0 or missing: that is not documented.
            Self::TrimmedCount(BoundsOf(bounds @ Bounds::Values(..))) => {
                let kept = samples.count(within(bounds));
                (kept > 0).then(|| Interval::exactly(kept as f64)).flatten()
            }
            Self::TrimmedSum(BoundsOf(bounds @ Bounds::Values(..))) => {
                (samples.count(within(bounds)) > 0)
                    .then(|| Interval::exactly(samples.sum(within(bounds))))
                    .flatten()
            }
            Self::PercentileRank(BoundsOf(bounds)) => {
                Interval::exactly(100.0 * samples.count(within(bounds)) as f64 / count)
            }
        }
    }
}

/// What is done about a percentile of few samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LowSampleCount {
    /// The statistic counts however few the samples are.
    Evaluates,
    /// One event never makes enough samples, so the alarm keeps its state.
    NeverEnough,
    /// A setting, or a statistic beside it, of unknown effect.
    Undecided,
}

/// What an alarm's setting for percentiles of few samples does to one event. CloudWatch asks for
/// 10/(1-p) samples from the median up and for 10/p below it, which is never less than 20.
pub(crate) fn low_sample_count(alarm: &MetricAlarm, statistic: Statistic) -> LowSampleCount {
    match alarm.evaluate_low_sample_count_percentile.as_deref() {
        None | Some("evaluate") => LowSampleCount::Evaluates,
        Some("ignore") => match statistic {
            Statistic::Percentile(share) if share > 0.0 && share < 100.0 => {
                LowSampleCount::NeverEnough
            }
            _ if statistic.needs_order() => LowSampleCount::Undecided,
            _ => LowSampleCount::Evaluates,
        },
        Some(_) => LowSampleCount::Undecided,
    }
}

/// The samples of one period: distinct values, and how often each occurs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Samples(Vec<(f64, u64)>);

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of samples, far below 2^52"
)]
impl Samples {
    pub(crate) fn new(samples: impl IntoIterator<Item = (f64, u64)>) -> Self {
        let mut list: Vec<(f64, u64)> = samples
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .collect();
        list.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self(list)
    }

    /// A single sample.
    pub(crate) fn one(value: f64) -> Self {
        Self::new([(value, 1)])
    }

    fn least(&self) -> Option<f64> {
        self.0.first().map(|(value, _)| *value)
    }

    fn greatest(&self) -> Option<f64> {
        self.0.last().map(|(value, _)| *value)
    }

    fn count(&self, keep: impl Fn(f64) -> bool) -> u64 {
        let kept = self.0.iter().filter(|(value, _)| keep(*value));
        kept.map(|(_, count)| *count).sum()
    }

    fn sum(&self, keep: impl Fn(f64) -> bool) -> f64 {
        self.sum_of(|value| if keep(value) { value } else { 0.0 })
    }

    fn sum_of(&self, function: impl Fn(f64) -> f64) -> f64 {
        let products = self.0.iter();
        products
            .map(|(value, count)| function(*value) * *count as f64)
            .sum()
    }

    /// The value at a rank, counted from 1 and kept within the list.
    fn at(&self, rank: f64) -> Option<f64> {
        let mut seen = 0.0;
        for (value, count) in &self.0 {
            seen += *count as f64;
            if rank <= seen {
                return Some(*value);
            }
        }
        self.greatest()
    }

    /// A percentile. The definitions in use differ by up to one rank, and CloudWatch does not say
    /// which is its own.
    fn percentile(&self, share: f64) -> Option<Interval> {
        if share >= 100.0 {
            return Interval::exactly(self.greatest()?);
        }
        if share <= 0.0 {
            return Interval::exactly(self.least()?);
        }
        let rank = share / 100.0 * self.count(|_| true) as f64;
        Interval::between(
            self.at((rank - 1.0).floor())?,
            self.at((rank + 1.0).ceil())?,
        )
    }
}

/// What filters publish to a metric, where that does not depend on the event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Publication<'a> {
    /// For each match.
    pub(crate) value: f64,
    /// What the filter publishes for each minute in which events arrive and none matches.
    pub(crate) default_value: Option<f64>,
    /// What other filters publish to the same metric for such minutes. Theirs may be the minute
    /// of the match.
    pub(crate) other_defaults: &'a [f64],
}

/// What a period may hold, by its corners.
#[derive(Debug, Clone)]
pub(crate) struct Contents {
    /// At least one match.
    pub(crate) matched: Vec<Samples>,
    /// At least one match, and the filter's default value for every minute of the period, that of
    /// the match as well: whether that occurs is not documented well enough to rely on.
    pub(crate) doubtful: Vec<Samples>,
    /// No match, though events arrive.
    pub(crate) quiet: Vec<Samples>,
}

/// Counts that stand for everything from none to `most`. Each statistic rises or falls throughout
/// with the count of one value, so the ends decide; the others are there for its steps.
fn counts(most: u64) -> Vec<u64> {
    let mut list = vec![
        0,
        1.min(most),
        2.min(most),
        most / 2,
        most.saturating_sub(1),
        most,
    ];
    list.sort_unstable();
    list.dedup();
    list
}

/// Every combination of counts for each value, on top of the samples given.
fn combinations(base: &[(f64, u64)], values: &[(f64, u64)]) -> Vec<Vec<(f64, u64)>> {
    let mut list = vec![base.to_vec()];
    for (value, most) in values {
        list = list
            .iter()
            .flat_map(|samples| {
                counts(*most).into_iter().map(move |count| {
                    let mut samples = samples.clone();
                    samples.push((*value, count));
                    samples
                })
            })
            .collect();
    }
    list
}

impl Publication<'_> {
    /// What a period of so many minutes may hold; `None` where CloudWatch refuses a value, or where
    /// there are too many to tell.
    pub(crate) fn contents(&self, minutes: u64) -> Option<Contents> {
        let defaults = || {
            self.default_value
                .iter()
                .chain(self.other_defaults)
                .copied()
        };
        let accepted = |value: f64| value.is_finite() && value.abs() <= GREATEST_SAMPLE;
        if !accepted(self.value) || !defaults().all(accepted) {
            return None;
        }
        // How often each distinct default value may occur in a period, where the filter's own
        // occurs in so many minutes at most.
        let often = |own: u64| {
            let mut list: Vec<(f64, u64)> = Vec::new();
            let mut add = |value: f64, most: u64| {
                // Comparing for equality: what is published is what was written.
                #[expect(clippy::float_cmp, reason = "the same number, written twice")]
                match list.iter_mut().find(|(known, _)| *known == value) {
                    Some((_, sum)) => *sum = sum.saturating_add(most),
                    None => list.push((value, most)),
                }
            };
            if let Some(value) = self.default_value {
                add(value, own);
            }
            for value in self.other_defaults {
                add(*value, minutes);
            }
            list
        };
        if often(minutes).len() > MOST_DEFAULTS {
            return None;
        }
        let with_matches = |own: u64| {
            let matches = [1, 2, 3, MANY].into_iter();
            matches
                .flat_map(|count| combinations(&[(self.value, count)], &often(own)))
                .map(Samples::new)
                .collect()
        };
        let quiet = combinations(&[], &often(minutes)).into_iter();
        Some(Contents {
            matched: with_matches(minutes.saturating_sub(1)),
            doubtful: with_matches(minutes),
            quiet: quiet
                .map(Samples::new)
                .filter(|samples| !samples.0.is_empty())
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests;
