//! Over one table of hazards, and what a report is as a whole.

mod table;

use super::*;
use crate::dry_start;
use crate::instance::ProcessState;
use crate::preflight::{
    Archiving, Collation, ColumnOption, Finding, Floor, Found, Icu, List, OpenTransaction,
    PreparedTransaction, Slot, grant,
};
use crate::release::Source;
use crate::release::knowledge::Detector;
use table::{Row, TABLE};

fn release(name: &str) -> Release {
    let (version, _) = name.split_once('-').unwrap();
    Release {
        name: name.parse().unwrap(),
        version: version.parse().unwrap(),
        source: Source::System { dir: "/".into() },
        bin_dir: "/bin".into(),
        library_dir: None,
        programs: [].into(),
        extensions: ["plpgsql", "ltree"].map(str::to_owned).into(),
        tls: true,
        icu: true,
        relocatable: false,
        added_ms: 0,
    }
}

fn observation() -> Observation {
    Observation {
        instance: crate::id::InstanceId(uuid::Uuid::nil()),
        process: ProcessState::Running,
        release: None,
        version: None,
        address: None,
        identity: None,
        accepts_connections: true,
        in_recovery: Some(false),
        timeline: None,
        flushed_lsn: None,
        replayed_lsn: None,
        run: None,
        streaming: None,
        backup: None,
        disarmed: false,
        promotion_requested: false,
        fence: crate::instance::FenceMeans::default(),
        free_bytes: None,
        replay_held_back: None,
        waiting_settings: None,
    }
}

/// A changeover from 15.18 to 15.20 of a database in which nothing is wrong.
struct Case {
    run: Run,
    way: Way,
    primary: Observation,
    present: Option<Release>,
    target: Option<Release>,
    settings: InstanceSettings,
    room: Room,
    dry_start: DryStart,
    facts: Facts,
    prepared: Option<Prepared>,
    followers: Vec<FollowerFacts>,
    carried_slots: Option<BTreeSet<String>>,
    waivers: Vec<Waiver>,
}

impl Case {
    fn new() -> Self {
        Self {
            run: Run::Before,
            way: Way::CHANGEOVER,
            primary: observation(),
            present: Some(release("15.18-a")),
            target: Some(release("15.20-b")),
            settings: InstanceSettings {
                max_connections: 140,
                shared_buffers_mb: 256,
                wal_keep_size_mb: 1024,
                effective_cache_size_mb: None,
                work_mem_mb: None,
            },
            room: Room {
                available_bytes: 1 << 40,
                needed_bytes: 1 << 30,
            },
            dry_start: DryStart::default(),
            facts: Facts {
                running: Some(Version::new(15, 18)),
                floors: vec![floor("max_connections", 140, Some(140))],
                extensions: vec!["plpgsql".to_owned()],
                missing_libraries: Some(List::default()),
                ..Facts::default()
            },
            prepared: None,
            followers: vec![FollowerFacts {
                name: "reader".to_owned(),
                running: Some(Version::new(15, 99)),
                floors: [("max_connections".to_owned(), 1000)].into(),
                delay_ms: 0,
            }],
            carried_slots: None,
            waivers: Vec::new(),
        }
    }

    fn report(&self) -> Report {
        let situation = Situation {
            run: self.run,
            way: self.way,
            primary: &self.primary,
            release_before: "15.18-a",
            release_after: "15.20-b",
            present: self.present.as_ref(),
            target: self.target.as_ref(),
            settings: &self.settings,
            own_slot: Some("upkeep_own"),
            room: Some(self.room),
            dry_start: Some(&self.dry_start),
            facts: Some(&self.facts),
            prepared: self.prepared.as_ref(),
            followers: &self.followers,
            carried_slots: self.carried_slots.as_ref(),
        };
        judge(&situation, &self.waivers)
    }
}

fn floor(name: &str, running: i64, on_file: Option<i64>) -> Floor {
    Floor {
        name: name.to_owned(),
        running,
        on_file,
        by_system: false,
    }
}

fn list(names: &[&str]) -> List {
    names.iter().copied().collect()
}

fn slot(name: &str, plugin: Option<&str>) -> Slot {
    Slot {
        name: name.to_owned(),
        plugin: plugin.map(str::to_owned),
        ..Slot::default()
    }
}

/// For failover.
fn marked(name: &str) -> Slot {
    Slot {
        failover: true,
        ..slot(name, Some("pgoutput"))
    }
}

fn obstacle(file: &str, line: u32, sentence: &str) -> dry_start::Finding {
    dry_start::Finding {
        file: Some(file.to_owned()),
        line: Some(line),
        setting: None,
        sentence: sentence.to_owned(),
        hint: "put it right".to_owned(),
    }
}

fn finding(detector: Detector, object: &str) -> Finding {
    Finding {
        detector,
        total: 1,
        found: vec![Found {
            object: object.to_owned(),
            command: format!("REINDEX INDEX CONCURRENTLY {object}"),
        }],
        failed: None,
    }
}

#[test]
fn each_hazard_is_seen_by_its_check_and_by_no_other() {
    for (number, (check, verdict, says, change)) in TABLE.iter().enumerate() {
        let mut case = Case::new();
        change(&mut case);
        let report = case.report();
        let judged = report.find(*check);
        let judged = judged.unwrap_or_else(|| panic!("row {number}: {check} is not in the report"));
        assert_eq!(judged.verdict, *verdict, "row {number}: {judged:?}");
        assert!(judged.seen.contains(says), "row {number}: {judged:?}");
        assert_eq!(
            judged.todo.is_some(),
            *verdict != Verdict::Pass,
            "row {number}: what is wrong says what to do: {judged:?}"
        );
        let others = report.checks.iter().filter(|other| other.check != *check);
        for other in others {
            assert_eq!(other.verdict, Verdict::Pass, "row {number}: {other:?}");
        }
    }
}

#[test]
fn a_clean_database_passes_every_check() {
    let report = Case::new().report();
    assert_eq!(report.verdict(), Verdict::Pass, "{report:?}");
    assert_eq!(report.blocked(), None);
    assert_eq!(report.actions, []);
    let asked: Vec<Check> = report.checks.iter().map(|judged| judged.check).collect();
    let all = Check::ALL.into_iter();
    let all: Vec<Check> = all.filter(|check| *check != Check::Sessions).collect();
    assert_eq!(asked, all, "in the order in which people read them");
}

#[test]
fn every_check_is_in_the_table() {
    for check in Check::ALL {
        let bad = |row: &&Row| row.0 == check && row.1 != Verdict::Pass;
        assert!(TABLE.iter().any(|row| bad(&row)), "{check}");
    }
}

#[test]
fn what_blocks_is_told_in_a_sentence_with_what_to_do() {
    let mut case = Case::new();
    case.facts.unlogged_tables = list(&["public.cache"]);
    case.facts.tablespaces = list(&["fast"]);
    let sentence = case.report().blocked().unwrap();
    assert!(sentence.starts_with("unlogged tables would be emptied: public.cache (make"));
    assert!(sentence.contains("; there are tablespaces"), "{sentence}");
}

#[test]
fn a_waiver_turns_its_check_into_a_warning_that_names_it() {
    let mut case = Case::new();
    case.facts.unlogged_tables = list(&["public.cache"]);
    case.facts.slots = vec![slot("cdc", Some("wal2json"))];
    case.waivers = vec![grant("unlogged_tables", "a cache", "ama").unwrap()];
    let report = case.report();
    let waived = report.find(Check::UnloggedTables).unwrap();
    assert_eq!(waived.verdict, Verdict::Warning);
    assert_eq!(waived.waived.as_ref(), case.waivers.first());
    let sentence = report.blocked().expect("the slots are not waived");
    assert!(!sentence.contains("unlogged"), "{sentence}");
}

#[test]
fn a_waiver_of_what_cannot_be_waived_has_no_effect() {
    let mut case = Case::new();
    case.room.available_bytes = 0;
    case.waivers = vec![Waiver {
        check: Check::Room,
        by: "somebody who writes rows".to_owned(),
        because: "it fits".to_owned(),
    }];
    assert_eq!(case.report().verdict(), Verdict::Blocked);
}

#[test]
fn what_is_not_promoted_loses_nothing() {
    let mut case = Case::new();
    case.way = Way::RESTART;
    case.facts.unlogged_tables = list(&["public.cache"]);
    case.facts.slots = vec![slot("cdc", Some("wal2json"))];
    case.facts.tablespaces = list(&["fast"]);
    case.followers[0].delay_ms = 600_000;
    let report = case.report();
    assert_eq!(report.verdict(), Verdict::Pass, "{report:?}");
}

#[test]
fn what_a_start_would_put_into_effect_is_told_and_no_obstacle() {
    let mut case = Case::new();
    case.dry_start.waiting = vec![dry_start::WaitingSetting {
        name: "max_connections".to_owned(),
        before: "100".to_owned(),
        after: "200".to_owned(),
    }];
    let report = case.report();
    let judged = report.find(Check::Configuration).unwrap();
    assert_eq!(judged.verdict, Verdict::Pass);
    assert!(
        judged.seen.ends_with("takes effect then: max_connections"),
        "{judged:?}"
    );
}

#[test]
fn an_action_names_the_object_the_command_the_minor_and_the_page() {
    let mut case = Case::new();
    case.facts.running = Some(Version::new(15, 12));
    case.present = Some(release("15.12-a"));
    case.facts.findings = vec![
        finding(Detector::BrinBloomIndex, "public.bloom"),
        finding(Detector::GinIndex, "public.gin"),
    ];
    let actions = case.report().actions;
    let told: Vec<(String, &str)> = actions
        .iter()
        .map(|action| (action.minor.to_string(), action.command.as_str()))
        .collect();
    let expected = [
        ("15.13", "REINDEX INDEX CONCURRENTLY public.bloom"),
        ("15.20", "REINDEX INDEX CONCURRENTLY public.gin"),
    ];
    assert_eq!(told, expected.map(|(minor, sql)| (minor.to_owned(), sql)));
    assert!(actions[0].notes.ends_with("release-15-13.html"));
    assert!(actions[0].because.contains("BRIN bloom"), "{actions:?}");
}
