//! Calls a webhook once, and says what became of it. Goes only where [`network`](super::network) lets it,
//! follows no redirects, and asks no proxy.

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, LOCATION, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio::time::timeout;
use upkeep_domain::error_chain::ErrorChain;
use upkeep_domain::notice::Delivery;
use upkeep_domain::ports::DeliveryError;
use url::{Position, Url};

use super::connection::{Connections, Error, Stream};
use super::network::Allowed;
use super::{payload, sign, url as address};
use crate::courier::{failed, refused};
use crate::heard;

const WITHIN: Duration = Duration::from_secs(10);
const WE: &str = concat!("upkeep/", env!("CARGO_PKG_VERSION"));
/// More of an answer is not read: it is for one sentence.
const ANSWER_BYTES: usize = 4096;

pub(crate) struct Caller {
    connections: Connections,
}

impl Caller {
    pub(crate) fn new(allowed: Allowed) -> Self {
        let connections = Connections::new(allowed);
        Self { connections }
    }

    /// Whether it may be called, as far as that can be told without looking its name up.
    pub(crate) fn judge(&self, url: &str) -> Result<(), address::Error> {
        address::check_url(url, &self.connections.allowed)
    }

    pub(crate) async fn call(
        &self,
        delivery: &Delivery,
        url: &str,
        secret: &str,
    ) -> Result<(), DeliveryError> {
        let url = address::understood(url, &self.connections.allowed)
            .map_err(|error| refused(error.to_string()))?;
        let request = request(delivery, &url, secret).map_err(|error| uncalled(&error))?;
        let called = timeout(WITHIN, self.exchange(&url, request)).await;
        called.unwrap_or_else(|_| {
            let within = WITHIN.as_secs();
            Err(failed(format!(
                "the webhook did not answer within {within} s"
            )))
        })
    }

    async fn exchange(
        &self,
        url: &Url,
        request: Request<Full<Bytes>>,
    ) -> Result<(), DeliveryError> {
        let stream = match self.connections.open(url).await {
            Ok(stream) => stream,
            Err(Error::Network(refusal)) => return Err(refused(refusal.to_string())),
            Err(error) => return Err(uncalled(&error)),
        };
        // The connection ends with this function.
        let mut connection = JoinSet::new();
        let answer = answer(stream, request, &mut connection).await;
        judged(answer.map_err(|error| uncalled(&error))?).await
    }
}

fn request(
    delivery: &Delivery,
    url: &Url,
    secret: &str,
) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let body = payload::body(delivery);
    Request::post(&url[Position::BeforePath..Position::AfterQuery])
        .header(HOST, &url[Position::BeforeHost..Position::AfterPort])
        .header(USER_AGENT, WE)
        .header(CONTENT_TYPE, "application/json")
        .header(sign::HEADER, sign::signature(secret, &body))
        .body(Full::from(body))
}

async fn answer(
    stream: Box<dyn Stream>,
    request: Request<Full<Bytes>>,
    connection: &mut JoinSet<hyper::Result<()>>,
) -> hyper::Result<Response<Incoming>> {
    let (mut sender, running) = http1::handshake(TokioIo::new(stream)).await?;
    connection.spawn(running);
    sender.send_request(request).await
}

fn uncalled(error: &dyn std::error::Error) -> DeliveryError {
    let causes = heard::one_line(&ErrorChain(error).to_string());
    failed(format!("the webhook could not be called: {causes}"))
}

/// Whoever is gone for good says so; whatever else is wrong can be mended.
async fn judged(answer: Response<Incoming>) -> Result<(), DeliveryError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    if status.is_redirection() {
        return Err(failed(redirected(&answer)));
    }
    let sentence = format!("the webhook answers {status}{}", said(answer).await);
    Err(match status {
        StatusCode::GONE => refused(sentence),
        _ => failed(sentence),
    })
}

fn redirected(answer: &Response<Incoming>) -> String {
    let location = answer.headers().get(LOCATION);
    let location = location.and_then(|location| location.to_str().ok());
    let there = location.map(|location| format!(" to {}", heard::one_line(location)));
    format!(
        "the webhook answers {} and redirects{}, which is not followed: give the address that it leads to",
        answer.status(),
        there.unwrap_or_default()
    )
}

/// What it says beside its status, if anything.
async fn said(mut answer: Response<Incoming>) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < ANSWER_BYTES {
        // Whatever has come by then is what it said.
        let Some(Ok(frame)) = answer.frame().await else {
            break;
        };
        bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| data.as_ref()));
    }
    bytes.truncate(ANSWER_BYTES);
    match heard::one_line(&String::from_utf8_lossy(&bytes)) {
        said if said.is_empty() => String::new(),
        said => format!(": {said}"),
    }
}
