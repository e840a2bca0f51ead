//! Numbers as people read them, and what a row of measurements comes to.

use serde::Serialize;

/// Median, 95th percentile and maximum.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) p95: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// `None` without a measurement.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let max = *sorted.last()?;
        let middle = sorted.len() / 2;
        let median = if sorted.len().is_multiple_of(2) {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        } else {
            sorted[middle]
        };
        // Nearest rank: a value that was measured, never one in between.
        let rank = (sorted.len() * 95).div_ceil(100);
        Some(Self {
            median,
            p95: sorted[rank - 1],
            max,
        })
    }
}

/// `1234567` as `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub(crate) fn millis(ms: f64) -> String {
    if ms >= 1_000.0 {
        format!("{:.1} s", ms / 1_000.0)
    } else if ms >= 10.0 {
        format!("{ms:.0} ms")
    } else {
        format!("{ms:.1} ms")
    }
}

pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{} MB", count(bytes / 1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_made_of_measured_values_but_for_the_median_of_an_even_number() {
        let spread = Spread::of(&[4.0, 1.0, 3.0, 2.0]).unwrap();
        assert!((spread.median - 2.5).abs() < f64::EPSILON);
        assert!((spread.p95 - 4.0).abs() < f64::EPSILON);
        let twenty: Vec<f64> = (1..=20).map(f64::from).collect();
        let spread = Spread::of(&twenty).unwrap();
        assert!((spread.p95 - 19.0).abs() < f64::EPSILON);
        assert!((spread.max - 20.0).abs() < f64::EPSILON);
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn numbers_are_grouped_and_times_rounded_to_what_matters() {
        assert_eq!(
            [count(7), count(1_234), count(1_234_567)],
            ["7", "1,234", "1,234,567"]
        );
        assert_eq!(
            [millis(1.26), millis(47.4), millis(1_250.0)],
            ["1.3 ms", "47 ms", "1.2 s"]
        );
    }
}
