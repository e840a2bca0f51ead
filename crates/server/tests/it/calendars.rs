//! Calendars: freezes out of one, and one that others subscribe to.

use serde_json::json;
use upkeep_api::body::{AddCalendar, AddFreeze, ImportFreezes, RunMaintenance};
use upkeep_domain::procedure::End;

use crate::program::Program;

const CALENDAR: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//x//EN\r\n\
    BEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20290101T000000Z\r\nSUMMARY:Year-end closing\r\n\
    DTSTART;VALUE=DATE:20291220\r\nDTEND;VALUE=DATE:20300104\r\nEND:VEVENT\r\n\
    BEGIN:VEVENT\r\nUID:2\r\nDTSTAMP:20200101T000000Z\r\nSUMMARY:Long ago\r\n\
    DTSTART;VALUE=DATE:20191220\r\nDTEND;VALUE=DATE:20200104\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

#[tokio::test]
async fn the_events_of_a_calendar_are_added_as_freezes_once_and_what_is_over_is_left_out() {
    let (program, addon) = Program::with_a_database().await;
    let wish = ImportFreezes {
        app: Some(addon.app.name.clone()),
        calendar: CALENDAR.to_owned(),
        time_zone: Some("Europe/Berlin".to_owned()),
    };
    let imported = program.client.import_freezes(&wish).await.unwrap();
    let [freeze] = &imported.added[..] else {
        panic!("{imported:?}")
    };
    assert_eq!(freeze.app, Some(addon.app.name));
    assert_eq!(freeze.because, "Year-end closing");
    assert_eq!(freeze.time_zone, "Europe/Berlin");
    assert_eq!(imported.left_out[0].summary, "Long ago");
    let again = program.client.import_freezes(&wish).await.unwrap();
    assert_eq!((again.added.len(), again.kept), (0, 1));
    assert_eq!(program.client.freezes().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_calendar_that_cannot_be_taken_whole_is_not_taken() {
    let (program, _) = Program::with_a_database().await;
    let monthly = CALENDAR.replace("UID:2", "UID:2\r\nRRULE:FREQ=MONTHLY");
    for (calendar, status, says) in [
        (monthly, 422, "repeats as a freeze does not"),
        ("hello".to_owned(), 422, "no calendar"),
        ("x".repeat(1024 * 1024), 413, "larger than any"),
    ] {
        let wish = json!({ "calendar": calendar });
        let refused = program.post("/upkeep/v1/freezes/import", &wish).await;
        assert_eq!(refused.status, status, "{}", refused.text);
        assert!(refused.text.contains(says), "{}", refused.text);
    }
    assert_eq!(program.client.freezes().await.unwrap(), []);
    // Larger than other bodies may be.
    let large = CALENDAR.replace(
        "closing",
        &format!("closing\r\nDESCRIPTION:{}", "x".repeat(200_000)),
    );
    let wish = ImportFreezes {
        calendar: large,
        ..ImportFreezes::default()
    };
    assert_eq!(
        program
            .client
            .import_freezes(&wish)
            .await
            .unwrap()
            .added
            .len(),
        1
    );
}

#[tokio::test]
async fn who_has_its_address_reads_a_calendar_until_it_is_removed() {
    let (program, addon) = Program::with_a_database().await;
    let run = RunMaintenance::default();
    program.client.run(addon.id, &run).await.unwrap();
    program.world.finish(addon.id, End::Succeeded, None);
    program.world.prepare_ahead();
    for (from, to) in [
        ("2029-12-20", "2030-01-03"),
        ("12-20", "01-03"),
        ("friday 16:00", "monday 8:00"),
        ("monday 8:00", "monday 7:00"),
    ] {
        let freeze = AddFreeze {
            app: None,
            because: "closing".to_owned(),
            from: from.to_owned(),
            time_zone: Some("Europe/Berlin".to_owned()),
            to: to.to_owned(),
        };
        program.client.add_freeze(&freeze).await.unwrap();
    }
    let wish = AddCalendar {
        app: Some(addon.app.name),
    };
    let added = program.client.add_calendar(&wish).await.unwrap();
    let path = added.feed.unwrap();
    let read = program.without_token(&path).send().await.unwrap();
    assert_eq!(read.status(), 200);
    assert_eq!(
        read.headers()["content-type"],
        "text/calendar; charset=utf-8"
    );
    insta::assert_snapshot!(read.text().await.unwrap().replace("\r\n", "\n"));

    // It opens nothing else, and nothing else opens it.
    for other in [
        path.replace("feed.ics", ""),
        "/upkeep/v1/calendars".to_owned(),
        "/upkeep/v1/fleet".to_owned(),
    ] {
        let refused = program.without_token(&other).send().await.unwrap();
        assert_eq!(refused.status(), 401, "{other}");
    }
    let guessed = "/upkeep/v1/calendars/1/feed.ics";
    let refused = program.without_token(guessed).send().await.unwrap();
    assert_eq!(refused.status(), 404);
    let listed = program.client.calendars().await.unwrap();
    assert_eq!((listed.len(), &listed[0].feed), (1, &None));

    program.client.remove_calendar(added.id).await.unwrap();
    let gone = program.without_token(&path).send().await.unwrap();
    assert_eq!(gone.status(), 404);
    let again = program.client.remove_calendar(added.id).await.unwrap_err();
    assert!(again.to_string().contains("no calendar 1"), "{again}");
}
