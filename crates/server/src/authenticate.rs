//! Lets in who has a token. Accepts it as Heroku's clients send it: Bearer, or as Basic's password.
//!
//! A token is looked up by its hash, so the time of the look-up says nothing about the token.

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use crate::reply::{self, Refused};
use crate::router::Services;

pub(crate) async fn authenticate(
    State(services): State<Services>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(token) = token(request.headers()) else {
        return reply::unauthorized();
    };
    match services
        .backend
        .authenticate(Sha256::digest(token).into())
        .await
    {
        Ok(Some(account)) => {
            request.extensions_mut().insert(account);
            next.run(request).await
        }
        Ok(None) => reply::unauthorized(),
        Err(refusal) => Refused::from(refusal).into_response(),
    }
}

fn token(headers: &HeaderMap) -> Option<Vec<u8>> {
    let (scheme, value) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = match scheme.to_ascii_lowercase().as_str() {
        "bearer" => value.trim().as_bytes().to_vec(),
        "basic" => {
            let pair = BASE64_STANDARD.decode(value.trim()).ok()?;
            let colon = pair.iter().position(|&byte| byte == b':')?;
            pair[colon + 1..].to_vec()
        }
        _ => return None,
    };
    (!token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token_of(value: &'static str) -> Option<Vec<u8>> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value.parse().unwrap());
        token(&headers)
    }

    #[test]
    fn both_ways_of_sending_a_token_are_understood() {
        assert_eq!(token_of("Bearer abc"), Some(b"abc".to_vec()));
        assert_eq!(token_of("Basic OmFiYw=="), Some(b"abc".to_vec()));
    }

    #[test]
    fn what_is_no_token_is_none() {
        for value in ["Bearer", "Bearer ", "Basic ???", "Basic YWJj", "Digest abc"] {
            assert_eq!(token_of(value), None, "{value}");
        }
    }
}
