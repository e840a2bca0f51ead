//! A program that is called by HTTP: one connection after the other, each answered with the same text.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;

pub(crate) struct Listener {
    pub(crate) address: SocketAddr,
    calls: UnboundedReceiver<Call>,
    task: AbortHandle,
}

/// What came.
#[derive(Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let (_, value) = lines.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(value)
    }
}

impl Listener {
    /// `None` never answers.
    pub(crate) async fn start(answer: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (came, calls) = unbounded_channel();
        let task = tokio::spawn(serve(listener, answer, came)).abort_handle();
        Self {
            address,
            calls,
            task,
        }
    }

    /// The next call.
    pub(crate) async fn call(&mut self) -> Call {
        self.calls.recv().await.unwrap()
    }

    /// Whether nobody has called that was not asked for yet.
    pub(crate) fn was_left_alone(&mut self) -> bool {
        self.calls.try_recv().is_err()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, answer: Option<&'static str>, came: UnboundedSender<Call>) {
    let mut kept_open = Vec::new();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let Some(call) = read(&mut stream).await else {
            continue;
        };
        let _ = came.send(call);
        match answer {
            Some(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
            None => kept_open.push(stream),
        }
    }
}

/// None from one who does not speak HTTP.
async fn read(stream: &mut TcpStream) -> Option<Call> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let body = bytes[end + 4..].to_vec();
            let call = Call { head, body };
            let length: usize = call.header("content-length").unwrap().parse().unwrap();
            if call.body.len() == length {
                return Some(call);
            }
        }
        // A handshake of TLS begins so.
        if bytes.first() == Some(&22) || stream.read_buf(&mut bytes).await.unwrap() == 0 {
            return None;
        }
    }
}
