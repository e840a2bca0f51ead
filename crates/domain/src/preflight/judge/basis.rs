//! Whether there is a primary, a release to go to, and room for it.

use super::{Situation, Word, blocked, pass, warning};
use crate::instance::ProcessState;
use crate::preflight::Facts;
use crate::release::{knowledge, upgrade_allowed};

pub(super) fn primary(situation: &Situation<'_>) -> Word {
    let seen = situation.primary;
    if seen.process == ProcessState::Running && seen.in_recovery == Some(false) {
        return pass("the server runs and is a primary");
    }
    blocked(
        "the database's own server does not run as a primary",
        "see `upkeep pg:info`, and the log of its instance",
    )
}

pub(super) fn release(situation: &Situation<'_>) -> Word {
    let name = situation.release_after;
    let Some(target) = situation.target else {
        return blocked(
            format!("the release `{name}` is not in the store any more"),
            "add it with upkeep releases:add, or name another one with --release",
        );
    };
    if let Some((present, target)) = situation.versions()
        && let Err(error) = upgrade_allowed(present, target)
    {
        return blocked(error.to_string(), "name another one with --release");
    }
    if let Some(because) = knowledge::withdrawn(target.version) {
        return blocked(
            format!("{} is not to be used: {because}", target.version),
            format!(
                "choose another one; see {}",
                knowledge::notes(target.version)
            ),
        );
    }
    let before = situation.release_before;
    if before == name {
        return pass(format!("`{name}` is at hand"));
    }
    pass(format!("`{name}` is at hand and may follow `{before}`"))
}

/// A package may have been upgraded under the running server.
pub(super) fn binary(situation: &Situation<'_>, facts: &Facts) -> Option<Word> {
    let (running, recorded) = (facts.running?, situation.present?.version);
    if running == recorded {
        return Some(pass(format!("the server runs {running}, as recorded")));
    }
    Some(warning(
        format!("the server runs {running}, but its release is recorded as {recorded}"),
        "its files were replaced under it; remove that release and add it again",
    ))
}

pub(super) fn room(situation: &Situation<'_>) -> Option<Word> {
    let room = situation.room?;
    let (free, needed) = (room.available_bytes >> 20, room.needed_bytes >> 20);
    if room.available_bytes < room.needed_bytes {
        return Some(blocked(
            format!("not enough room on the host: {free} MB are free, {needed} MB are needed"),
            "make room on the host's file system",
        ));
    }
    Some(pass(format!("{free} MB are free, {needed} MB are needed")))
}
