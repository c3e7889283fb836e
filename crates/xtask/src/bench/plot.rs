//! A drawing of what grows: panels side by side, a line for each series.

use std::fmt::Write as _;

use super::measured::as_f64;

pub(super) struct Panel {
    /// What grows to the right.
    pub(super) title: &'static str,
    pub(super) series: Vec<Series>,
}

pub(super) struct Series {
    pub(super) name: &'static str,
    pub(super) points: Vec<(usize, f64)>,
}

const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 200.0;
const MARGIN: f64 = 50.0;
/// Told apart in black and white too: the second one is dashed.
const LINES: [(&str, &str); 2] = [("#1f5fa8", ""), ("#c2571a", " stroke-dasharray=\"6 3\"")];

pub(super) fn render(title: &str, panels: &[Panel]) -> String {
    let width = MARGIN + as_f64(panels.len()) * (WIDTH + MARGIN);
    let height = HEIGHT + 2.5 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{MARGIN}\" y=\"22\" font-size=\"14\">{title}</text>\n"
    );
    for (place, panel) in panels.iter().enumerate() {
        let left = MARGIN + as_f64(place) * (WIDTH + MARGIN);
        push_panel(&mut svg, panel, left, MARGIN);
    }
    svg.push_str("</svg>\n");
    svg
}

fn push_panel(svg: &mut String, panel: &Panel, left: f64, top: f64) {
    let points = || panel.series.iter().flat_map(|series| &series.points);
    let most_x = points().map(|(x, _)| as_f64(*x)).fold(1.0, f64::max);
    let most_y = rounded_up(points().map(|(_, y)| *y).fold(0.0, f64::max));
    let x = |value: usize| left + as_f64(value) / most_x * WIDTH;
    let y = |value: f64| top + HEIGHT - value / most_y * HEIGHT;
    let bottom = top + HEIGHT;
    let mut push = |line: std::fmt::Arguments<'_>| {
        // Writing into a String does not fail.
        let _ = svg.write_fmt(line);
    };
    for quarter in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let (value, at) = (quarter * most_y, y(quarter * most_y));
        push(format_args!(
            "<path d=\"M{left} {at:.1}h{WIDTH}\" stroke=\"#ddd\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#555\">{value:.2}</text>\n",
            left - 4.0,
            at + 4.0
        ));
    }
    if let Some(series) = panel.series.first() {
        for (value, _) in &series.points {
            push(format_args!(
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#555\">{value}</text>\n",
                x(*value),
                bottom + 16.0
            ));
        }
    }
    push(format_args!(
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n",
        left + WIDTH / 2.0,
        bottom + 34.0,
        panel.title
    ));
    for (number, (series, (color, dash))) in panel.series.iter().zip(LINES).enumerate() {
        let path: Vec<String> = (series.points.iter())
            .map(|(at, value)| format!("{:.1},{:.1}", x(*at), y(*value)))
            .collect();
        push(format_args!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"{dash}/>\n",
            path.join(" ")
        ));
        for (at, value) in &series.points {
            push(format_args!(
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{color}\"><title>{at}: {value:.3}</title></circle>\n",
                x(*at),
                y(*value)
            ));
        }
        push(format_args!(
            "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{color}\">{}</text>\n",
            left + 8.0,
            bottom - 8.0 - 16.0 * as_f64(number),
            series.name
        ));
    }
}

/// One, two or five times a power of ten, not below this.
fn rounded_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    steps
        .into_iter()
        .find(|step| *step >= value)
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_is_drawn() {
        let series = Series {
            name: "warm",
            points: vec![(1, 0.2), (15, 0.31)],
        };
        let panel = Panel {
            title: "controls",
            series: vec![series],
        };
        let svg = render("cost", &[panel]);
        assert_eq!(svg.matches("<circle").count(), 2);
        assert!(svg.contains("controls") && svg.contains("warm") && svg.ends_with("</svg>\n"));
    }

    #[test]
    fn an_axis_ends_at_a_round_number() {
        for (value, end) in [
            (0.0, 1.0),
            (0.31, 0.5),
            (1.0, 1.0),
            (42.0, 50.0),
            (70.0, 100.0),
        ] {
            assert!((rounded_up(value) - end).abs() < 1e-9, "{value}");
        }
    }
}
