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
pub struct CreateAttachment {
    pub addon: Reference,
    pub app: Reference,
    /// The app's name, when what has the name of the attachment may give way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Which credential of the add-on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// By name or id, bare or in an object: clients say it in all these ways.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Reference {
    Name { name: String },
    Id { id: String },
    Text(String),
}

impl Reference {
    pub fn as_str(&self) -> &str {
        match self {
            Self::Name { name: text } | Self::Id { id: text } | Self::Text(text) => text,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolveAttachment {
    pub addon_attachment: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
}
