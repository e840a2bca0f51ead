//! Databases as Heroku's platform API shows them: add-ons of a service, on a plan with a price.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::AppRef;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addon {
    pub addon_service: AddonService,
    pub app: AppRef,
    pub billed_price: Price,
    pub config_vars: Vec<String>,
    pub created_at: String,
    pub id: Uuid,
    pub name: String,
    pub plan: PricedPlan,
    pub provision_message: Option<String>,
    /// `provisioning`, `provisioned`, `deprovisioning` or `deprovisioned`.
    pub state: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddonService {
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedPlan {
    pub name: String,
    pub price: Price,
}

/// Always nothing: it is the operator's own server. Without it the client prints NaN.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    pub cents: u32,
    pub contract: bool,
    pub metered: bool,
    pub unit: String,
}

impl Price {
    pub fn none() -> Self {
        Self {
            cents: 0,
            contract: false,
            metered: false,
            unit: "month".to_owned(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateAddon {
    /// Under which name the app is to have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachment: Option<NamedAttachment>,
    /// What stands behind `--` on the command line. Ours: `release`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub config: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub plan: PlanName,
}

/// Heroku's client leaves the name out when there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedAttachment {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Heroku's client says a plan in two ways.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PlanName {
    Object { name: String },
    Text(String),
}

impl PlanName {
    pub fn as_str(&self) -> &str {
        match self {
            Self::Object { name } | Self::Text(name) => name,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolveAddon {
    pub addon: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
}

/// What [`CreateAddon`] asks for, in our words: filled by our own command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    pub plan: String,
    pub name: Option<String>,
    /// Name of its attachment.
    pub attach_as: Option<String>,
    pub release: Option<String>,
    /// The database that it is to follow, in any words that resolve.
    pub follow: Option<String>,
}

impl From<Wish> for CreateAddon {
    fn from(wish: Wish) -> Self {
        let mut config = Map::new();
        let said = [("release", wish.release), ("follow", wish.follow)];
        for (key, value) in said {
            if let Some(value) = value {
                config.insert(key.to_owned(), Value::String(value));
            }
        }
        let attachment = wish
            .attach_as
            .map(|name| NamedAttachment { name: Some(name) });
        Self {
            attachment,
            config,
            name: wish.name,
            plan: PlanName::Object { name: wish.plan },
        }
    }
}
