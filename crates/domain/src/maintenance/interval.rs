//! A stretch of time between two instants.

use jiff::{SignedDuration, Timestamp};

/// From an instant up to another one, without that one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Interval {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Interval {
    pub fn new(from: Timestamp, to: Timestamp) -> Self {
        Self { from, to }
    }

    pub fn duration(&self) -> SignedDuration {
        self.to.duration_since(self.from)
    }

    /// They have an instant in common. An interval without length has none.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.from.max(other.from) < self.to.min(other.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(from: i64, to: i64) -> Interval {
        let at = |second| Timestamp::from_second(second).unwrap();
        Interval::new(at(from), at(to))
    }

    #[test]
    fn intervals_that_only_touch_do_not_overlap() {
        for (one, other, overlap) in [
            (interval(0, 10), interval(10, 20), false),
            (interval(0, 11), interval(10, 20), true),
            (interval(0, 30), interval(10, 20), true),
            (interval(12, 13), interval(10, 20), true),
            (interval(15, 15), interval(10, 20), false),
        ] {
            assert_eq!(one.overlaps(&other), overlap, "{one:?} {other:?}");
            assert_eq!(other.overlaps(&one), overlap, "{other:?} {one:?}");
        }
    }
}
