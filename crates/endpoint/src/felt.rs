//! What clients feel: gaps between acknowledged writes, and statements that failed, around a hold.
//!
//! A write counts when its command tag and the ReadyForQuery behind it have gone by. Writes inside
//! functions and `SELECT`s are not seen. It measures; it decides nothing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use upkeep_domain::hold::Felt;

/// Gaps that ended this long before a hold still count as felt around it.
const BEFORE: Duration = Duration::from_secs(1);
/// Writes are watched this long after the first one that follows the release.
const SETTLE: Duration = Duration::from_millis(500);
/// Without a write after the release, this is when the measurement ends.
const PATIENCE: Duration = Duration::from_secs(5);

/// Measures one database.
#[derive(Default)]
pub(crate) struct FeltMeter {
    log: Mutex<Log>,
    writes: AtomicU64,
    failed: AtomicU32,
}

#[derive(Default)]
struct Log {
    last: Option<Instant>,
    /// The longest gaps of this second and of the one before it.
    second: Option<Instant>,
    longest_now: Duration,
    longest_before: Duration,
    window: Option<Window>,
}

/// The time around one hold.
struct Window {
    closed: Instant,
    longest: Option<Duration>,
    released: Option<Released>,
    first_after: Option<Instant>,
}

struct Released {
    at: Instant,
    tally: Tally,
}

/// What became of the sessions of one hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) held: u32,
    pub(crate) moved: u32,
    pub(crate) closed: BTreeMap<String, u32>,
    pub(crate) at_risk: BTreeMap<String, u32>,
}

impl FeltMeter {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    /// A write has been acknowledged to a client.
    pub(crate) fn acknowledged(&self, now: Instant) {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.log().acknowledged(now);
    }

    /// A client was told this SQLSTATE.
    pub(crate) fn error(&self, code: &[u8], now: Instant) {
        let ours = matches!(
            code,
            b"57P01" | b"57P02" | b"57P03" | b"25006" | b"26000" | b"34000"
        ) || code.starts_with(b"08");
        if ours
            && self
                .log()
                .window
                .as_ref()
                .is_some_and(|window| !window.is_complete(now))
        {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The gate closes.
    pub(crate) fn closed(&self, now: Instant) {
        self.failed.store(0, Ordering::Relaxed);
        self.log().open_window(now);
    }

    /// Everybody goes on.
    pub(crate) fn released(&self, now: Instant, tally: Tally) {
        if let Some(window) = &mut self.log().window {
            window.released = Some(Released { at: now, tally });
        }
    }

    /// What became of the sessions, known a little after the gate has opened.
    pub(crate) fn counted(&self, tally: Tally) {
        let mut log = self.log();
        let released = log
            .window
            .as_mut()
            .and_then(|window| window.released.as_mut());
        if let Some(released) = released {
            released.tally = tally;
        }
    }

    /// `None` while there is no hold, or more is to be seen of it.
    pub(crate) fn answer(&self, now: Instant) -> Option<Felt> {
        let log = self.log();
        let window = log
            .window
            .as_ref()
            .filter(|window| window.is_complete(now))?;
        let released = window.released.as_ref()?;
        let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
        Some(Felt {
            longest_write_gap_ms: window.longest.map(ms),
            held_ms: ms(released.at - window.closed),
            sessions_held: released.tally.held,
            sessions_moved: released.tally.moved,
            sessions_closed: released.tally.closed.clone(),
            sessions_at_risk: released.tally.at_risk.clone(),
            statements_failed: self.failed.load(Ordering::Relaxed),
        })
    }
}

impl Log {
    fn acknowledged(&mut self, now: Instant) {
        let gap = self.last.replace(now).map(|last| now - last);
        let Some(gap) = gap else { return };
        match self.second {
            Some(began) if now - began < BEFORE => self.longest_now = self.longest_now.max(gap),
            _ => {
                self.longest_before = self.longest_now;
                (self.second, self.longest_now) = (Some(now), gap);
            }
        }
        if let Some(window) = &mut self.window {
            window.acknowledged(now, gap);
        }
    }

    fn open_window(&mut self, now: Instant) {
        // A write of long ago says nothing about the gap that the hold makes.
        self.last = self.last.filter(|last| now - *last <= BEFORE);
        let longest = self.longest_now.max(self.longest_before);
        self.window = Some(Window {
            closed: now,
            longest: (self.last.is_some() && !longest.is_zero()).then_some(longest),
            released: None,
            first_after: None,
        });
    }
}

impl Window {
    fn acknowledged(&mut self, now: Instant, gap: Duration) {
        if self.is_complete(now) {
            return;
        }
        self.longest = self.longest.max(Some(gap));
        if self.released.is_some() && self.first_after.is_none() {
            self.first_after = Some(now);
        }
    }

    fn is_complete(&self, now: Instant) -> bool {
        let settled = self.first_after.is_some_and(|first| now - first >= SETTLE);
        let over = self
            .released
            .as_ref()
            .is_some_and(|released| now - released.at >= PATIENCE);
        settled || over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn the_gap_of_a_hold_is_the_longest_between_two_writes_around_it() {
        let (meter, start) = (FeltMeter::default(), Instant::now());
        for at in [0, 10, 20] {
            meter.acknowledged(start + ms(at));
        }
        meter.closed(start + ms(25));
        meter.error(b"57P01", start + ms(30));
        meter.error(b"23505", start + ms(30));
        meter.released(
            start + ms(65),
            Tally {
                held: 3,
                moved: 2,
                ..Tally::default()
            },
        );
        assert_eq!(
            meter.answer(start + ms(66)),
            None,
            "no write has been seen again"
        );
        meter.acknowledged(start + ms(70));
        meter.acknowledged(start + ms(75));
        let felt = meter.answer(start + ms(580)).expect("complete");
        assert_eq!(felt.longest_write_gap_ms, Some(50.0));
        assert_eq!(
            (felt.held_ms, felt.sessions_moved, felt.statements_failed),
            (40.0, 2, 1)
        );
    }

    #[test]
    fn without_writes_the_answer_comes_after_five_seconds_and_names_no_gap() {
        let (meter, start) = (FeltMeter::default(), Instant::now());
        meter.closed(start);
        meter.released(start + ms(10), Tally::default());
        assert_eq!(meter.answer(start + ms(5_000)), None);
        let felt = meter.answer(start + ms(5_010)).expect("complete");
        assert_eq!(felt.longest_write_gap_ms, None);
    }

    #[test]
    fn a_write_of_long_ago_makes_no_gap() {
        let (meter, start) = (FeltMeter::default(), Instant::now());
        meter.acknowledged(start);
        meter.closed(start + ms(60_000));
        meter.released(start + ms(60_010), Tally::default());
        meter.acknowledged(start + ms(60_020));
        meter.acknowledged(start + ms(60_025));
        let felt = meter.answer(start + ms(61_000)).expect("complete");
        assert_eq!(felt.longest_write_gap_ms, Some(5.0));
    }
}
