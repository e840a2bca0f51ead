//! The message: a letter as text and as HTML, with its appointment beside it.
//!
//! Every try makes the same bytes. Nothing is taken from clocks, and the boundaries between the parts are a
//! digest of them: whoever types a part of a letter cannot know its boundary.

use std::fmt::Write as _;

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use sha2::{Digest, Sha256};
use upkeep_domain::notice::{Appointment, Delivery, Letter};

use super::{calendar, html};

/// Programs that answer mail (holidays, lists) leave alone what has this.
const BY_A_PROGRAM: (&str, &str) = ("Auto-Submitted", "auto-generated");
/// By it programs know a notice again that comes twice.
const NOTICE: &str = "X-Upkeep-Notice";

pub(super) fn of(delivery: &Delivery, from: &Mailbox, to: Address) -> Message {
    let Delivery { letter, .. } = delivery;
    let id = message_id(delivery.notice, &to, from.email.domain());
    let builder = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(&letter.subject)
        .date(delivery.told_at.into())
        .message_id(Some(id))
        .raw_header(header(BY_A_PROGRAM.0, BY_A_PROGRAM.1))
        .raw_header(header(NOTICE, &delivery.notice.to_string()));
    let words = words(letter);
    let message = match &letter.appointment {
        None => builder.multipart(words),
        Some(appointment) => {
            let calendar = calendar::text(appointment, delivery.told_at, &from.email);
            builder.multipart(beside(words, appointment, calendar))
        }
    };
    message.expect("it has a sender and a recipient")
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn words(letter: &Letter) -> MultiPart {
    let (plain, html) = (letter.plain(), html::page(letter));
    MultiPart::alternative()
        .boundary(digest(&[&plain, &html]))
        .singlepart(SinglePart::plain(plain))
        .singlepart(SinglePart::html(html))
}

fn beside(words: MultiPart, appointment: &Appointment, calendar: String) -> MultiPart {
    let method = calendar::method(appointment);
    let kind = format!("text/calendar; method={method}; charset=utf-8");
    let kind = ContentType::parse(&kind).expect("it is one");
    MultiPart::mixed()
        .boundary(digest(&[&words.boundary(), &calendar]))
        .multipart(words)
        .singlepart(Attachment::new("maintenance.ics".to_owned()).body(calendar, kind))
}

/// The same at every try, and another one for each recipient.
fn message_id(notice: i64, to: &Address, domain: &str) -> String {
    let digest = digest(&[to.as_ref()]);
    format!("<notice-{notice}.{}@{domain}>", &digest[..16])
}

/// 40 digits are more than anybody guesses, and short enough for a line.
fn digest(parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("\n"));
    let mut text = String::new();
    for byte in &digest[..20] {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
