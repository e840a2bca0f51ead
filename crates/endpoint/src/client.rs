//! The other end of the control socket: `domain::ports::Traffic` for whoever drives an endpoint.
//!
//! It retries nothing. Without an answer the outcome is unknown, and it says so.

use std::time::Duration;

use async_trait::async_trait;
use camino::Utf8Path;
use serde::de::DeserializeOwned;
use upkeep_domain::error_chain::ErrorChain;
use upkeep_domain::hold::{Felt, GateState, HoldLimits, HoldReply, Prepared, ReleaseOnto};
use upkeep_domain::host_command::Fence;
use upkeep_domain::ports::{Traffic, TrafficError};
use upkeep_domain::route::{Route, Target};

use crate::calls::{
    AskFelt, AskStatus, Call, Forget, Hold, Prepare, ReadSessions, Release, Renew, Seal, SetRoute,
};
use crate::status::DatabaseStatus;

/// Above the longest a call takes by itself: a barrier and the logins behind it.
const PATIENCE: Duration = Duration::from_secs(15);

/// An endpoint at the other end of a unix socket.
#[derive(Clone, Debug)]
pub struct EndpointClient {
    http: reqwest::Client,
}

/// The control client could not be built.
#[derive(Debug, thiserror::Error)]
#[error("building a client for the control socket `{socket}`")]
pub struct ClientError {
    socket: String,
    #[source]
    source: reqwest::Error,
}

impl EndpointClient {
    pub fn new(socket: impl AsRef<Utf8Path>) -> Result<Self, ClientError> {
        let socket = socket.as_ref();
        let http = reqwest::Client::builder()
            .unix_socket(socket.as_std_path())
            .build();
        let http = http.map_err(|source| ClientError {
            socket: socket.to_string(),
            source,
        })?;
        Ok(Self { http })
    }

    /// Every database, as the endpoint sees it now.
    pub async fn status(&self) -> Result<Vec<DatabaseStatus>, TrafficError> {
        self.call(&AskStatus {}, PATIENCE).await
    }

    async fn call<C: Call, T: DeserializeOwned>(
        &self,
        call: &C,
        patience: Duration,
    ) -> Result<T, TrafficError> {
        let unknown = |error: reqwest::Error| TrafficError::Unknown {
            sentence: ErrorChain(&error).to_string(),
        };
        let url = format!("http://endpoint{}", C::PATH);
        let sent = self.http.post(url).json(call).timeout(patience).send();
        let reply = sent.await.and_then(reqwest::Response::error_for_status);
        reply.map_err(unknown)?.json().await.map_err(unknown)?
    }
}

#[async_trait]
impl Traffic for EndpointClient {
    async fn route(&self, route: &Route) -> Result<(), TrafficError> {
        let route = route.clone();
        self.call(&SetRoute { route }, PATIENCE).await
    }

    async fn forget(&self, dbname: &str, fence: Fence) -> Result<(), TrafficError> {
        let dbname = dbname.to_owned();
        self.call(&Forget { dbname, fence }, PATIENCE).await
    }

    async fn prepare(
        &self,
        dbname: &str,
        fence: Fence,
        replacement: &Target,
    ) -> Result<Prepared, TrafficError> {
        let call = Prepare {
            dbname: dbname.to_owned(),
            fence,
            replacement: replacement.clone(),
        };
        self.call(&call, PATIENCE * 4).await
    }

    async fn read_sessions(&self, dbname: &str) -> Result<Prepared, TrafficError> {
        let dbname = dbname.to_owned();
        self.call(&ReadSessions { dbname }, PATIENCE * 4).await
    }

    async fn hold(
        &self,
        dbname: &str,
        fence: Fence,
        limits: &HoldLimits,
    ) -> Result<HoldReply, TrafficError> {
        let call = Hold {
            dbname: dbname.to_owned(),
            fence,
            limits: limits.clone(),
        };
        let drain = Duration::from_millis(limits.drain_ms);
        self.call(&call, PATIENCE + drain).await
    }

    async fn renew(&self, dbname: &str, fence: Fence) -> Result<GateState, TrafficError> {
        let dbname = dbname.to_owned();
        self.call(&Renew { dbname, fence }, PATIENCE).await
    }

    async fn seal(&self, dbname: &str, fence: Fence) -> Result<(), TrafficError> {
        let dbname = dbname.to_owned();
        self.call(&Seal { dbname, fence }, PATIENCE).await
    }

    async fn release(
        &self,
        dbname: &str,
        fence: Fence,
        onto: &ReleaseOnto,
    ) -> Result<(), TrafficError> {
        let call = Release {
            dbname: dbname.to_owned(),
            fence,
            onto: onto.clone(),
        };
        self.call(&call, PATIENCE).await
    }

    async fn felt(&self, dbname: &str) -> Result<Option<Felt>, TrafficError> {
        let dbname = dbname.to_owned();
        self.call(&AskFelt { dbname }, PATIENCE).await
    }
}
