//! The command line, as a library: what is asked (`cli`), what is done (`command`), what is shown
//! (`output`), and how it ends (`exit`). Behind it: what the roles share (`config`), and the roles.

pub mod cli;
pub mod command;
pub mod config;
pub mod exit;
pub mod output;
pub mod role;
