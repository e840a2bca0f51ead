//! Fast stop of a server that is started again at once, while clients wait.

use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::time::Instant;

use super::{Error, LOOK_EVERY, wait_gone};
use crate::control_data::ControlData;
use crate::pause::pause;
use crate::process::{self, Process, State};

/// A standby that does not take what it is sent within that time does not listen.
const DEAF_FOR: Duration = Duration::from_secs(1);
/// What is left that long after a shutdown was written down waits for somebody.
const LINGERS_FOR: Duration = Duration::from_millis(300);
const MAY_LINGER: [&str; 3] = ["archiver", "logger", WALSENDER];
const WALSENDER: &str = "walsender";

/// Nobody is waited for who loses nothing by it: a standby that does not take what it is sent, and,
/// once `pg_control` says that the server is shut down, the archiver. Tells whom.
pub(crate) async fn stop_briefly(
    data: &Path,
    server: Process,
    within: Duration,
) -> Result<Vec<String>, Error> {
    let asked = Instant::now();
    server.signal(Signal::SIGINT)?;
    let mut shut_down = None;
    let mut not_waited_for = Vec::new();
    while server.state() != State::Dead && asked.elapsed() < within {
        if shut_down.is_none() && ControlData::read(data)?.state.is_shut_down() {
            shut_down = Some(Instant::now());
        }
        match shut_down {
            // The shutdown checkpoint waits for them.
            None if asked.elapsed() > DEAF_FOR => {
                for child in server.children()? {
                    let kind = kind_of(child);
                    if kind == WALSENDER {
                        child.signal(Signal::SIGTERM)?;
                        not_waited_for.push(kind);
                    }
                }
            }
            Some(since) if since.elapsed() > LINGERS_FOR => {
                let left: Vec<_> = server.children()?.into_iter().map(kind_of).collect();
                let may_go = |kind: &String| MAY_LINGER.contains(&kind.as_str());
                if left.iter().all(may_go) {
                    // All that is to be written has been: the server ends them as it ends itself,
                    // with whatever an archiver has started.
                    server.signal(Signal::SIGQUIT)?;
                    not_waited_for.extend(left);
                }
            }
            _ => {}
        }
        pause(LOOK_EVERY).await;
    }
    not_waited_for.sort();
    not_waited_for.dedup();
    let rest = within.saturating_sub(asked.elapsed());
    wait_gone(vec![server], rest).await?;
    wait_gone(process::all_in(data)?, rest).await?;
    let state = ControlData::read(data)?.state;
    if state.is_shut_down() {
        Ok(not_waited_for)
    } else {
        Err(Error::NotShutDown { state })
    }
}

/// What a process of the server says that it is, such as `walsender`; empty if it does not.
fn kind_of(process: Process) -> String {
    let title = process.title();
    let said = title.strip_prefix("postgres: ").unwrap_or_default();
    let kind = said.split([' ', '\0']).next();
    kind.unwrap_or_default().to_owned()
}
