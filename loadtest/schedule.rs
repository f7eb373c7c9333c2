//! When requests are due: the shape of a rate over time, and arrivals drawn from it.
//!
//! A shape is a row of segments whose rate is known at every instant, and so is the count of arrivals until then (the
//! integral of the rate). Arrival `n` is due when that count reaches `n`: the schedule never looks at the server.

use crate::random::SplitMix64;
use std::f64::consts::TAU;

/// A stretch of time with a rate; rates are per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Segment {
    /// From one rate to another in a straight line; constant if they are equal.
    Linear { from: f64, to: f64, seconds: f64 },
    /// Around a mean, starting at it and rising.
    Sine {
        mean: f64,
        amplitude: f64,
        period_s: f64,
        seconds: f64,
    },
}

impl Segment {
    /// Its length in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        match *self {
            Segment::Linear { seconds, .. } | Segment::Sine { seconds, .. } => seconds,
        }
    }

    /// The rate `t` seconds into it.
    fn rate(&self, t: f64) -> f64 {
        match *self {
            Segment::Linear { from, to, seconds } => from + (to - from) * t / seconds,
            Segment::Sine {
                mean,
                amplitude,
                period_s,
                ..
            } => mean + amplitude * (TAU * t / period_s).sin(),
        }
    }

    /// Its highest rate.
    fn peak(&self) -> f64 {
        match *self {
            Segment::Linear { from, to, .. } => from.max(to),
            Segment::Sine { mean, amplitude, .. } => mean + amplitude,
        }
    }

    /// Arrivals in its first `t` seconds.
    fn count(&self, t: f64) -> f64 {
        match *self {
            Segment::Linear { from, to, seconds } => from * t + (to - from) * t * t / (2.0 * seconds),
            Segment::Sine {
                mean,
                amplitude,
                period_s,
                ..
            } => mean * t + amplitude * period_s / TAU * (1.0 - (TAU * t / period_s).cos()),
        }
    }

    /// The time at which `count` arrivals have come; `count` is at most that of the whole segment.
    fn time_of(&self, count: f64) -> f64 {
        match *self {
            Segment::Linear { from, to, seconds } => {
                let slope = (to - from) / seconds;
                let root = (from * from + 2.0 * slope * count).max(0.0).sqrt();
                // This form of the quadratic's root has no cancellation when the slope is small.
                if from + root == 0.0 {
                    0.0
                } else {
                    2.0 * count / (from + root)
                }
            }
            Segment::Sine { seconds, .. } => {
                // The count never falls, so halving finds the time; 60 halvings are below a nanosecond in a week.
                let (mut low, mut high) = (0.0, seconds);
                for _ in 0..60 {
                    let middle = (low + high) / 2.0;
                    if self.count(middle) < count {
                        low = middle;
                    } else {
                        high = middle;
                    }
                }
                high
            }
        }
    }

    fn scaled(self, rates: f64, time: f64) -> Segment {
        match self {
            Segment::Linear { from, to, seconds } => Segment::Linear {
                from: from * rates,
                to: to * rates,
                seconds: seconds * time,
            },
            Segment::Sine {
                mean,
                amplitude,
                period_s,
                seconds,
            } => Segment::Sine {
                mean: mean * rates,
                amplitude: amplitude * rates,
                period_s: period_s * time,
                seconds: seconds * time,
            },
        }
    }
}

/// A rate over time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shape {
    segments: Vec<Segment>,
}

impl Shape {
    /// Segments one after the other.
    pub(crate) fn new(segments: Vec<Segment>) -> Shape {
        Shape { segments }
    }

    /// The same rate all the time.
    pub(crate) fn constant(rate: f64, seconds: f64) -> Shape {
        Shape::new(vec![Segment::Linear {
            from: rate,
            to: rate,
            seconds,
        }])
    }

    /// Its length in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        self.segments.iter().map(Segment::seconds).sum()
    }

    /// Its highest rate; of a wave the crest, even if it ends before.
    pub(crate) fn peak(&self) -> f64 {
        self.segments.iter().map(Segment::peak).fold(0.0, f64::max)
    }

    /// The rate at `t` seconds; 0 behind the end.
    pub(crate) fn rate_at(&self, t: f64) -> f64 {
        let mut start = 0.0;
        for segment in &self.segments {
            if t < start + segment.seconds() {
                return segment.rate(t - start);
            }
            start += segment.seconds();
        }
        0.0
    }

    /// Arrivals until `t` seconds.
    pub(crate) fn count_until(&self, t: f64) -> f64 {
        let (mut start, mut count) = (0.0, 0.0);
        for segment in &self.segments {
            if t <= start {
                break;
            }
            count += segment.count((t - start).min(segment.seconds()));
            start += segment.seconds();
        }
        count
    }

    /// The same shape with all rates times `rates` and all lengths times `time`.
    pub(crate) fn scaled(&self, rates: f64, time: f64) -> Shape {
        Shape::new(
            self.segments
                .iter()
                .map(|segment| segment.scaled(rates, time))
                .collect(),
        )
    }
}

/// How arrivals lie around the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrivals {
    /// Independent of each other, as those of many strangers are: bursts and gaps come by chance.
    Poisson,
    /// Evenly spaced.
    Uniform,
}

impl Arrivals {
    /// Its word in scenario files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Arrivals::Poisson => "poisson",
            Arrivals::Uniform => "uniform",
        }
    }
}

/// The arrivals of one of several generators that share a shape; together they are the whole schedule.
pub(crate) struct Schedule {
    shape: Shape,
    arrivals: Arrivals,
    parts: f64,
    random: SplitMix64,
    /// Count of the whole shape at the next arrival.
    next_count: f64,
    segment: usize,
    /// Count and time at the start of `segment`.
    count_before: f64,
    start_s: f64,
}

impl Schedule {
    /// Part `part` of `parts`; the same seed gives the same arrivals.
    pub(crate) fn new(shape: Shape, arrivals: Arrivals, seed: u64, part: usize, parts: usize) -> Schedule {
        assert!(part < parts, "parts are numbered from 0");
        let mut schedule = Schedule {
            shape,
            arrivals,
            parts: parts as f64,
            random: SplitMix64(seed ^ crate::random::mix(part as u64 + 1)),
            next_count: 0.0,
            segment: 0,
            count_before: 0.0,
            start_s: 0.0,
        };
        schedule.next_count = match arrivals {
            Arrivals::Poisson => schedule.gap(),
            Arrivals::Uniform => part as f64 + 0.5,
        };
        schedule
    }

    fn gap(&mut self) -> f64 {
        match self.arrivals {
            Arrivals::Poisson => self.random.exponential() * self.parts,
            Arrivals::Uniform => self.parts,
        }
    }
}

impl Iterator for Schedule {
    /// Seconds since the start of the shape.
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        loop {
            let segment = *self.shape.segments.get(self.segment)?;
            let whole = segment.count(segment.seconds());
            let within = self.next_count - self.count_before;
            if within < whole {
                let due = self.start_s + segment.time_of(within);
                self.next_count += self.gap();
                return Some(due);
            }
            self.count_before += whole;
            self.start_s += segment.seconds();
            self.segment += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes() -> Vec<Shape> {
        let linear = |from, to, seconds| Segment::Linear { from, to, seconds };
        let sine = |mean, amplitude| Segment::Sine {
            mean,
            amplitude,
            period_s: 4.0,
            seconds: 10.0,
        };
        vec![
            Shape::constant(1_000.0, 10.0),
            Shape::new(vec![linear(0.0, 2_000.0, 10.0)]),
            Shape::new(vec![linear(2_000.0, 0.0, 10.0)]),
            Shape::new(vec![
                linear(100.0, 100.0, 4.0),
                linear(5_000.0, 5_000.0, 1.0),
                linear(100.0, 100.0, 5.0),
            ]),
            Shape::new(vec![sine(1_000.0, 1_000.0)]),
            Shape::new(vec![
                linear(0.0, 0.0, 3.0),
                sine(500.0, 100.0),
                linear(700.0, 650.0, 2.0),
            ]),
        ]
    }

    #[test]
    fn the_count_is_the_integral_of_the_rate() {
        for shape in shapes() {
            let step = 1e-4;
            let steps = (shape.seconds() / step) as usize;
            let sum: f64 = (0..steps)
                .map(|at| shape.rate_at((at as f64 + 0.5) * step) * step)
                .sum();
            let count = shape.count_until(shape.seconds());
            assert!((sum - count).abs() < 1.0, "{shape:?}: {sum} against {count}");
        }
    }

    #[test]
    fn uniform_arrivals_come_exactly_when_the_count_reaches_them() {
        for shape in shapes() {
            let due: Vec<f64> = Schedule::new(shape.clone(), Arrivals::Uniform, 1, 0, 1).collect();
            assert_eq!(
                due.len(),
                (shape.count_until(shape.seconds()) + 0.5 + 1e-6) as usize,
                "{shape:?}"
            );
            for (at, due) in due.iter().enumerate() {
                let count = shape.count_until(*due);
                assert!(
                    (count - (at as f64 + 0.5)).abs() < 1e-3,
                    "{shape:?}: arrival {at} at {due} s"
                );
            }
        }
    }

    #[test]
    fn parts_of_a_uniform_schedule_are_the_whole() {
        for shape in shapes() {
            let whole: Vec<f64> = Schedule::new(shape.clone(), Arrivals::Uniform, 1, 0, 1).collect();
            let mut parts: Vec<f64> = (0..3)
                .flat_map(|part| Schedule::new(shape.clone(), Arrivals::Uniform, 1, part, 3))
                .collect();
            parts.sort_by(f64::total_cmp);
            assert_eq!(parts, whole);
        }
    }

    #[test]
    fn poisson_arrivals_have_the_rate_spread_and_seed_of_a_poisson_process() {
        let draw = |seed, part| -> Vec<f64> {
            Schedule::new(Shape::constant(1_000.0, 100.0), Arrivals::Poisson, seed, part, 2).collect()
        };
        assert_eq!(draw(7, 0), draw(7, 0));
        assert_ne!(draw(7, 0), draw(8, 0));
        assert_ne!(draw(7, 0), draw(7, 1));
        let mut per_second = [0.0f64; 100];
        for due in draw(7, 0).iter().chain(&draw(7, 1)) {
            per_second[*due as usize] += 1.0;
        }
        let mean = per_second.iter().sum::<f64>() / 100.0;
        let variance = per_second.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / 99.0;
        assert!((mean - 1_000.0).abs() < 20.0, "mean {mean}");
        assert!((0.5..2.0).contains(&(variance / mean)), "variance {variance}");
    }

    #[test]
    fn scaling_changes_rates_and_lengths() {
        for shape in shapes() {
            let scaled = shape.scaled(0.5, 3.0);
            assert!((scaled.seconds() - 3.0 * shape.seconds()).abs() < 1e-9);
            let (small, large) = (scaled.count_until(1e9), shape.count_until(1e9));
            assert!((small - 1.5 * large).abs() < 1e-6 * large, "{small} {large}");
        }
    }
}
