//! What several procedures do in the same way.

mod activity;
mod switch;

pub(crate) use activity::{activity, refuse_losses};
pub(crate) use switch::Switch;
