//! The sync-point queue: does the server owe this session anything, and is a transaction open?
//!
//! Only message types and the status byte of ReadyForQuery are looked at. The rules were found by
//! fuzzing a live server (the integration test repeats it): after a boundary verdict a Sync yields
//! exactly one ReadyForQuery and nothing else. Where the protocol is ambiguous the verdict is "busy".
//! It does not see partial messages: the scanners of both directions do.

use std::collections::VecDeque;

use crate::message::TxStatus;

/// Something the client has sent that the server answers later, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owed {
    /// A Query or FunctionCall: one ReadyForQuery.
    Statement,
    /// A Sync: one ReadyForQuery, unless COPY swallows it.
    Sync,
    /// A CopyDone or CopyFail for the sync point before it: no ReadyForQuery of its own.
    CopyEnd,
    /// The same for extended messages whose Sync is still to be sent.
    CopyEndAhead,
}

impl Owed {
    fn is_copy_end(self) -> bool {
        matches!(self, Self::CopyEnd | Self::CopyEndAhead)
    }
}

/// What the protocol says about one session, told message by message.
///
/// Tell it a client message before its last byte is sent to the server, and a server message when
/// its last byte has been read.
#[derive(Debug, Clone)]
pub struct Tracker {
    owed: VecDeque<Owed>,
    /// Extended-protocol messages were sent since the last sync point.
    unsynced: bool,
    copy_in: bool,
    copy_end_sent: bool,
    /// A Sync was sent amid COPY data without CopyDone. Whether the server swallows or answers it
    /// depends on which data it had refused by then: there is no boundary to be sure of any more.
    ambiguous: bool,
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
            unsynced: false,
            copy_in: false,
            copy_end_sent: false,
            ambiguous: false,
            last_client: None,
            last_server: b'Z',
            status: TxStatus::Idle,
        }
    }

    /// A complete message from the client.
    pub fn client(&mut self, tag: u8) {
        let copy_possible = self.copy_in || self.unsynced || !self.owed.is_empty();
        self.ambiguous |= tag == b'S' && self.last_client == Some(b'd') && copy_possible;
        match tag {
            // The server swallows a Sync that reaches it during COPY FROM STDIN.
            b'S' if self.copy_in && !self.copy_end_sent => {}
            b'S' => self.owed.push_back(Owed::Sync),
            b'Q' | b'F' => self.owed.push_back(Owed::Statement),
            // Before the server's CopyInResponse is seen it may belong to any statement on its way;
            // where there is none it follows a COPY that failed, and the server ignores it.
            b'c' | b'f' if copy_possible => self.client_ends_copy(),
            _ => {}
        }
        match tag {
            b'P' | b'B' | b'E' | b'D' | b'C' => self.unsynced = true,
            b'S' | b'Q' | b'F' => self.unsynced = false,
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
                self.server_answers_sync_point();
            }
            _ => {}
        }
        self.last_server = tag;
    }

    /// Nothing is owed and the client has closed its cycle. The caller adds: no partial message in
    /// either direction, nothing unwritten towards either side.
    pub fn boundary(&self) -> bool {
        let server_done = self.owed.is_empty() && !self.copy_in && self.last_server == b'Z';
        server_done && self.at_cycle_start() && !self.ambiguous
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
            && self.owed.iter().any(|owed| !owed.is_copy_end())
    }

    fn client_ends_copy(&mut self) {
        self.copy_end_sent = true;
        self.owed.push_back(if self.unsynced {
            Owed::CopyEndAhead
        } else {
            Owed::CopyEnd
        });
    }

    fn server_starts_copy(&mut self) {
        self.copy_in = true;
        self.copy_end_sent = self.owed.iter().any(|owed| owed.is_copy_end());
        // In the extended protocol the Syncs sent ahead of the data are swallowed too.
        self.drop_leading(|owed| owed == Owed::Sync);
    }

    /// After an error the client may still send its CopyDone, or never: nothing counts on it.
    fn server_ends_copy(&mut self) {
        self.copy_in = false;
        self.copy_end_sent = false;
        if let Some(at) = self.owed.iter().position(|owed| owed.is_copy_end()) {
            self.owed.remove(at);
        }
    }

    /// One sync point goes, and with it the copy ends of its statements, which never ran.
    fn server_answers_sync_point(&mut self) {
        self.drop_leading(Owed::is_copy_end);
        self.owed.pop_front();
        self.drop_leading(|owed| owed == Owed::CopyEnd);
    }

    fn drop_leading(&mut self, goes: impl Fn(Owed) -> bool) {
        while self.owed.front().is_some_and(|owed| goes(*owed)) {
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
    fn a_copy_abandoned_after_its_error_leaves_no_debt_behind() {
        assert!(play(">PBES <12G >d <E >S <Z").movable());
        let next = ">PBES <12G >d <E >S <Z >PBESdcSQ <12GCZ";
        assert!(!play(next).boundary(), "the query is still running");
        assert!(play(&format!("{next} <TDCZ")).movable());
    }

    #[test]
    fn copy_data_sent_blindly_owes_its_one_sync() {
        assert!(
            !play(">PBEdcSQ <12GCZ").boundary(),
            "the query is still running"
        );
        assert!(play(">PBEdcSQ <12GCZTDCZ").movable());
        assert!(play(">PBEdcS <12GEZ").movable());
        assert!(
            !play(">QPBEdcSQ <CZ12GCZ").boundary(),
            "the query is still running"
        );
    }

    #[test]
    fn a_sync_amid_copy_data_ends_all_certainty() {
        assert!(
            !play(">PBESdSQ <12GEZ").boundary(),
            "the query is still running"
        );
        assert!(!play(">PBES <12G >dS <EZ >Q <CZ").boundary());
    }

    #[test]
    fn a_finished_copy_is_no_boundary_before_its_sync() {
        assert!(!play(">PBES <12G >dc <C").boundary());
        assert!(play(">PBES <12G >dc <C >S <Z").movable());
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
