//! Whose rights instances run with: PostgreSQL refuses to run as root.

use nix::unistd::{User, geteuid};

/// A user to become before a program starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunAs {
    pub uid: u32,
    pub gid: u32,
}

#[derive(Debug, thiserror::Error)]
pub enum UserRefused {
    #[error("look up the user `{name}`")]
    LookUp {
        name: String,
        source: nix::errno::Errno,
    },
    #[error("there is no user `{name}` on this host; instances need one that is not root")]
    Missing { name: String },
    #[error("the user `{name}` is root, as which PostgreSQL refuses to run")]
    Root { name: String },
    #[error("only root can run instances as the user `{name}`")]
    NotRoot { name: String },
}

const DEFAULT_USER: &str = "postgres";

impl RunAs {
    /// As root: the named user, or `postgres`. Otherwise nobody else: we run as who we are.
    pub fn resolve(user_name: Option<&str>) -> Result<Option<Self>, UserRefused> {
        let us = geteuid();
        let name = match user_name {
            None if !us.is_root() => return Ok(None),
            name => name.unwrap_or(DEFAULT_USER).to_owned(),
        };
        let user = match User::from_name(&name) {
            Ok(Some(user)) => user,
            Ok(None) => return Err(UserRefused::Missing { name }),
            Err(source) => return Err(UserRefused::LookUp { name, source }),
        };
        if user.uid.is_root() {
            return Err(UserRefused::Root { name });
        }
        if user.uid == us {
            return Ok(None);
        }
        if !us.is_root() {
            return Err(UserRefused::NotRoot { name });
        }
        Ok(Some(Self {
            uid: user.uid.as_raw(),
            gid: user.gid.as_raw(),
        }))
    }
}
