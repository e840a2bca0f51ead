//! The hidden standby of a database with high availability: when it stands ready, when it is broken,
//! and how long to wait after one could not be built.

use std::time::Duration;

use crate::instance::{Observation, ProcessState};

/// Further behind it does not qualify: ten segments of WAL, as Heroku has it.
const LAG_BYTES_MAX: u64 = 160 << 20;
/// A server starts, replays and connects again within that; silence for longer is taken for the end.
const SILENT_MAX: Duration = Duration::from_secs(120);
const BACK_OFF_FIRST: Duration = Duration::from_secs(30);
const BACK_OFF_MAX: Duration = Duration::from_secs(3_600);

/// It could take over now.
pub fn stands_ready(primary: &Observation, standby: &Observation) -> bool {
    let (Some(flushed), Some(replayed)) = (primary.flushed_lsn, standby.replayed_lsn) else {
        return false;
    };
    standby.accepts_connections
        && standby.in_recovery == Some(true)
        && standby.streaming == Some(true)
        && standby.timeline == primary.timeline
        && replayed.bytes_behind(flushed) <= LAG_BYTES_MAX
}

/// It has to be built anew. `silent_for` is how long it has not been seen to stream.
pub fn is_broken(standby: &Observation, silent_for: Option<Duration>) -> bool {
    let gone = standby.process == ProcessState::Absent || standby.identity.is_none();
    let strayed = standby.in_recovery == Some(false);
    gone || strayed || silent_for.is_some_and(|silent| silent > SILENT_MAX)
}

/// How long nobody tries again after so many failures in a row.
pub fn back_off(failures: u32) -> Duration {
    match failures {
        0 => Duration::ZERO,
        failures => BACK_OFF_FIRST
            .saturating_mul(1 << (failures - 1).min(16))
            .min(BACK_OFF_MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::InstanceId;
    use crate::instance::{FenceMeans, Identity};
    use crate::lsn::{Lsn, TimelineId};

    fn standby() -> Observation {
        Observation {
            instance: InstanceId(uuid::Uuid::nil()),
            process: ProcessState::Running,
            release: None,
            version: None,
            address: None,
            identity: Some(Identity {
                system_identifier: 1,
                token: String::new(),
            }),
            accepts_connections: true,
            in_recovery: Some(true),
            timeline: Some(TimelineId(1)),
            flushed_lsn: Some(Lsn(1 << 30)),
            replayed_lsn: Some(Lsn(1 << 30)),
            run: None,
            streaming: Some(true),
            backup: None,
            disarmed: false,
            promotion_requested: false,
            fence: FenceMeans::Freeze,
            free_bytes: None,
            replay_held_back: None,
            waiting_settings: None,
        }
    }

    fn primary() -> Observation {
        Observation {
            in_recovery: Some(false),
            replayed_lsn: None,
            streaming: None,
            ..standby()
        }
    }

    #[test]
    fn a_standby_stands_ready_while_it_streams_and_is_close() {
        assert!(stands_ready(&primary(), &standby()));
        for unready in [
            Observation {
                streaming: Some(false),
                ..standby()
            },
            Observation {
                timeline: Some(TimelineId(2)),
                ..standby()
            },
            Observation {
                replayed_lsn: Some(Lsn(1 << 29)),
                ..standby()
            },
            Observation {
                accepts_connections: false,
                ..standby()
            },
            primary(),
        ] {
            assert!(!stands_ready(&primary(), &unready), "{unready:?}");
        }
    }

    #[test]
    fn what_is_gone_strayed_or_long_silent_is_broken() {
        assert!(!is_broken(&standby(), None));
        assert!(!is_broken(&standby(), Some(SILENT_MAX)));
        assert!(is_broken(&standby(), Some(SILENT_MAX * 2)));
        assert!(is_broken(&primary(), None));
        let process = ProcessState::Absent;
        assert!(is_broken(
            &Observation {
                process,
                ..standby()
            },
            None
        ));
        let (process, identity) = (ProcessState::Stopped, None);
        assert!(is_broken(
            &Observation {
                process,
                identity,
                ..standby()
            },
            None
        ));
    }

    #[test]
    fn a_build_that_keeps_failing_is_tried_less_and_less_often_and_never_given_up() {
        let waits: Vec<_> = (0..12).map(back_off).collect();
        assert!(waits.is_sorted(), "{waits:?}");
        assert_eq!(waits[0], Duration::ZERO);
        assert_eq!(waits[1], BACK_OFF_FIRST);
        assert_eq!(back_off(u32::MAX), BACK_OFF_MAX);
    }
}
