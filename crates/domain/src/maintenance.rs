//! Maintenances: planned work, its status, why and when it is done, and how it is carried out.

pub mod due;
pub mod forecast;
pub mod method;
pub mod policy;
pub mod reason;
pub mod requirement;
mod status;

pub mod freeze;
mod interval;
pub mod outlook;
pub mod planning;
pub mod schedule;
pub mod standing;
pub mod turn;
mod typed;
pub mod window;
mod zone;

pub use due::{Due, Found};
pub use forecast::Forecast;
pub use freeze::Freeze;
pub use interval::Interval;
pub use outlook::Outlook;
pub use policy::Policy;
pub use reason::Reason;
pub use requirement::Requirement;
pub use status::Status;
pub use window::Window;
pub use zone::Zone;
