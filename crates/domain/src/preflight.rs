//! Preflight: what stands in the way of a maintenance, as a report that people read.
//!
//! Pure judging: facts in, report out. The facts are gathered by queries that change nothing
//! ([`Facts`] by the agent, the rest by whoever asks); what a verdict leads to is the engine's. A
//! check that does not apply is not in the report.

mod check;
mod facts;
mod judge;
mod report;
mod waiver;

pub use check::Check;
pub use facts::{
    Archiving, Collation, ColumnOption, Facts, Finding, Floor, FollowerFacts, Found, Icu, List,
    OpenTransaction, PreparedTransaction, Slot,
};
pub use judge::{Room, Situation, Way, judge};
pub use report::{Action, Judged, Report, Run, Verdict};
pub use waiver::{Waiver, grant};
