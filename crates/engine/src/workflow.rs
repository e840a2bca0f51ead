//! Running procedures: claim, visit a step, commit, go on.

mod decide;
mod drive;
mod run;

pub(crate) use drive::drive;
pub(crate) use run::{Done, Failure, Run, Visit, unexpected};
