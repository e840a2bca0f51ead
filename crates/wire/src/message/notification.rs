//! NotificationResponse: after a move its sender may be the session itself under a new process id.

use super::{MessageError, cursor::Cursor};

/// A notification, borrowed from its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notification<'a> {
    pub pid: u32,
    pub channel: &'a [u8],
    pub text: &'a [u8],
}

impl<'a> Notification<'a> {
    pub fn read(payload: &'a [u8]) -> Result<Self, MessageError> {
        let mut cursor = Cursor::new("NotificationResponse", payload);
        Ok(Self {
            pid: cursor.u32("pid")?,
            channel: cursor.cstr_bytes("channel")?,
            text: cursor.cstr_bytes("text")?,
        })
    }
}

/// In a NotificationResponse payload, replaces the sender `own` by the process id that the client
/// was told at login, so that `be_pid == my pid` still means "I sent this". Other senders stay.
pub fn rewrite_pid(payload: &mut [u8], own: u32, told: u32) {
    if let Some(pid) = payload.first_chunk_mut::<4>()
        && *pid == own.to_be_bytes()
    {
        *pid = told.to_be_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_sessions_own_pid_is_rewritten() {
        let mut payload = b"\0\0\0\x07ch\0hi\0".to_vec();
        rewrite_pid(&mut payload, 8, 1);
        assert_eq!(Notification::read(&payload).unwrap().pid, 7);
        rewrite_pid(&mut payload, 7, 1);
        let read = Notification::read(&payload).unwrap();
        assert_eq!(
            (read.pid, read.channel, read.text),
            (1, &b"ch"[..], &b"hi"[..])
        );
    }
}
