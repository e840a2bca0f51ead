//! `notices`, `notices:info`, `notices:retry`, `notices:settings`.

use serde_json::json;
use upkeep_api::body::{self, Delivery};
use upkeep_api::client::{Client, NoticesWanted};
use upkeep_courier::EXAMPLE;

use crate::cli::{Notice, Notices};
use crate::exit::{Exit, Failure};
use crate::output::{Output, render_table};

pub(super) async fn list(
    client: &Client,
    args: Notices,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let wanted = NoticesWanted {
        app: args.app.app,
        state: args.state,
        limit: Some(args.limit),
    };
    let notices = client.notices(&wanted).await?;
    let nothing = "There are no such notices.";
    out.list(&notices, nothing, render_notices);
    Ok(Exit::Done)
}

/// A line for each of those who are told.
pub(crate) fn render_notices(notices: &[body::Notice]) -> String {
    let rows: Vec<_> = notices.iter().flat_map(lines).collect();
    render_table(&["Id", "At", "Says", "To", "State"], &rows)
}

fn lines(notice: &body::Notice) -> Vec<Vec<Option<String>>> {
    let says = notice.subject.clone();
    let says = says.unwrap_or_else(|| notice.kind.replace('_', " "));
    let line = |to: &str, state: Option<String>| {
        let (id, at) = (notice.id.to_string(), notice.created_at.clone());
        vec![
            Some(id),
            Some(at),
            Some(says.clone()),
            Some(to.to_owned()),
            state,
        ]
    };
    if notice.deliveries.is_empty() {
        return vec![line("nobody", None)];
    }
    let deliveries = notice.deliveries.iter();
    deliveries
        .map(|delivery| line(&delivery.address, Some(state(delivery))))
        .collect()
}

/// What became of it, with why and how often if that matters.
fn state(delivery: &Delivery) -> String {
    let Some(trouble) = &delivery.trouble else {
        return delivery.state.clone();
    };
    let tries = match delivery.tries {
        1 => "1 try".to_owned(),
        tries => format!("{tries} tries"),
    };
    format!("{} after {tries}: {trouble}", delivery.state)
}

pub(super) async fn info(client: &Client, args: Notice, out: &mut Output) -> Result<Exit, Failure> {
    let notice = client.notice(args.id).await?;
    out.result(&notice, render_notice);
    Ok(Exit::Done)
}

pub(crate) fn render_notice(notice: &body::Notice) -> String {
    let subject = notice.subject.as_ref().unwrap_or(&notice.kind);
    let text = notice.text.as_deref().unwrap_or("It was told to nobody.");
    let who = render_notices(std::slice::from_ref(notice));
    format!("=== {subject}\n\n{}\n\n{who}", text.trim_end())
}

pub(super) async fn retry(
    client: &Client,
    args: Notice,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let doing = format!("Sending notice {} again", args.id);
    let notice = out.doing(&doing, client.retry_notice(args.id)).await?;
    out.say("It is tried in a moment; `upkeep notices` shows what becomes of it.");
    out.result(&notice, |_| String::new());
    Ok(Exit::Done)
}

/// An example that may be copied and changed; no server is asked for it.
pub(super) fn settings(out: &mut Output) -> Exit {
    out.result(&json!({ "settings": EXAMPLE }), |_| {
        EXAMPLE.trim_end().to_owned()
    });
    Exit::Done
}
