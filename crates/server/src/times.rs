//! How instants are written: two forms, because Heroku's two APIs have two.

use jiff::Timestamp;

/// `2030-01-15 17:30:00 +0000`, in the data API.
pub(crate) fn spelled(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S +0000").to_string()
}

/// `2030-01-15T17:30:00Z`, in the platform API.
pub(crate) fn iso(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Up to the millisecond, for events.
pub(crate) fn precise(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_as_the_clients_know_them() {
        let at = Timestamp::from_millisecond(1_894_728_600_250).unwrap();
        assert_eq!(spelled(at), "2030-01-15 17:30:00 +0000");
        assert_eq!(iso(at), "2030-01-15T17:30:00Z");
        assert_eq!(precise(at), "2030-01-15T17:30:00.250Z");
    }
}
