//! Calendars (RFC 5545): freezes that come out of one, and maintenances that go into one.

mod feed;
mod import;

pub(crate) use feed::feed;
pub(crate) use import::{Imported, LeftOut, import};
