//! Plans of databases: Heroku's words first, then what stands behind them here.

use serde::{Deserialize, Serialize};

use super::Price;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub connections: u32,
    pub description: String,
    pub disk_gb: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_cache_size_mb: Option<u32>,
    pub followers: bool,
    pub high_availability: bool,
    pub human_name: String,
    /// With the service: `heroku-postgresql:standard-0`.
    pub name: String,
    pub price: Price,
    pub shared_buffers_mb: u32,
    pub window: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_mem_mb: Option<u32>,
}
