//! Calls about what databases are made of: plans and PostgreSQL releases.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::{Call, Client, Error, Nothing};
use crate::body::{AddRelease, Plan, Release};
use crate::paths;

/// A release may be downloaded, unpacked and tried out before the answer comes.
const ADD_TIMEOUT: Duration = Duration::from_secs(600);
const REMOVE_TIMEOUT: Duration = Duration::from_secs(60);

impl Client {
    pub async fn plans(&self, service: &str) -> Result<Vec<Plan>, Error> {
        self.get(paths::fill(paths::PLANS, &[service])).await
    }

    pub async fn releases(&self) -> Result<Vec<Release>, Error> {
        self.get(paths::RELEASES.to_owned()).await
    }

    pub async fn release(&self, name: &str) -> Result<Release, Error> {
        self.get(paths::fill(paths::RELEASE, &[name])).await
    }

    pub async fn add_release(&self, wish: &AddRelease) -> Result<Release, Error> {
        let path = paths::RELEASES.to_owned();
        self.ask(Call {
            method: Method::POST,
            path,
            body: Some(wish),
            timeout: ADD_TIMEOUT,
        })
        .await
    }

    pub async fn remove_release(&self, name: &str) -> Result<(), Error> {
        let path = paths::fill(paths::RELEASE, &[name]);
        let call = Call::<Nothing> {
            method: Method::DELETE,
            path,
            body: None,
            timeout: REMOVE_TIMEOUT,
        };
        self.ask::<Value, _>(call).await.map(drop)
    }
}
