//! What several procedures do in the same way.

mod activity;
mod clients;
mod copy;
mod family;
mod followers;
mod patch;
mod preflight;
mod readers;
mod switch;
mod window;

pub(crate) use activity::{activity, wait_for_long_transactions};
pub(crate) use clients::{hold, let_everybody_go, prepare, seal, with_felt};
pub(crate) use copy::{Copy, CopyFor};
pub(crate) use family::serving;
pub(crate) use followers::Followers;
pub(crate) use patch::patch_standby;
pub(crate) use preflight::{Patiently, preflight};
pub(crate) use readers::overtake;
pub(crate) use switch::Switch;
pub(crate) use window::await_window;
