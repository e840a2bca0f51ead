//! Whether followers can go on behind the server that the primary becomes.

use super::{Situation, Word, blocked, fit, pass, warning};
use crate::preflight::{Facts, Floor, FollowerFacts};

/// A standby stops replaying at the record that says that its primary has more than itself.
///
/// <https://www.postgresql.org/docs/current/hot-standby.html#HOT-STANDBY-ADMIN>
pub(super) fn word(situation: &Situation<'_>, facts: &Facts) -> Option<Word> {
    let followers = situation.followers;
    if followers.is_empty() {
        return None;
    }
    let lower: Vec<String> = followers
        .iter()
        .flat_map(|follower| lower_than_next(situation, facts, follower))
        .collect();
    if !lower.is_empty() {
        return Some(blocked(
            format!("followers would stop replaying: {}", lower.join(", ")),
            "run `upkeep data:maintenances:run FOLLOWER --method changeover` for each first: its replacement starts with what waits for a restart",
        ));
    }
    let late = followers.iter().filter(|follower| follower.delay_ms > 0);
    let late: Vec<String> = late.map(|f| format!("`{}`", f.name)).collect();
    // After a restart they find the same server again.
    if situation.way.promotes && !late.is_empty() {
        return Some(blocked(
            format!("followers replay late on purpose: {}", late.join(", ")),
            "such a follower does not stream from another server before it has replayed what it has: set recovery_min_apply_delay to 0 on it for the time of the maintenance; if this is waived, it is replaced by a copy that replays at once",
        ));
    }
    let older: Vec<String> = followers
        .iter()
        .filter_map(|follower| is_older(situation, follower))
        .collect();
    if older.is_empty() {
        let names: Vec<&str> = followers.iter().map(|f| f.name.as_str()).collect();
        return Some(pass(format!(
            "followers can follow on: {}",
            names.join(", ")
        )));
    }
    Some(warning(
        format!(
            "followers would run an older minor release than their leader: {}",
            older.join(", ")
        ),
        "PostgreSQL wants standbys to be updated first: maintain them before, or soon after",
    ))
}

fn lower_than_next<'a>(
    situation: &'a Situation<'_>,
    facts: &'a Facts,
    follower: &'a FollowerFacts,
) -> impl Iterator<Item = String> + 'a {
    facts.floors.iter().filter_map(move |floor| {
        let (next, has) = (next(situation, floor), *follower.floors.get(&floor.name)?);
        let (who, what) = (&follower.name, &floor.name);
        (has < next).then(|| format!("`{who}` has {what} {has}, and its leader would have {next}"))
    })
}

/// With what the server runs that the primary becomes.
fn next(situation: &Situation<'_>, floor: &Floor) -> i64 {
    if situation.way.promotes {
        fit::on_the_copy(floor, i64::from(situation.settings.max_connections))
    } else {
        floor.on_file.unwrap_or(floor.running)
    }
}

fn is_older(situation: &Situation<'_>, follower: &FollowerFacts) -> Option<String> {
    let (running, target) = (follower.running?, situation.target?.version);
    (running.major == target.major && running < target)
        .then(|| format!("`{}` ({running})", follower.name))
}
