//! Which data directory is which: a token of ours in each, and the cluster's own identifier.

use std::io;
use std::path::{Path, PathBuf};

use upkeep_domain::instance::Identity;
use uuid::Uuid;

use crate::command::RunAs;
use crate::control_data::{self, ControlData};
use crate::durable;

/// Lies in the data directory, so that the server itself can say what it reads there.
pub(crate) const TOKEN_FILE: &str = "upkeep_token";

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Control(#[from] control_data::Error),
    #[error("read the token `{}`", path.display())]
    Token { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Write(#[from] durable::Error),
}

/// Gives the data directory a name of its own. A copy brings its source's along: replace it.
pub(crate) fn renew(data: &Path, run_as: Option<&RunAs>) -> Result<(), Error> {
    let token = Uuid::new_v4().to_string();
    Ok(durable::write(
        &data.join(TOKEN_FILE),
        token.as_bytes(),
        0o600,
        run_as,
    )?)
}

pub(crate) fn read(data: &Path) -> Result<Identity, Error> {
    let system_identifier = ControlData::read(data)?.system_identifier;
    let path = data.join(TOKEN_FILE);
    match std::fs::read_to_string(&path) {
        Ok(token) => Ok(Identity {
            system_identifier,
            token: token.trim().to_owned(),
        }),
        Err(source) => Err(Error::Token { path, source }),
    }
}
