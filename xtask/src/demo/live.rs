//! The live view of a changeover under load, on stderr: one line drawn anew on a terminal, a line
//! for each change elsewhere.

use std::collections::VecDeque;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use upkeep_testkit::load::{Load, Snapshot};
use upkeep_testkit::up::Running;

use crate::figures::{count, millis};
use crate::timeline::Timeline;

const DRAW_EVERY: Duration = Duration::from_millis(100);
/// "Now" is the last second.
const RATE_OVER_MS: u64 = 1_000;
const STEP_CHARS: usize = 60;

/// Shows what happens until the command has said everything.
pub(super) async fn show(load: &Load, running: &mut Running) -> Timeline {
    let mut timeline = Timeline::default();
    let mut view = View {
        terminal: std::io::stderr().is_terminal(),
        began_ms: load.snapshot().elapsed_ms,
        step: "asking for the maintenance".to_owned(),
        past: VecDeque::new(),
    };
    let mut ticks = interval(DRAW_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            line = running.heard() => match line {
                Some(line) => {
                    let now = load.snapshot();
                    timeline.heard(&line, now.elapsed_ms);
                    view.heard(&line, &now);
                }
                None => break,
            },
            _ = ticks.tick() => view.tick(load.snapshot()),
        }
    }
    if view.terminal {
        eprintln!();
    }
    timeline.ended(load.snapshot().elapsed_ms);
    timeline
}

struct View {
    terminal: bool,
    began_ms: u64,
    step: String,
    /// Moments of the last second, with the transactions until then.
    past: VecDeque<(u64, u64)>,
}

impl View {
    /// The command's own talk says what it is doing.
    fn heard(&mut self, line: &str, now: &Snapshot) {
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.is_empty() || line == self.step {
            return;
        }
        self.step = line;
        if !self.terminal {
            eprintln!("{}", self.line(now));
        }
    }

    fn tick(&mut self, now: Snapshot) {
        self.past.push_back((now.elapsed_ms, now.transactions));
        while self
            .past
            .front()
            .is_some_and(|(ms, _)| ms + RATE_OVER_MS < now.elapsed_ms)
        {
            self.past.pop_front();
        }
        if self.terminal {
            eprint!("\r\x1b[K{}", self.line(&now));
            // Nothing is lost if the terminal has gone.
            let _ = std::io::stderr().flush();
        }
    }

    fn line(&self, now: &Snapshot) -> String {
        let seconds = now.elapsed_ms.saturating_sub(self.began_ms) as f64 / 1_000.0;
        let step: String = self.step.chars().take(STEP_CHARS).collect();
        let trouble = now.statements_failed + now.connections_dropped;
        format!(
            "{seconds:5.1} s  {:>5} tps  {:>8} commits  gap {:>7}  trouble {trouble}  {step}",
            self.tps(now),
            count(now.commits_acknowledged),
            millis(now.longest_write_gap_ms.max(now.current_write_gap_ms)),
        )
    }

    fn tps(&self, now: &Snapshot) -> u64 {
        let Some((ms, transactions)) = self.past.front() else {
            return 0;
        };
        let over_ms = now.elapsed_ms.saturating_sub(*ms).max(1);
        now.transactions.saturating_sub(*transactions) * 1_000 / over_ms
    }
}
