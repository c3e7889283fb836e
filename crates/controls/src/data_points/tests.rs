//! What a period holds, and what the statistics make of it.

use super::*;
use proptest::prelude::*;

fn statistic(text: &str, samples: &[(f64, u64)]) -> Option<(f64, f64)> {
    let of = Statistic::parse(text)
        .unwrap()
        .of(&Samples::new(samples.to_vec()));
    of.map(|interval| (interval.low, interval.high))
}

#[test]
fn statistics_are_those_of_the_user_guide() {
    let mixed = [(0.0, 4), (1.0, 1)];
    let same = [(1.0, 3)];
    let exactly = |value: f64| Some((value, value));
    for (text, samples, expected) in [
        ("Sum", &mixed[..], exactly(1.0)),
        ("Average", &mixed, exactly(0.2)),
        ("Minimum", &mixed, exactly(0.0)),
        ("Maximum", &mixed, exactly(1.0)),
        ("SampleCount", &mixed, exactly(5.0)),
        ("p0", &mixed, exactly(0.0)),
        ("p100", &mixed, exactly(1.0)),
        ("p50", &mixed, exactly(0.0)),
        ("p99", &mixed, Some((0.0, 1.0))),
        ("p99.9", &same, exactly(1.0)),
        ("IQM", &same, exactly(1.0)),
        ("IQM", &mixed, Some((0.0, 1.0))),
        ("tm100", &mixed, exactly(0.2)),
        ("TM(10%:90%)", &mixed, Some((0.0, 1.0))),
        ("TM(0.5:2)", &mixed, exactly(1.0)),
        ("TM(:0.5)", &mixed, exactly(0.0)),
        ("TM(1:2)", &mixed, None),
        ("WM(:0.5)", &mixed, exactly(0.1)),
        ("TC(0:1)", &mixed, exactly(1.0)),
        ("TS(0:1)", &mixed, exactly(1.0)),
        ("TC(5:)", &mixed, None),
        ("tc90", &mixed, Some((0.0, 5.0))),
        ("ts90", &mixed, Some((0.0, 1.0))),
        ("PR(:0)", &mixed, exactly(80.0)),
        ("PR(0:)", &mixed, exactly(20.0)),
        ("PR(5:)", &mixed, exactly(0.0)),
        ("p50", &[(-1.0, 1)], None),
        ("Sum", &[(1e308, 10)], None),
    ] {
        assert_eq!(statistic(text, samples), expected, "{text} of {samples:?}");
    }
}

#[test]
fn only_documented_statistics_are_read() {
    for text in [
        "",
        "p",
        "P99",
        "p-1",
        "p101",
        "pinf",
        "p1e1",
        "tm",
        "TM90",
        "tm101",
        "TM()",
        "TM(:)",
        "TM(90%:10%)",
        "TM(10%:500)",
        "TM(a:b)",
        "TM(1:2",
        "PR(10%:20%)",
        "iqm",
        "Median",
        "ü",
        "äö",
    ] {
        assert_eq!(Statistic::parse(text), None, "{text}");
    }
}

#[test]
fn the_greatest_sample_is_the_documented_power() {
    assert!((GREATEST_SAMPLE / 2_f64.powi(360) - 1.0).abs() < 1e-12);
}

#[test]
fn a_week_takes_no_longer_than_a_minute() {
    let publication = Publication {
        value: 1.0,
        default_value: Some(0.0),
        other_defaults: &[0.5, 2.0],
    };
    let contents = publication.contents(7 * 24 * 60).unwrap();
    assert!(contents.matched.len() < 1000);
}

/// What a minute may hold: nothing, the default value, or matches.
fn brute_force(minutes: u32, value: f64, default: Option<f64>) -> (Vec<Samples>, Vec<Samples>) {
    let mut each: Vec<Option<(f64, u64)>> = vec![None, Some((value, 1)), Some((value, 2))];
    each.push(Some((value, MANY)));
    let default_at = each.len();
    each.extend(default.map(|default| Some((default, 1))));
    let (mut matched, mut quiet) = (Vec::new(), Vec::new());
    for number in 0..each.len().pow(minutes) {
        let mut rest = number;
        let mut samples = Vec::new();
        let mut matches_here = false;
        for _ in 0..minutes {
            let index = rest % each.len();
            rest /= each.len();
            matches_here |= (1..default_at).contains(&index);
            samples.extend(each[index]);
        }
        if matches_here {
            matched.push(Samples::new(samples));
        } else if !samples.is_empty() {
            quiet.push(Samples::new(samples));
        }
    }
    (matched, quiet)
}

/// Whether one event shows, and nothing else does: all matched breach, no quiet one does.
fn answer(
    (matched, quiet): (&[Samples], &[Samples]),
    statistic: Statistic,
    comparison: Comparison,
    threshold: f64,
) -> (bool, bool) {
    let breaches = |samples: &Samples| {
        let point = statistic.of(samples).unwrap();
        comparison.breaches(point, threshold).unwrap()
    };
    (matched.iter().all(breaches), quiet.iter().any(breaches))
}

proptest! {
    #[test]
    fn corners_decide_as_every_content_does(
        minutes in 1..=4_u32,
        value in -3..=5_i32,
        default in proptest::option::of(-3..=3_i32),
        threshold in -20..=20_i32,
        statistic in prop::sample::select(vec!["Sum", "Average", "Minimum", "Maximum", "SampleCount", "p100"]),
        comparison in prop::sample::select(vec![
            Comparison::AtLeast, Comparison::Above, Comparison::Below, Comparison::AtMost,
        ]),
    ) {
        let statistic = Statistic::parse(statistic).unwrap();
        prop_assume!(!statistic.needs_order() || (value >= 0 && default.is_none_or(|d| d >= 0)));
        let value = f64::from(value);
        let default = default.map(f64::from);
        let threshold = f64::from(threshold) / 4.0;
        let publication = Publication { value, default_value: default, other_defaults: &[] };
        let contents = publication.contents(u64::from(minutes)).unwrap();
        let corners = answer((&contents.matched, &contents.quiet), statistic, comparison, threshold);
        let (matched, quiet) = brute_force(minutes, value, default);
        let all = answer((&matched, &quiet), statistic, comparison, threshold);
        prop_assert_eq!(corners, all);
    }

    #[test]
    fn a_percentile_lies_between_those_of_every_definition(
        zeros in 0..40_u64, ones in 0..40_u64, share in 1..100_u32,
    ) {
        prop_assume!(zeros + ones > 0);
        let samples = Samples::new([(0.0, zeros), (1.0, ones)]);
        let found = Statistic::Percentile(f64::from(share)).of(&samples).unwrap();
        let count = u32::try_from(zeros + ones).unwrap();
        let list: Vec<f64> = std::iter::repeat_n(0.0, usize::try_from(zeros).unwrap())
            .chain(std::iter::repeat_n(1.0, usize::try_from(ones).unwrap()))
            .collect();
        // Nearest rank, and linear between the ranks 0 and n - 1.
        let nearest = (share * count).div_ceil(100).max(1) as usize - 1;
        let at = f64::from(share) / 100.0 * f64::from(count - 1);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small rank")]
        let (below, above) = (at.floor() as usize, at.ceil() as usize);
        let linear = list[below] + (list[above] - list[below]) * at.fract();
        for value in [list[nearest], linear] {
            prop_assert!(found.low <= value && value <= found.high);
        }
    }
}
