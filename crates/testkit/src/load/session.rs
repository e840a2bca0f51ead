//! One client connection whose unexpected end is counted, whoever notices it first.
//!
//! It never reconnects by itself: a special session that lost its connection lost its state.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::tls::NoTlsStream;
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls, Notification, Socket};

use super::run::Run;
use super::tally::Tally;
use super::trouble::Trouble;

/// How long an ended session may take to come to its end.
const FAREWELL: Duration = Duration::from_secs(1);

pub(crate) struct Session {
    pub(crate) name: String,
    // Before `client`: fields drop in order, and the driver must know that we meant it.
    goodbye: Goodbye,
    pub(crate) client: Client,
    driver: JoinHandle<()>,
}

impl Session {
    /// Connects; `heard` gets the notifications that arrive for this session.
    pub(crate) async fn open(
        run: &Run,
        name: &str,
        heard: Option<UnboundedSender<Notification>>,
    ) -> Result<Self, Trouble> {
        let connected = run.within(run.server().connect(NoTls)).await;
        let (client, connection) =
            connected.inspect_err(|trouble| run.tally().connection_refused(name, trouble))?;
        let goodbye = Goodbye::default();
        let witness = Witness {
            name: name.to_owned(),
            tally: run.shared_tally(),
            said: Arc::clone(&goodbye.0),
        };
        witness.tally.session_opened();
        let driver = tokio::spawn(witness.drive(connection, heard));
        Ok(Self {
            name: name.to_owned(),
            goodbye,
            client,
            driver,
        })
    }

    /// Ends a healthy session.
    pub(crate) async fn close(self) {
        let Self {
            goodbye,
            client,
            driver,
            ..
        } = self;
        drop(goodbye);
        drop(client);
        finish(driver).await;
    }

    /// Ends a session after `trouble`. A connection that the server ends is left to its witness for
    /// a moment, so that the drop is counted; one that we give up is only closed.
    pub(crate) async fn bury(mut self, trouble: &Trouble) {
        if matches!(trouble, Trouble::Lost { .. }) {
            // The witness counts the drop; no answer in time means the socket lingers, and then
            // the failed statement is the record.
            if timeout(FAREWELL, &mut self.driver).await.is_ok() {
                return;
            }
        }
        self.close().await;
    }
}

async fn finish(mut driver: JoinHandle<()>) {
    if timeout(FAREWELL, &mut driver).await.is_err() {
        // Outstanding answers that never come would keep the driver for ever.
        driver.abort();
    }
}

/// Says, when dropped, that the end of the connection is wanted.
#[derive(Default)]
struct Goodbye(Arc<AtomicBool>);

impl Drop for Goodbye {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Moves the bytes of one connection, and counts its end if nobody wanted it.
struct Witness {
    name: String,
    tally: Arc<Tally>,
    said: Arc<AtomicBool>,
}

impl Witness {
    async fn drive(
        self,
        mut connection: Connection<Socket, NoTlsStream>,
        heard: Option<UnboundedSender<Notification>>,
    ) {
        let end = loop {
            match poll_fn(|context| connection.poll_message(context)).await {
                Some(Ok(AsyncMessage::Notification(notification))) => {
                    if let Some(heard) = &heard {
                        self.tally.notification_received();
                        // A listener that has gone home no longer counts.
                        let _ = heard.send(notification);
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => break Trouble::from(error),
                None => {
                    let message = "closed without a word".to_owned();
                    break Trouble::Lost {
                        sqlstate: None,
                        message,
                    };
                }
            }
        };
        if !self.said.load(Ordering::Acquire) {
            self.tally.connection_dropped(&self.name, &end);
        }
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.tally.session_closed();
    }
}
