//! Drawings as SVG: lines over logarithmic scales, and readings as dots in a row.
#![forbid(unsafe_code)]

use super::outcome::Outcome;
use super::spread::{Spread, short};
use super::sweep::Grown;
use std::fmt::Write;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 620.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 280.0;

/// Told apart also by those who see few colours.
const COLORS: [&str; 6] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
];

/// A logarithmic scale from powers of ten to a line of pixels.
struct Scale {
    first: i32,
    last: i32,
    from: f64,
    to: f64,
}

impl Scale {
    /// Wide enough for all of these; `None` when there are none above zero.
    fn over(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Option<Scale> {
        let logs = values.filter(|value| *value > 0.0).map(f64::log10);
        let (low, high) = logs.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), log| {
            (low.min(log), high.max(log))
        });
        if low > high {
            return None;
        }
        let whole = |log: f64| format!("{log:.0}").parse().unwrap_or(0);
        let first = whole(low.floor());
        let last: i32 = whole(high.ceil());
        Some(Scale {
            first,
            last: last.max(first + 1),
            from,
            to,
        })
    }

    fn at(&self, value: f64) -> f64 {
        let (first, last) = (f64::from(self.first), f64::from(self.last));
        let share = (value.max(1e-12).log10() - first) / (last - first);
        self.from + share.clamp(0.0, 1.0) * (self.to - self.from)
    }

    fn decades(&self) -> impl Iterator<Item = f64> {
        (self.first..=self.last).map(|exponent| 10_f64.powi(exponent))
    }
}

/// The lines of a sweep, with the spread of each point; nothing without any point.
pub(super) fn curves(grown: &Grown) -> String {
    let points = || grown.curves.iter().flat_map(|curve| &curve.points);
    let across = points().map(|(number, _)| real(*number));
    let up = points().flat_map(|(_, cost)| [cost.min(), cost.max()]);
    let (Some(across), Some(up)) = (
        Scale::over(across, LEFT, RIGHT),
        Scale::over(up, BOTTOM, TOP),
    ) else {
        return String::new();
    };
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">\n",
        escaped(grown.sweep.title)
    );
    frame(&mut svg, &across, &up, grown);
    for (curve, color) in grown.curves.iter().zip(COLORS) {
        let mut path = String::new();
        for (number, cost) in &curve.points {
            let x = across.at(real(*number));
            let _ = write!(path, "{x:.1},{:.1} ", up.at(cost.median()));
            let (low, high) = (up.at(cost.min()), up.at(cost.max()));
            let _ = writeln!(
                svg,
                "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{low:.1}\" y2=\"{high:.1}\" stroke=\"{color}\" opacity=\"0.5\"/>\
                 <circle cx=\"{x:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{color}\"><title>{}: {number} {}: {cost} {}</title></circle>",
                up.at(cost.median()),
                escaped(curve.name),
                escaped(grown.sweep.across),
                grown.sweep.unit,
            );
        }
        let _ = writeln!(
            svg,
            "<polyline points=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.5\"/>"
        );
    }
    svg + "</svg>\n"
}

/// Scales, with their numbers and what they count.
fn frame(svg: &mut String, across: &Scale, up: &Scale, grown: &Grown) {
    for value in across.decades() {
        let x = across.at(value);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{BOTTOM}\"/>\
             <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            BOTTOM + 14.0,
            short(value),
        );
    }
    for value in up.decades() {
        let y = up.at(value);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 6.0,
            y + 4.0,
            short(value),
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\
         <text x=\"4\" y=\"{}\">{} each</text>",
        f64::midpoint(LEFT, RIGHT),
        BOTTOM + 32.0,
        escaped(grown.sweep.across),
        TOP - 4.0,
        grown.sweep.unit,
    );
}

/// What the colours of a sweep stand for.
pub(super) fn legend(grown: &Grown) -> String {
    let mut text = String::from("<ul class=\"legend\">\n");
    for (curve, color) in grown.curves.iter().zip(COLORS) {
        let _ = writeln!(
            text,
            "<li><span style=\"color:{color}\">●</span> {}</li>",
            escaped(curve.name)
        );
    }
    text + "</ul>\n"
}

/// Every reading of an outcome, by party one beneath the other, over one linear scale from zero.
pub(super) fn readings(outcome: &Outcome) -> String {
    const ROW: f64 = 18.0;
    let parties: Vec<(&str, &Spread)> = [
        ("wharf", &outcome.wharf),
        ("OTP", &outcome.erlang),
        ("plain C", &outcome.floor),
    ]
    .into_iter()
    .filter_map(|(name, spread)| Some((name, spread.as_ref()?)))
    .collect();
    let most = parties.iter().map(|(_, spread)| spread.max());
    let most = most.fold(f64::MIN_POSITIVE, f64::max);
    let height = real(parties.len()) * ROW + 4.0;
    let mut svg = format!(
        "<svg class=\"strip\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">\n",
        escaped(outcome.column.name)
    );
    for (at, ((name, spread), color)) in parties.iter().zip(COLORS).enumerate() {
        let y = real(at) * ROW + 10.0;
        let x = |value: f64| LEFT + (RIGHT - 120.0 - LEFT) * (value / most).clamp(0.0, 1.0);
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>\
             <line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>",
            LEFT - 6.0,
            y + 4.0,
            x(most),
        );
        for value in spread.readings() {
            let _ = writeln!(
                svg,
                "<circle cx=\"{:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{color}\" opacity=\"0.45\"/>",
                x(*value)
            );
        }
        let median = x(spread.median());
        let _ = writeln!(
            svg,
            "<line x1=\"{median:.1}\" x2=\"{median:.1}\" y1=\"{:.1}\" y2=\"{:.1}\" stroke=\"{color}\" stroke-width=\"2\"/>\
             <text x=\"{}\" y=\"{:.1}\">{} {}</text>",
            y - 7.0,
            y + 7.0,
            RIGHT - 110.0,
            y + 4.0,
            short(spread.median()),
            outcome.column.unit,
        );
    }
    svg + "</svg>\n"
}

/// Text for a page.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Exact for every number that is drawn.
#[allow(clippy::cast_precision_loss)]
fn real(number: usize) -> f64 {
    number as f64
}
