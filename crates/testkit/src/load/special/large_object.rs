//! Large objects: written, read back, and removed.

use std::time::Duration;

use super::{Broken, State};
use crate::load::run::Run;
use crate::load::session::Session;

const BYTES: usize = 10_000;
const WRITE: &str = "SELECT lo_from_bytea(0, $1)";
const READ: &str = "SELECT lo_get($1)";
const REMOVE: &str = "SELECT lo_unlink($1)";

pub(super) struct LargeObject;

impl State for LargeObject {
    const NAME: &str = "large object";
    const EVERY: Duration = Duration::from_millis(200);

    async fn set_up(&mut self, _run: &Run, _session: &mut Session) -> Result<(), Broken> {
        Ok(())
    }

    async fn look(&mut self, run: &Run, session: &mut Session) -> Result<(), Broken> {
        let written: Vec<u8> = (0..BYTES).map(|_| rand::random()).collect();
        let oid: u32 = run
            .ask_for(session, "write a large object", WRITE, &[&written])
            .await?;
        let read: Vec<u8> = run
            .ask_for(session, "read a large object", READ, &[&oid])
            .await?;
        let _: i32 = run
            .ask_for(session, "remove a large object", REMOVE, &[&oid])
            .await?;
        if read == written {
            return Ok(());
        }
        Err(Broken::Changed(format!(
            "large object {oid} came back different"
        )))
    }
}
