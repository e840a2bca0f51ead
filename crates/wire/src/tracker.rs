//! The sync-point queue: does the server owe this session anything, and is a transaction open?
//!
//! Only message types and the status byte of ReadyForQuery are looked at. The rules were found by
//! fuzzing a live server (the integration test repeats it): after a boundary verdict a Sync yields
//! exactly one ReadyForQuery and nothing else. Where the protocol is ambiguous the verdict is "busy".
//! It does not see partial messages: the scanners of both directions do.

use std::collections::VecDeque;

use crate::message::TxStatus;

/// What the protocol says about one session, told message by message.
///
/// Tell it a client message before its last byte is sent to the server, and a server message when
/// its last byte has been read.
#[derive(Debug, Clone)]
pub struct Tracker {
    /// Sync points sent and unanswered: `Q`, `F`, `S`, and `c` for CopyDone/CopyFail.
    owed: VecDeque<u8>,
    copy_in: bool,
    copy_end_sent: bool,
    /// CopyDone/CopyFail still to come from a client whose COPY the server has already ended.
    stale_copy_ends: u32,
    last_client: Option<u8>,
    last_server: u8,
    status: TxStatus,
}

impl Default for Tracker {
    fn default() -> Self {
        Self::new()
    }
}

impl Tracker {
    /// A session whose login has just ended with the first ReadyForQuery.
    pub fn new() -> Self {
        Self {
            owed: VecDeque::new(),
            copy_in: false,
            copy_end_sent: false,
            stale_copy_ends: 0,
            last_client: None,
            last_server: b'Z',
            status: TxStatus::Idle,
        }
    }

    /// A complete message from the client.
    pub fn client(&mut self, tag: u8) {
        match tag {
            // The server swallows a Sync that reaches it during COPY FROM STDIN.
            b'S' if self.copy_in && !self.copy_end_sent => {}
            b'S' | b'Q' | b'F' => self.owed.push_back(tag),
            b'c' | b'f' => self.client_ends_copy(),
            _ => {}
        }
        self.last_client = Some(tag);
    }

    /// A complete message from the server; `first_payload_byte` matters for ReadyForQuery only.
    pub fn server(&mut self, tag: u8, first_payload_byte: Option<u8>) {
        match tag {
            // NotificationResponse, NoticeResponse, ParameterStatus come at any time.
            b'A' | b'N' | b'S' => return,
            b'G' => self.server_starts_copy(),
            b'C' | b'E' if self.copy_in => self.server_ends_copy(),
            b'Z' => {
                self.status = TxStatus::from_byte(first_payload_byte);
                self.drop_copy_ends();
                self.owed.pop_front();
                self.drop_copy_ends();
            }
            _ => {}
        }
        self.last_server = tag;
    }

    /// Nothing is owed and the client has closed its cycle. The caller adds: no partial message in
    /// either direction, nothing unwritten towards either side.
    pub fn boundary(&self) -> bool {
        self.owed.is_empty() && !self.copy_in && self.last_server == b'Z' && self.at_cycle_start()
    }

    /// A boundary outside any transaction: the session may move now.
    pub fn movable(&self) -> bool {
        self.boundary() && self.status == TxStatus::Idle
    }

    /// The status of the last ReadyForQuery.
    pub fn status(&self) -> TxStatus {
        self.status
    }

    /// The client's next message begins a new cycle: its last one was a sync point.
    pub fn at_cycle_start(&self) -> bool {
        matches!(
            self.last_client,
            None | Some(b'Q' | b'F' | b'S' | b'c' | b'f')
        )
    }

    /// Whether a hold must not forward the client's next message: the cycle is closed and its
    /// ReadyForQuery is still to come. False where the server itself waits for the client, as in COPY
    /// FROM STDIN, and at a boundary.
    pub fn awaits_server(&self) -> bool {
        let server_wants_copy_data = self.copy_in && !self.copy_end_sent;
        self.at_cycle_start()
            && !server_wants_copy_data
            && self.owed.iter().any(|point| *point != b'c')
    }

    fn client_ends_copy(&mut self) {
        if self.stale_copy_ends > 0 {
            self.stale_copy_ends -= 1;
        } else if self.copy_in || !self.owed.is_empty() {
            self.owed.push_back(b'c');
            self.copy_end_sent = true;
        }
    }

    fn server_starts_copy(&mut self) {
        self.copy_in = true;
        self.copy_end_sent = self.owed.contains(&b'c');
        // In the extended protocol the Syncs sent ahead of the data are swallowed too.
        if self.owed.front() != Some(&b'Q') {
            while self.owed.front() == Some(&b'S') {
                self.owed.pop_front();
            }
        }
    }

    fn server_ends_copy(&mut self) {
        self.copy_in = false;
        self.copy_end_sent = false;
        match self.owed.iter().position(|point| *point == b'c') {
            Some(at) => drop(self.owed.remove(at)),
            None => self.stale_copy_ends += 1,
        }
    }

    fn drop_copy_ends(&mut self) {
        while self.owed.front() == Some(&b'c') {
            self.owed.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays a script: `>` before client messages, `<` before server ones; `Z` means idle.
    fn play(script: &str) -> Tracker {
        let mut tracker = Tracker::new();
        for word in script.split_whitespace() {
            let (side, tags) = word.split_at(1);
            for tag in tags.bytes() {
                match side {
                    ">" => tracker.client(tag),
                    _ => tracker.server(tag, (tag == b'Z').then_some(b'I')),
                }
            }
        }
        tracker
    }

    #[test]
    fn a_fresh_session_is_movable() {
        assert!(Tracker::new().movable());
    }

    #[test]
    fn a_simple_query_is_busy_until_its_ready() {
        assert!(!play(">Q").boundary());
        assert!(!play(">Q <TDC").boundary());
        assert!(play(">Q <TDCZ").movable());
    }

    #[test]
    fn a_pipeline_is_busy_until_every_sync_is_answered() {
        assert!(!play(">PBESPBES <12CZ").boundary());
        assert!(play(">PBESPBES <12CZ12CZ").movable());
    }

    #[test]
    fn extended_messages_without_a_sync_are_no_boundary() {
        assert!(!play(">PBESP <12CZ").boundary());
        assert!(!play(">P").at_cycle_start());
    }

    #[test]
    fn extended_copy_swallows_the_first_sync() {
        assert!(!play(">PBESdcS <12G").boundary());
        assert!(!play(">PBESdcS <12GC").boundary());
        assert!(play(">PBESdcS <12GCZ").movable());
    }

    #[test]
    fn an_error_in_copy_data_ends_the_copy_with_one_ready() {
        assert!(play(">PBESdcS <12GEZ").movable());
    }

    #[test]
    fn the_copy_end_of_a_copy_that_already_failed_is_not_owed() {
        assert!(
            !play(">Q <G >d <EZ").boundary(),
            "the client still sends data"
        );
        assert!(play(">Q <G >d <EZ >c").movable());
    }

    #[test]
    fn a_failed_parse_before_a_query_errs_to_busy() {
        assert!(!play(">PQS <EZ").boundary());
    }

    #[test]
    fn extended_messages_before_a_query_share_its_ready() {
        assert!(play(">PBEQ <12CTDCZ").movable());
    }

    #[test]
    fn asynchronous_messages_do_not_disturb_a_boundary() {
        assert!(play(">Q <CZANS").movable());
    }

    #[test]
    fn an_open_transaction_is_a_boundary_that_cannot_move() {
        let mut tracker = Tracker::new();
        tracker.client(b'Q');
        tracker.server(b'Z', Some(b'T'));
        assert!(tracker.boundary() && !tracker.movable());
        assert_eq!(tracker.status(), TxStatus::InTransaction);
    }

    #[test]
    fn a_hold_waits_for_a_closed_cycle_but_never_starves_a_copy() {
        assert!(play(">Q").awaits_server());
        assert!(!play(">P").awaits_server());
        assert!(!play(">Q <G").awaits_server(), "the server wants data");
        assert!(play(">Q <G >dc").awaits_server());
        assert!(play(">PBES").awaits_server());
        assert!(!play(">PBES <12G >dc").awaits_server(), "a Sync is missing");
        assert!(play(">PBES <12G >dcS").awaits_server());
        assert!(!play(">Q <CZ").awaits_server());
    }
}
