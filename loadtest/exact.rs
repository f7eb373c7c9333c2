//! Histograms in a report, such that they can be read back and added up without loss.

use crate::open_loop::samples;
use hdrhistogram::Histogram;
use serde_json::{Value, json};

/// `[value, count]` of every bucket that is not empty.
pub(crate) fn pairs(histogram: &Histogram<u64>) -> Value {
    histogram
        .iter_recorded()
        .map(|step| json!([step.value_iterated_to(), step.count_at_value()]))
        .collect()
}

/// The histogram that [`pairs`] were written of.
pub(crate) fn latencies(pairs: &Value) -> Option<Histogram<u64>> {
    filled(samples::histogram(), pairs)
}

/// The same of a sample, which has fewer digits.
pub(crate) fn sample_latencies(pairs: &Value) -> Option<Histogram<u64>> {
    filled(samples::small_histogram(), pairs)
}

fn filled(mut histogram: Histogram<u64>, pairs: &Value) -> Option<Histogram<u64>> {
    for pair in pairs.as_array()? {
        histogram.record_n(pair[0].as_u64()?, pair[1].as_u64()?).ok()?;
    }
    Some(histogram)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_reads_back_as_it_was() {
        let (mut long, mut small) = (samples::histogram(), samples::small_histogram());
        for at in 0..3_000u64 {
            long.record(at * at * at % 3_600_000_000).unwrap();
            small.record(at * at * at % 3_600_000_000).unwrap();
        }
        let (long_again, small_again) = (
            latencies(&pairs(&long)).unwrap(),
            sample_latencies(&pairs(&small)).unwrap(),
        );
        for percent in [0.0, 1.0, 50.0, 99.0, 99.99, 100.0] {
            assert_eq!(
                long.value_at_percentile(percent),
                long_again.value_at_percentile(percent)
            );
            assert_eq!(
                small.value_at_percentile(percent),
                small_again.value_at_percentile(percent)
            );
        }
        assert_eq!((pairs(&long_again), long_again.len()), (pairs(&long), long.len()));
        assert_eq!(latencies(&json!([[1, -1]])), None);
    }
}
