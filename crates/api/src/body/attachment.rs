//! Attachments: the names under which an app has a database.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AppRef, Named};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    pub addon: AddonRef,
    pub app: AppRef,
    pub config_vars: Vec<String>,
    pub id: Uuid,
    pub name: String,
    pub namespace: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddonRef {
    pub app: AppRef,
    pub config_vars: Vec<String>,
    pub id: Uuid,
    pub name: String,
    pub plan: Named,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolveAttachment {
    pub addon_attachment: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
}
