//! The typed client: one method for each call that the command line makes.
//!
//! A wish keeps its `Request-Id` when it is sent again after a connection fault, so a repeated POST
//! is answered, not done twice. What an answer means is the caller's.

mod apps;
mod calendars;
mod databases;
mod error;
mod freezes;
mod maintenances;
mod notices;
mod releases;

use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use reqwest::{Method, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::body::ErrorBody;

pub use databases::Provisioned;
pub use error::Error;
pub use notices::NoticesWanted;

const ACCEPT_VERSION: &str = "application/vnd.heroku+json; version=3";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// Between two times of sending a request after a connection fault.
const PAUSE: Duration = Duration::from_millis(200);
/// Where nobody listens, most likely nobody will.
const NOBODY_THERE: Duration = Duration::from_millis(600);
/// A server that goes away over a request is being restarted.
const AWAY: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    /// As the person gave it, for messages.
    shown: String,
    base: Url,
    authorization: HeaderValue,
}

/// One request, before it is sent.
struct Call<'a, B> {
    method: Method,
    path: String,
    body: Option<&'a B>,
    timeout: Duration,
}

/// For calls without a body.
type Nothing = ();

impl Client {
    /// `url` is `http://host:port`, or `unix:/path/of/socket`.
    pub fn new(url: &str, token: &str) -> Result<Self, Error> {
        let bad_url = || Error::BadUrl {
            url: url.to_owned(),
        };
        // Without a proxy: the token goes to the server that was named, and to nobody else.
        let mut http = reqwest::Client::builder()
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT);
        let base = match url.strip_prefix("unix:") {
            Some(path) => {
                http = http.unix_socket(std::path::Path::new(path));
                "http://localhost"
            }
            None => url,
        };
        let base = Url::parse(base).map_err(|_| bad_url())?;
        if base.scheme() != "http" || !base.has_host() {
            return Err(bad_url());
        }
        let mut authorization =
            HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| Error::BadToken)?;
        authorization.set_sensitive(true);
        let http = http.build().map_err(|source| Error::Build { source })?;
        Ok(Self {
            http,
            shown: url.to_owned(),
            base,
            authorization,
        })
    }

    /// As a person gives it to somebody else; none of a server that is reached through a socket of this machine.
    pub fn address_of(&self, path: &str) -> Option<String> {
        let base = self.base.as_str().trim_end_matches('/');
        (!self.shown.starts_with("unix:")).then(|| format!("{base}{path}"))
    }

    async fn get<A: DeserializeOwned>(&self, path: String) -> Result<A, Error> {
        let call = Call::<Nothing> {
            method: Method::GET,
            path,
            body: None,
            timeout: ANSWER_TIMEOUT,
        };
        self.ask(call).await
    }

    async fn send<A: DeserializeOwned, B: Serialize + Sync>(
        &self,
        method: Method,
        path: String,
        body: &B,
    ) -> Result<A, Error> {
        self.ask(Call {
            method,
            path,
            body: Some(body),
            timeout: ANSWER_TIMEOUT,
        })
        .await
    }

    async fn ask<A: DeserializeOwned, B: Serialize + Sync>(
        &self,
        call: Call<'_, B>,
    ) -> Result<A, Error> {
        let what = format!("{} {}", call.method, call.path);
        let (status, text) = self.exchange(&call).await?;
        if status.is_success() {
            return serde_json::from_str(&text).map_err(|source| Error::BadAnswer { what, source });
        }
        match serde_json::from_str::<ErrorBody>(&text) {
            Ok(body) => Err(Error::Refused {
                status: status.as_u16(),
                body,
            }),
            Err(_) if status == StatusCode::NOT_FOUND && text.is_empty() => Err(Error::NotYet),
            Err(_) => Err(Error::Unexplained {
                what,
                status: status.as_u16(),
            }),
        }
    }

    /// Sends, and sends again after a connection fault: the same wish with the same id.
    async fn exchange<B: Serialize + Sync>(
        &self,
        call: &Call<'_, B>,
    ) -> Result<(StatusCode, String), Error> {
        let request_id = Uuid::new_v4();
        let began = Instant::now();
        let mut patience = NOBODY_THERE;
        loop {
            let fault = match self.attempt(call, request_id).await {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            if !fault.is_connect() {
                patience = AWAY;
            }
            if fault.is_timeout() || began.elapsed() >= patience {
                return Err(Error::Unreachable {
                    url: self.shown.clone(),
                    source: fault.without_url(),
                });
            }
            sleep(PAUSE).await;
        }
    }

    async fn attempt<B: Serialize + Sync>(
        &self,
        call: &Call<'_, B>,
        request_id: Uuid,
    ) -> Result<(StatusCode, String), reqwest::Error> {
        let url = format!("{}{}", self.base.as_str().trim_end_matches('/'), call.path);
        let mut request = self
            .http
            .request(call.method.clone(), url)
            .timeout(call.timeout)
            .header(ACCEPT, ACCEPT_VERSION)
            .header(AUTHORIZATION, self.authorization.clone())
            .header(crate::REQUEST_ID, request_id.to_string());
        if let Some(body) = call.body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        Ok((answer.status(), answer.text().await?))
    }
}
