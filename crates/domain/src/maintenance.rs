//! Maintenances: planned work, its status, when it is done, and how it is carried out.

pub mod method;
mod status;

pub mod freeze;
mod interval;
mod typed;
pub mod window;
mod zone;

pub use freeze::Freeze;
pub use interval::Interval;
pub use status::Status;
pub use window::Window;
pub use zone::Zone;
