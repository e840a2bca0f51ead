//! What people are told, and who is told. All of it is ours. Keys are in alphabetical order.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub created_at: String,
    /// Name of the database; null if it is gone.
    pub database: Option<String>,
    pub deliveries: Vec<Delivery>,
    pub id: i64,
    /// What happened, such as `maintenance_scheduled`.
    pub kind: String,
    /// Null for what is told to nobody, and for a moment until it has its words.
    pub subject: Option<String>,
    /// As mail programs without HTML show it. In lists it is null.
    pub text: Option<String>,
}

/// A notice on its way to one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    pub address: String,
    /// Of what is pending.
    pub next_try_at: Option<String>,
    pub sent_at: Option<String>,
    /// `pending`, `sent` or `failed`.
    pub state: String,
    pub tries: u32,
    /// Why the last try did not succeed.
    pub trouble: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeRecipient {
    pub added_at: String,
    pub added_by: String,
    pub address: String,
    /// Name of the app whose notices it gets; null if it gets those of the whole fleet.
    pub app: Option<String>,
    pub id: i64,
    /// `mail` or `webhook`.
    pub kind: String,
    /// With what calls of a webhook are signed. Told once, when it is added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddRecipient {
    /// A mail address or a URL.
    pub address: String,
    /// By name or id; of the whole fleet when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
}
