//! Every path of the API, once, as templates: the server routes them, the client fills them.

use std::fmt::Write;

pub const ACCOUNT: &str = "/account";
pub const APPS: &str = "/apps";
/// The same list, as `heroku apps` asks for it.
pub const OWN_APPS: &str = "/users/~/apps";
pub const APP: &str = "/apps/{app}";
pub const CONFIG_VARS: &str = "/apps/{app}/config-vars";
pub const APP_RELEASES: &str = "/apps/{app}/releases";
pub const APP_RELEASE: &str = "/apps/{app}/releases/{release}";
pub const FORMATION: &str = "/apps/{app}/formation";
pub const DYNOS: &str = "/apps/{app}/dynos";
pub const COLLABORATORS: &str = "/apps/{app}/collaborators";
pub const APP_ADDONS: &str = "/apps/{app}/addons";
pub const APP_ADDON: &str = "/apps/{app}/addons/{addon}";
pub const APP_ATTACHMENTS: &str = "/apps/{app}/addon-attachments";
pub const APP_ATTACHMENT: &str = "/apps/{app}/addon-attachments/{attachment}";
/// As `heroku addons:plans` asks for them.
pub const PLANS: &str = "/addon-services/{service}/plans";
pub const ADDONS: &str = "/addons";
pub const ADDON: &str = "/addons/{addon}";
pub const ADDON_ATTACHMENTS: &str = "/addons/{addon}/addon-attachments";
pub const ATTACHMENTS: &str = "/addon-attachments";
pub const ATTACHMENT: &str = "/addon-attachments/{attachment}";
pub const RESOLVE_ADDON: &str = "/actions/addons/resolve";
pub const RESOLVE_ATTACHMENT: &str = "/actions/addon-attachments/resolve";

pub const APP_MAINTENANCES: &str = "/data/maintenances/v1/apps/{app}";
pub const MAINTENANCE: &str = "/data/maintenances/v1/{database}";
/// With the slash that Heroku's client sends before the question mark.
pub const HISTORY: &str = "/data/maintenances/v1/{database}/history/";
pub const HISTORY_BARE: &str = "/data/maintenances/v1/{database}/history";
pub const RUN: &str = "/data/maintenances/v1/{database}/run";
pub const SCHEDULE: &str = "/data/maintenances/v1/{database}/schedule";
pub const WINDOW: &str = "/data/maintenances/v1/{database}/window";
pub const DATABASE: &str = "/client/v11/databases/{database}";
pub const UNFOLLOW: &str = "/client/v11/databases/{database}/unfollow";
pub const WAIT_STATUS: &str = "/client/v11/databases/{database}/wait_status";

pub const CALENDARS: &str = "/upkeep/v1/calendars";
pub const CALENDAR: &str = "/upkeep/v1/calendars/{calendar}";
/// For whoever has the token, without any other.
pub const CALENDAR_FEED: &str = "/upkeep/v1/calendars/{token}/feed.ics";
pub const EVENTS: &str = "/upkeep/v1/databases/{database}/events";
pub const PREFLIGHT: &str = "/upkeep/v1/databases/{database}/preflight";
pub const PREFLIGHTS: &str = "/upkeep/v1/databases/{database}/preflights";
pub const CANCEL: &str = "/upkeep/v1/databases/{database}/cancel";
pub const REQUIREMENT: &str = "/upkeep/v1/databases/{database}/requirement";
pub const FLEET: &str = "/upkeep/v1/fleet";
pub const FREEZES: &str = "/upkeep/v1/freezes";
pub const FREEZES_IMPORT: &str = "/upkeep/v1/freezes/import";
pub const FREEZE: &str = "/upkeep/v1/freezes/{freeze}";
pub const NOTICES: &str = "/upkeep/v1/notices";
pub const NOTICE: &str = "/upkeep/v1/notices/{notice}";
pub const NOTICE_RETRY: &str = "/upkeep/v1/notices/{notice}/retry";
pub const RECIPIENTS: &str = "/upkeep/v1/recipients";
pub const RECIPIENT: &str = "/upkeep/v1/recipients/{recipient}";
pub const RECIPIENT_TRIAL: &str = "/upkeep/v1/recipients/{recipient}/trial";
pub const RELEASES: &str = "/upkeep/v1/releases";
pub const RELEASE: &str = "/upkeep/v1/releases/{release}";

/// Puts `values` into the braces of a template, in order, escaped as path segments.
pub fn fill(template: &str, values: &[&str]) -> String {
    let mut path = String::with_capacity(template.len() + 64);
    let mut values = values.iter();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        path.push_str(before);
        escape(&mut path, values.next().copied().unwrap_or_default());
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    path.push_str(rest);
    path
}

/// What is said of `asked`, as a query with its question mark; empty if nothing is said.
pub fn query<const N: usize>(asked: [(&str, Option<&str>); N]) -> String {
    let mut query = String::new();
    for (name, value) in asked {
        let Some(value) = value else { continue };
        query.push(if query.is_empty() { '?' } else { '&' });
        query.push_str(name);
        query.push('=');
        escape(&mut query, value);
    }
    query
}

fn escape(path: &mut String, segment: &str) {
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            path.push(char::from(byte));
        } else {
            write!(path, "%{byte:02X}").expect("a String takes every write");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_put_in_their_places() {
        assert_eq!(fill(APP_ADDON, &["shop", "db"]), "/apps/shop/addons/db");
        assert_eq!(fill(HISTORY, &["x"]), "/data/maintenances/v1/x/history/");
    }

    #[test]
    fn only_what_is_said_is_asked() {
        assert_eq!(query([("app", None)]), "");
        let asked = [("app", Some("a&b")), ("state", None), ("limit", Some("5"))];
        assert_eq!(query(asked), "?app=a%26b&limit=5");
    }

    #[test]
    fn a_value_cannot_leave_its_segment() {
        assert_eq!(fill(APP, &["../a?b#c"]), "/apps/..%2Fa%3Fb%23c");
    }
}
