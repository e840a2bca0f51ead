//! One session at a server, logged in: what a client's bytes go to, and what is probed and rebuilt.
//!
//! Never waited on when it is left: its process may be frozen, so it is only dropped.

mod dial;
mod exchange;

pub(crate) use dial::{DialError, dial};
pub(crate) use exchange::{Exchange, ExchangeError};

use upkeep_wire::message::BackendKey;

use crate::link::Link;

/// A session at a server. While nothing is being forwarded, [`Backend::exchange`] talks to it.
pub(crate) struct Backend {
    pub(crate) link: Link,
    /// The server's own key for this session; clients never see its secret.
    pub(crate) key: BackendKey,
    pub(crate) params: Params,
    /// What the server sent during login besides (notices), for a client that has just come.
    pub(crate) greeting: Vec<u8>,
}

/// The last reported value of each parameter, in the order of their first report.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub(crate) struct Params(Vec<(Vec<u8>, Vec<u8>)>);

impl Params {
    pub(crate) fn note(&mut self, name: &[u8], value: &[u8]) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => value.clone_into(known),
            None => self.0.push((name.to_owned(), value.to_owned())),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let pairs = self.0.iter();
        pairs.map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    /// What somebody who saw `before` must be told to know these.
    pub(crate) fn changed_since<'a>(
        &'a self,
        before: &'a Self,
    ) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.iter()
            .filter(|pair| !before.iter().any(|known| known == *pair))
    }
}
