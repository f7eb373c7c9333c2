//! Line charts as plain SVG: no script, no font, nothing from elsewhere.

use std::fmt::Write;

/// Most points drawn of a line; more are thinned out to the highest of each group, so that no peak is lost.
const POINTS_MAX: usize = 600;

/// One line.
pub(crate) struct Line<'a> {
    /// Its name in the legend.
    pub(crate) name: &'a str,
    /// Its colour class, `c0` to `c5`.
    pub(crate) class: &'a str,
    /// x and y.
    pub(crate) points: Vec<(f64, f64)>,
}

/// How values are written at the axis.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    /// As they are, with k and M.
    Plain,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// x is -log10(1 - share): nines.
    Nines,
}

/// A chart.
pub(crate) struct Chart<'a> {
    pub(crate) lines: Vec<Line<'a>>,
    pub(crate) x: Unit,
    pub(crate) y: Unit,
    /// Whether y is logarithmic.
    pub(crate) log: bool,
    /// Range of x that is not measured, shaded.
    pub(crate) shaded: Option<(f64, f64)>,
    /// A level to mark, with its name.
    pub(crate) mark: Option<(f64, &'a str)>,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Chart<'_> {
    /// The chart as an `svg` element with its legend below.
    pub(crate) fn svg(&self) -> String {
        const LEFT: f64 = 58.0;
        const RIGHT: f64 = 20.0;
        const TOP: f64 = 10.0;
        const BOTTOM: f64 = 24.0;
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let mut out = String::new();
        if points().next().is_none() {
            return "<p class=\"none\">nothing was measured</p>".into();
        }
        let (x_min, x_max) = spread(points().map(|point| point.0));
        let (x_min, x_max) = if matches!(self.x, Unit::Nines | Unit::Seconds) {
            (x_min.min(0.0), x_max)
        } else {
            (x_min, x_max)
        };
        let values = || points().map(|point| point.1).chain(self.mark.map(|mark| mark.0));
        let positive = values().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
        let log = self.log && positive.is_finite();
        let top = values().fold(0.0, f64::max);
        let (y_min, y_max) = if log {
            (
                10f64.powf((positive.log10() * 2.0).floor() / 2.0),
                top.max(positive * 2.0) * 1.1,
            )
        } else {
            (0.0, if top > 0.0 { top * 1.06 } else { 1.0 })
        };
        let x_of = |x: f64| LEFT + (x - x_min) / (x_max - x_min).max(1e-9) * (self.width - LEFT - RIGHT);
        let y_of = |y: f64| {
            let share = if log {
                (y.max(y_min).log10() - y_min.log10()) / (y_max.log10() - y_min.log10())
            } else {
                y / y_max
            };
            self.height - BOTTOM - share * (self.height - TOP - BOTTOM)
        };
        let mut put = |text: String| out.push_str(&text);
        put(format!(
            "<svg viewBox=\"0 0 {:.0} {:.0}\" role=\"img\">",
            self.width, self.height
        ));
        if let Some((from, to)) = self.shaded {
            let (from, to) = (x_of(from.max(x_min)), x_of(to.min(x_max)));
            put(format!(
                "<rect class=\"shade\" x=\"{from:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\"/>",
                (to - from).max(0.0),
                self.height - TOP - BOTTOM
            ));
        }
        for y in if log {
            log_ticks(y_min, y_max)
        } else {
            ticks(0.0, y_max, 5)
        } {
            let at = y_of(y);
            put(format!(
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>",
                self.width - RIGHT
            ));
            put(format!(
                "<text class=\"y\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                LEFT - 6.0,
                at + 3.5,
                written(y, self.y)
            ));
        }
        let wanted = if self.width > 500.0 { 10 } else { 5 };
        for x in ticks(x_min, x_max, wanted) {
            if matches!(self.x, Unit::Nines) && x.fract() != 0.0 {
                continue;
            }
            put(format!(
                "<text class=\"x\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                x_of(x),
                self.height - 7.0,
                written(x, self.x)
            ));
        }
        if let Some((level, name)) = self.mark {
            let at = y_of(level);
            put(format!(
                "<line class=\"mark\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>",
                self.width - RIGHT
            ));
            put(format!(
                "<text class=\"marked\" x=\"{:.1}\" y=\"{:.1}\">{name}</text>",
                self.width - RIGHT - 2.0,
                at - 4.0
            ));
        }
        for line in &self.lines {
            let mut path = String::new();
            for (x, y) in thinned(&line.points) {
                // Writing to a String cannot fail.
                write!(path, "{:.1},{:.1} ", x_of(x), y_of(y)).expect("a String takes everything");
            }
            put(format!(
                "<polyline class=\"{}\" points=\"{}\"/>",
                line.class,
                path.trim_end()
            ));
            if let [(x, y)] = line.points[..] {
                put(format!(
                    "<circle class=\"{}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.5\"/>",
                    line.class,
                    x_of(x),
                    y_of(y)
                ));
            }
        }
        put("</svg>".into());
        if self.lines.iter().any(|line| !line.name.is_empty()) {
            put("<p class=\"legend\">".into());
            for line in &self.lines {
                put(format!(
                    "<span><i class=\"{}\"></i>{}</span>",
                    line.class,
                    escaped(line.name)
                ));
            }
            put("</p>".into());
        }
        out
    }
}

/// Text that is safe inside an element or a quoted attribute.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn spread(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (least, most) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| {
        (least.min(value), most.max(value))
    });
    if least == most {
        (least, most + 1.0)
    } else {
        (least, most)
    }
}

/// Round numbers from `least` to `most`, about `wanted` of them.
fn ticks(least: f64, most: f64, wanted: usize) -> Vec<f64> {
    let raw = (most - least) / wanted as f64;
    let size = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * size)
        .find(|step| *step >= raw * 0.999);
    let step = step.unwrap_or(size);
    let first = (least / step).ceil() as i64;
    (first..)
        .map(|at| at as f64 * step)
        .take_while(|value| *value <= most * 1.000_001)
        .take(50)
        .collect()
}

/// 1, 10, 100…; with 2 and 5 between where there is room.
fn log_ticks(least: f64, most: f64) -> Vec<f64> {
    let decades = (most / least).log10();
    let factors: &[f64] = if decades < 2.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let (from, to) = (least.log10().floor() as i32, most.log10().ceil() as i32);
    (from..=to)
        .flat_map(|power| factors.iter().map(move |factor| factor * 10f64.powi(power)))
        .filter(|value| (least..=most).contains(value))
        .collect()
}

fn written(value: f64, unit: Unit) -> String {
    let plain = |value: f64| {
        let text = format!("{value:.3}");
        text.trim_end_matches('0').trim_end_matches('.').to_string()
    };
    match unit {
        Unit::Plain if value >= 1e6 => format!("{} M", plain(value / 1e6)),
        Unit::Plain if value >= 1e4 => format!("{} k", plain(value / 1e3)),
        Unit::Plain if value >= 1e3 => crate::page::count(value),
        Unit::Plain => plain(value),
        Unit::Milliseconds if value >= 1_000.0 => format!("{} s", plain(value / 1_000.0)),
        Unit::Milliseconds => format!("{} ms", plain(value)),
        Unit::Seconds => format!("{} s", plain(value)),
        Unit::Nines if value == 0.0 => "0 %".into(),
        Unit::Nines => {
            let digits = (value as usize).saturating_sub(2);
            format!("{:.digits$} %", (1.0 - 10f64.powf(-value)) * 100.0)
        }
    }
}

/// At most [`POINTS_MAX`] points, of each group the highest.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let group = points.len().div_ceil(POINTS_MAX).max(1);
    points
        .chunks(group)
        .filter_map(|group| group.iter().copied().max_by(|one, two| one.1.total_cmp(&two.1)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(ticks(0.0, 10.6, 5), [0.0, 5.0, 10.0]);
        assert_eq!(ticks(0.0, 74_000.0, 5), [0.0, 20_000.0, 40_000.0, 60_000.0]);
        assert_eq!(log_ticks(0.1, 1_000.0), [0.1, 1.0, 10.0, 100.0, 1_000.0]);
        assert_eq!(log_ticks(1.0, 20.0), [1.0, 2.0, 5.0, 10.0, 20.0]);
    }

    #[test]
    fn values_are_written_for_people() {
        let cases = [
            (70_000.0, Unit::Plain, "70 k"),
            (6_000.0, Unit::Plain, "6,000"),
            (0.5, Unit::Milliseconds, "0.5 ms"),
            (2_500.0, Unit::Milliseconds, "2.5 s"),
            (2.0, Unit::Nines, "99 %"),
            (4.0, Unit::Nines, "99.99 %"),
        ];
        for (value, unit, expected) in cases {
            assert_eq!(written(value, unit), expected);
        }
    }

    #[test]
    fn thinning_keeps_the_peak() {
        let points: Vec<_> = (0..10_000)
            .map(|at| (f64::from(at), if at == 7_777 { 9.0 } else { 1.0 }))
            .collect();
        let thin = thinned(&points);
        assert!(thin.len() <= POINTS_MAX && thin.contains(&(7_777.0, 9.0)));
    }

    #[test]
    fn an_empty_chart_says_so() {
        let chart = Chart {
            lines: Vec::new(),
            x: Unit::Seconds,
            y: Unit::Plain,
            log: false,
            shaded: None,
            mark: None,
            width: 100.0,
            height: 50.0,
        };
        assert!(chart.svg().contains("nothing was measured"));
    }
}
