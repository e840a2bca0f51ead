//! Mail, taken and not taken by a real server.

use upkeep_courier::{Courier, Settings};
use upkeep_domain::ports::Courier as _;

use crate::world::{courier, delivered_to_silence, failed, refused, to_mail};
use upkeep_testkit::smtp_server::{Kind, PASSWORD, SmtpServer, USER};

const ADA: &str = "ada@example.org";

async fn behaves(behaviour: &'static str) -> SmtpServer {
    SmtpServer::start(Kind {
        behaviour: Some(behaviour),
        ..Kind::default()
    })
    .await
}

#[tokio::test]
async fn a_mail_is_taken_and_each_try_sends_the_same() {
    let server = SmtpServer::start(Kind::default()).await;
    let courier = courier(&server.settings());
    courier.deliver(&to_mail(ADA)).await.unwrap();
    courier.deliver(&to_mail(ADA)).await.unwrap();
    let kept = server.kept(1).unwrap();
    assert_eq!(kept.from, "upkeep@example.com");
    assert_eq!(kept.to, [ADA]);
    assert!(!kept.encrypted);
    for line in [
        "From: Upkeep <upkeep@example.com>\r\n",
        "Subject: Maintenance of postgresql-flat-1\r\n",
        "Date: Mon, 23 Nov 2026 09:00:00 +0000\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "X-Upkeep-Notice: 7\r\n",
        "It is scheduled for Tuesday.\r\n",
    ] {
        assert!(kept.message.contains(line), "{line}{}", kept.message);
    }
    assert_eq!(server.kept(2), Some(kept));
}

#[tokio::test]
async fn a_connection_is_encrypted_before_anything_is_said() {
    for tls in ["starttls", "tls"] {
        let server = SmtpServer::start(Kind {
            tls: Some(tls),
            login: true,
            ..Kind::default()
        })
        .await;
        let courier = courier(&server.settings_with(PASSWORD));
        courier.deliver(&to_mail(ADA)).await.unwrap();
        let kept = server.kept(1).unwrap();
        assert!(kept.encrypted, "{tls}");
        assert_eq!(kept.user.as_deref(), Some(USER), "{tls}");
    }
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_gets_nothing() {
    let server = SmtpServer::start(Kind {
        tls: Some("starttls"),
        ..Kind::default()
    })
    .await;
    let settings = server.settings();
    let (without, _) = settings.split_once("ca_file").unwrap();
    let sentence = failed(courier(without).deliver(&to_mail(ADA)).await);
    assert!(sentence.contains("certificate"), "{sentence}");
    // Its certificate is for another name, too.
    let elsewhere = settings.replace("\"localhost\"", "\"127.0.0.1\"");
    let sentence = failed(courier(&elsewhere).deliver(&to_mail(ADA)).await);
    assert!(sentence.contains("certificate"), "{sentence}");
    assert_eq!(server.kept(1), None);
}

#[tokio::test]
async fn nothing_is_sent_in_clear_to_a_server_that_cannot_encrypt() {
    let server = SmtpServer::start(Kind::default()).await;
    let settings = server.settings().replace("\"none\"", "\"starttls\"");
    let sentence = failed(courier(&settings).deliver(&to_mail(ADA)).await);
    assert!(sentence.contains("STARTTLS"), "{sentence}");
    assert_eq!(server.kept(1), None);
}

#[tokio::test]
async fn a_login_that_fails_can_be_mended_without_a_restart() {
    let server = SmtpServer::start(Kind {
        login: true,
        ..Kind::default()
    })
    .await;
    let sentence = failed(courier(&server.settings()).deliver(&to_mail(ADA)).await);
    assert!(sentence.contains("answers 530"), "{sentence}");
    let courier = courier(&server.settings_with("wrong"));
    let sentence = failed(courier.deliver(&to_mail(ADA)).await);
    assert!(sentence.contains("answers 535"), "{sentence}");
    server.settings_with(PASSWORD);
    courier.deliver(&to_mail(ADA)).await.unwrap();
    assert_eq!(server.kept(1).unwrap().user.as_deref(), Some(USER));
}

#[tokio::test]
async fn a_server_that_repeats_the_password_does_not_make_us_tell_it() {
    let server = SmtpServer::start(Kind {
        login: true,
        behaviour: Some("repeats"),
        ..Kind::default()
    })
    .await;
    let courier = courier(&server.settings_with(PASSWORD));
    let sentence = failed(courier.deliver(&to_mail(ADA)).await);
    assert!(sentence.ends_with("answers 500: what is …"), "{sentence}");
}

#[tokio::test]
async fn a_recipient_whom_the_server_does_not_know_is_not_tried_again() {
    let server = behaves("refuses").await;
    let sentence = refused(courier(&server.settings()).deliver(&to_mail(ADA)).await);
    assert!(
        sentence.ends_with("answers 550: 5.1.1 no mailbox of that name"),
        "{sentence}"
    );
}

/// It may be a mistake in our settings, or in theirs: no message is to blame.
#[tokio::test]
async fn a_server_that_takes_nothing_from_us_may_another_time() {
    let server = behaves("refuses us").await;
    let sentence = failed(courier(&server.settings()).deliver(&to_mail(ADA)).await);
    assert!(sentence.contains("answers 553"), "{sentence}");
}

#[tokio::test]
async fn what_may_be_taken_later_has_failed() {
    let server = behaves("is busy").await;
    let sentence = failed(courier(&server.settings()).deliver(&to_mail(ADA)).await);
    assert!(
        sentence.ends_with("answers 451: 4.3.0 try again later"),
        "{sentence}"
    );
}

#[tokio::test]
async fn a_connection_that_is_lost_behind_the_mail_has_failed() {
    let server = behaves("drops").await;
    let sentence = failed(courier(&server.settings()).deliver(&to_mail(ADA)).await);
    assert!(sentence.contains("could not be used"), "{sentence}");
}

#[tokio::test]
async fn a_server_that_is_silent_is_not_waited_for() {
    let mut server = behaves("is silent").await;
    let courier = courier(&server.settings());
    let mail = to_mail(ADA);
    let knows = async {
        assert_eq!(server.hears().await, "somebody is here");
    };
    let sentence = failed(delivered_to_silence(&courier, &mail, knows).await);
    assert!(
        sentence.ends_with("did not take the mail within 30 s"),
        "{sentence}"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_has_failed() {
    let server = SmtpServer::start(Kind::default()).await;
    let settings = server.settings();
    let courier = courier(&settings);
    server.end().await;
    let sentence = failed(courier.deliver(&to_mail(ADA)).await);
    assert!(sentence.contains("refused"), "{sentence}");
}

#[tokio::test]
async fn what_is_no_address_is_not_tried_again() {
    let courier = courier("from = \"upkeep@example.com\"\n[smtp]\nhost = \"localhost\"");
    let sentence = refused(courier.deliver(&to_mail("ada")).await);
    assert!(sentence.contains("`ada` is no mail address"), "{sentence}");
}

#[tokio::test]
async fn without_a_mail_server_people_are_told_what_to_do() {
    let sentence = failed(Courier::without_settings().deliver(&to_mail(ADA)).await);
    assert_eq!(
        sentence,
        "no mail server is set: give `upkeep up --notices FILE`"
    );
    let sentence = failed(courier("").deliver(&to_mail(ADA)).await);
    assert_eq!(
        sentence,
        "no mail server is set: write [smtp] into the notices file"
    );
}

#[test]
fn files_that_are_missing_or_hold_nothing_show_at_once() {
    let server = "from = \"upkeep@example.com\"\n[smtp]\nhost = \"localhost\"\n";
    let folder = tempfile::TempDir::new().unwrap();
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "").unwrap();
    for (more, word) in [
        ("ca_file = \"/nowhere\"", "cannot read the certificates"),
        (
            &format!("ca_file = \"{}\"", empty.display()),
            "holds no certificate",
        ),
        (
            "user = \"x\"\npassword_file = \"/nowhere\"",
            "cannot read the password",
        ),
    ] {
        let settings = Settings::read(&format!("{server}{more}")).unwrap();
        let error = Courier::new(settings).err().unwrap().to_string();
        assert!(error.contains(word), "{error}");
    }
}
