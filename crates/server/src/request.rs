//! Reading requests: bodies, numbers in queries, paging wishes. Leniently, as the clients need it.

use std::collections::BTreeMap;
use std::convert::Infallible;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::response::Response;
use serde::de::DeserializeOwned;
use upkeep_domain::refusal::Refusal;
use uuid::Uuid;

use crate::reply;

/// Names the wish. Clients that send it again send the same id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestId(pub(crate) Uuid);

/// What else the client's present command has been told: `Request-Id` goes on with the ids of its
/// earlier requests and of the answers to them.
#[derive(Clone, Debug, Default)]
pub(crate) struct ToldBefore(pub(crate) Vec<Uuid>);

/// An id to be told with the answer, behind the request's own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AlsoTold(pub(crate) Uuid);

/// Of what is known by a number; `list` is the command that shows them.
pub(crate) fn numbered(id: &str, what: &str, list: &str) -> Result<i64, Refusal> {
    id.parse().map_err(|_| {
        Refusal::not_found(format!("{what} is named by its number"))
            .with_hint(format!("`{list}` lists them"))
    })
}

/// A JSON body, whatever its content type says. None at all is an empty object.
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|_| reply::too_large())?;
        let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(bytes)
            .map(Self)
            .map_err(|error| reply::malformed(&error.to_string()))
    }
}

/// The query, as text by name.
pub(crate) struct Params(BTreeMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let query = Query::from_request_parts(parts, state).await;
        query
            .map(|Query(map)| Self(map))
            .map_err(|_| reply::malformed("the query"))
    }
}

impl Params {
    /// A whole number, or `default` if it is not said.
    pub(crate) fn number(&self, name: &str, default: i64) -> Result<i64, Refusal> {
        let Some(text) = self.0.get(name) else {
            return Ok(default);
        };
        text.parse().map_err(|_| {
            Refusal::invalid(format!(
                "`{name}` has to be a whole number, not `{}`",
                text.escape_default()
            ))
        })
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

/// `Range: version ..; max=5, order=desc`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Paging {
    pub(crate) max: Option<usize>,
    pub(crate) descending: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let range = parts
            .headers
            .get("range")
            .and_then(|value| value.to_str().ok());
        Ok(range.map(Self::read).unwrap_or_default())
    }
}

impl Paging {
    fn read(range: &str) -> Self {
        let mut paging = Self::default();
        for wish in range.split([';', ',']).map(str::trim) {
            match wish.split_once('=') {
                Some(("max", number)) => paging.max = number.parse().ok(),
                Some(("order", order)) => paging.descending = order == "desc",
                _ => {}
            }
        }
        paging
    }

    /// Of a list that stands newest first.
    pub(crate) fn of<T>(&self, mut newest_first: Vec<T>) -> Vec<T> {
        if !self.descending {
            newest_first.reverse();
        }
        newest_first.truncate(self.max.unwrap_or(usize::MAX).max(1));
        newest_first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paging_is_read_in_either_order_of_its_words() {
        let wanted = Paging {
            max: Some(1),
            descending: true,
        };
        assert_eq!(Paging::read("version ..; order=desc,max=1"), wanted);
        assert_eq!(Paging::read("version ..; max=1, order=desc"), wanted);
        assert_eq!(Paging::read("nonsense"), Paging::default());
    }

    #[test]
    fn the_newest_comes_first_only_if_asked_for() {
        let wanted = Paging {
            max: Some(1),
            descending: true,
        };
        assert_eq!(wanted.of(vec![3, 2, 1]), [3]);
        assert_eq!(Paging::default().of(vec![3, 2, 1]), [1, 2, 3]);
    }
}
