//! `policy`: how soon what is due has to be done.

use serde_json::json;
use upkeep_domain::maintenance::policy::DEFAULTS;

use crate::exit::Exit;
use crate::output::Output;

/// The built-in one as it may be copied and changed; no server is asked for it.
pub(super) fn defaults(out: &mut Output) -> Exit {
    out.result(&json!({ "policy": DEFAULTS }), |_| {
        DEFAULTS.trim_end().to_owned()
    });
    Exit::Done
}
