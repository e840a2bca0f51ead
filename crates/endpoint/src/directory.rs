//! Databases by name.
use crate::config::EndpointConfig;
use crate::routes::{Entry, RouteBook, RouteBookError};
use crate::status::DatabaseStatus;
use async_trait::async_trait;
use std::sync::Arc;
use upkeep_domain::hold::{Felt, GateState, HoldLimits, HoldReply, Prepared, ReleaseOnto};
use upkeep_domain::host_command::Fence;
use upkeep_domain::ports::{Traffic, TrafficError};
use upkeep_domain::route::{Route, Target};

pub(crate) struct Directory {
    book: RouteBook,
}
impl Directory {
    pub(crate) async fn open(config: EndpointConfig) -> Result<Arc<Self>, RouteBookError> {
        let (book, _known) = RouteBook::open(&config.state_dir).await?;
        Ok(Arc::new(Self { book }))
    }
    pub(crate) fn status(&self) -> Vec<DatabaseStatus> {
        Vec::new()
    }
}
fn unknown<T>(dbname: &str) -> Result<T, TrafficError> {
    Err(TrafficError::UnknownDatabase {
        dbname: dbname.to_owned(),
    })
}
#[async_trait]
impl Traffic for Directory {
    async fn route(&self, route: &Route) -> Result<(), TrafficError> {
        let entry = Entry {
            route: route.clone(),
            fence: route.fence,
            sealed_ms: None,
        };
        self.book
            .put(entry)
            .await
            .map_err(|e| TrafficError::Failed {
                sentence: e.to_string(),
            })
    }
    async fn forget(&self, dbname: &str, _: Fence) -> Result<(), TrafficError> {
        self.book
            .remove(dbname)
            .await
            .map_err(|e| TrafficError::Failed {
                sentence: e.to_string(),
            })
    }
    async fn prepare(&self, dbname: &str, _: Fence, _: &Target) -> Result<Prepared, TrafficError> {
        unknown(dbname)
    }
    async fn hold(
        &self,
        dbname: &str,
        _: Fence,
        _: &HoldLimits,
    ) -> Result<HoldReply, TrafficError> {
        unknown(dbname)
    }
    async fn renew(&self, dbname: &str, _: Fence) -> Result<GateState, TrafficError> {
        unknown(dbname)
    }
    async fn seal(&self, dbname: &str, _: Fence) -> Result<(), TrafficError> {
        unknown(dbname)
    }
    async fn release(&self, dbname: &str, _: Fence, _: &ReleaseOnto) -> Result<(), TrafficError> {
        unknown(dbname)
    }
    async fn felt(&self, dbname: &str) -> Result<Option<Felt>, TrafficError> {
        unknown(dbname)
    }
}
