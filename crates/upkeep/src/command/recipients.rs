//! `recipients`, `recipients:add`, `recipients:remove`, `recipients:test`.

use upkeep_api::body::{AddRecipient, NoticeRecipient};
use upkeep_api::client::Client;

use crate::cli::{Recipient, RecipientsAdd};
use crate::exit::{Exit, Failure};
use crate::output::{Output, render_table};

pub(super) async fn list(client: &Client, out: &mut Output) -> Result<Exit, Failure> {
    let recipients = client.recipients().await?;
    let nothing = "There are no recipients. `upkeep recipients:add` adds one.";
    out.list(&recipients, nothing, render_recipients);
    Ok(Exit::Done)
}

pub(crate) fn render_recipients(recipients: &[NoticeRecipient]) -> String {
    let row = |recipient: &NoticeRecipient| {
        let whose = recipient.app.clone();
        let cells = [
            recipient.id.to_string(),
            whose.unwrap_or_else(|| "the fleet".to_owned()),
            recipient.kind.clone(),
            recipient.address.clone(),
        ];
        cells.map(Some).into()
    };
    let rows: Vec<_> = recipients.iter().map(row).collect();
    render_table(&["Id", "Of", "By", "Address"], &rows)
}

pub(super) async fn add(
    client: &Client,
    args: RecipientsAdd,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let wish = AddRecipient {
        address: args.address,
        app: args.app,
    };
    let adding = client.add_recipient(&wish);
    let added = out.doing("Adding recipient", adding).await?;
    if let Some(secret) = &added.secret {
        out.say(&format!(
            "Calls are signed with this secret (header Heroku-Webhook-Hmac-SHA256). It is not shown again:\n{secret}"
        ));
    }
    out.say(&format!(
        "See whether it is reached: upkeep recipients:test {}",
        added.id
    ));
    out.result(&added, |added| {
        render_recipients(std::slice::from_ref(added))
    });
    Ok(Exit::Done)
}

pub(super) async fn remove(
    client: &Client,
    args: Recipient,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let doing = format!("Removing recipient {}", args.id);
    let removed = out.doing(&doing, client.remove_recipient(args.id)).await?;
    out.result(&removed, |_| String::new());
    Ok(Exit::Done)
}

pub(super) async fn test(
    client: &Client,
    args: Recipient,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let doing = format!("Sending something to recipient {}", args.id);
    let reached = out.doing(&doing, client.try_recipient(args.id)).await?;
    out.result(&reached, |reached| {
        format!("{} has taken it.", reached.address)
    });
    Ok(Exit::Done)
}
