//! Durations and sizes as people read them.

/// `0.42 ms`, `41.2 ms`, `4.2 s`, `3 min 20 s`.
pub(super) fn millis(ms: f64) -> String {
    if ms < 1.0 {
        format!("{ms:.2} ms")
    } else if ms < 1_000.0 {
        format!("{ms:.1} ms")
    } else if ms < 60_000.0 {
        format!("{:.1} s", ms / 1_000.0)
    } else {
        let seconds = (ms / 1_000.0).round() as u64;
        format!("{} min {} s", seconds / 60, seconds % 60)
    }
}

const UNITS: [&str; 5] = ["bytes", "kB", "MB", "GB", "TB"];

pub(super) fn bytes(count: u64) -> String {
    let mut amount = count as f64;
    let mut unit = 0;
    while amount >= 1024.0 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{count} {}", UNITS[0])
    } else {
        format!("{amount:.1} {}", UNITS[unit])
    }
}
