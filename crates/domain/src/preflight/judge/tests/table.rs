//! What is seen, and what becomes of it.

use super::*;

/// Changes one thing in a clean case: the check that sees it, its verdict, and what it says.
pub(super) type Row = (Check, Verdict, &'static str, fn(&mut Case));

pub(super) const TABLE: &[Row] = &[
    (
        Check::Primary,
        Verdict::Blocked,
        "does not run as a primary",
        |c| {
            c.primary.process = ProcessState::Stopped;
        },
    ),
    (
        Check::Primary,
        Verdict::Blocked,
        "does not run as a primary",
        |c| {
            c.primary.in_recovery = Some(true);
        },
    ),
    (
        Check::Release,
        Verdict::Blocked,
        "is not in the store any more",
        |c| c.target = None,
    ),
    (
        Check::Release,
        Verdict::Blocked,
        "the minor is older",
        |c| {
            c.target = Some(release("15.17-b"));
        },
    ),
    (
        Check::Release,
        Verdict::Blocked,
        "cannot be read by major version 16",
        |c| {
            c.target = Some(release("16.1-b"));
        },
    ),
    (
        Check::Release,
        Verdict::Blocked,
        "breaks the binary interface",
        |c| {
            c.present = Some(release("15.8-a"));
            c.facts.running = Some(Version::new(15, 8));
            c.target = Some(release("15.9-b"));
        },
    ),
    (
        Check::Binary,
        Verdict::Warning,
        "runs 15.17, but its release is recorded as 15.18",
        |c| {
            c.facts.running = Some(Version::new(15, 17));
        },
    ),
    (Check::Room, Verdict::Blocked, "not enough room", |c| {
        c.room.available_bytes = 1 << 20;
    }),
    (
        Check::Transactions,
        Verdict::Warning,
        "has been open for 61 s",
        |c| {
            c.facts.oldest_transaction = Some(OpenTransaction {
                age_ms: 61_000,
                who: "role `app`".to_owned(),
            });
        },
    ),
    (
        Check::Transactions,
        Verdict::Pass,
        "no long transaction",
        |c| {
            c.facts.oldest_transaction = Some(OpenTransaction {
                age_ms: 100,
                who: "role `app`".to_owned(),
            });
        },
    ),
    (
        Check::PreparedTransactions,
        Verdict::Warning,
        "(`old`) 172800 s ago",
        |c| {
            c.facts.prepared_transactions = vec![PreparedTransaction {
                gid: "old".to_owned(),
                age_s: 172_800,
            }];
        },
    ),
    (
        Check::PreparedTransactions,
        Verdict::Pass,
        "they survive with their locks",
        |c| {
            c.facts.prepared_transactions = vec![PreparedTransaction {
                gid: "young".to_owned(),
                age_s: 3,
            }];
        },
    ),
    (
        Check::UnloggedTables,
        Verdict::Blocked,
        "would be emptied: public.cache",
        |c| {
            c.facts.unlogged_tables = list(&["public.cache"]);
        },
    ),
    (
        Check::LogicalSlots,
        Verdict::Blocked,
        "would be lost: cdc (wal2json)",
        |c| {
            c.facts.slots = vec![slot("cdc", Some("wal2json"))];
        },
    ),
    (Check::LogicalSlots, Verdict::Pass, "go along: cdc", |c| {
        c.facts.slots = vec![marked("cdc")];
    }),
    (
        Check::LogicalSlots,
        Verdict::Blocked,
        "would be lost: late (pgoutput, not synchronised yet)",
        |c| {
            c.facts.slots = vec![marked("cdc"), marked("late")];
            c.carried_slots = Some(["cdc".to_owned()].into());
        },
    ),
    (
        Check::PhysicalSlots,
        Verdict::Warning,
        "dr (not in use, keeps 64 MB of WAL, WAL lost)",
        |c| {
            c.facts.slots = vec![Slot {
                retained_bytes: Some(64 << 20),
                wal_status: Some("lost".to_owned()),
                ..slot("dr", None)
            }];
        },
    ),
    (
        Check::PhysicalSlots,
        Verdict::Pass,
        "no physical replication slots of others",
        |c| {
            c.facts.slots = vec![slot("upkeep_own", None)];
        },
    ),
    (
        Check::SynchronousStandbyNames,
        Verdict::Warning,
        "is `*`",
        |c| {
            c.facts.synchronous_standby_names = "*".to_owned();
        },
    ),
    (
        Check::SynchronizedStandbySlots,
        Verdict::Warning,
        "slots that nobody uses: upkeep_0198c7a4b0c87f3e9d2a5b6c7d8e9f00, gone",
        |c| {
            // Made for a standby of ours, so that no other check minds it.
            let idle = slot("upkeep_0198c7a4b0c87f3e9d2a5b6c7d8e9f00", None);
            let own = Slot {
                active: true,
                ..slot("upkeep_own", None)
            };
            c.facts.synchronized_standby_slots =
                [&own.name, &idle.name, "gone"].map(str::to_owned).to_vec();
            c.facts.slots = vec![own, idle];
        },
    ),
    (Check::BypassingSessions, Verdict::Warning, "psql", |c| {
        c.facts.bypassing_sessions = list(&["upkeep (psql)"]);
    }),
    (
        Check::Archiving,
        Verdict::Warning,
        "0000000100000000000000AB was not archived",
        |c| {
            c.facts.archiving = Archiving {
                on: true,
                configured: true,
                failed_count: 7,
                failing: Some("0000000100000000000000AB".to_owned()),
            };
        },
    ),
    (
        Check::Archiving,
        Verdict::Warning,
        "neither archive_command",
        |c| c.facts.archiving.on = true,
    ),
    (Check::Archiving, Verdict::Pass, "without failures", |c| {
        c.facts.archiving.on = true;
        c.facts.archiving.configured = true;
    }),
    (
        Check::Settings,
        Verdict::Blocked,
        "max_connections would be 140, and is 400",
        |c| {
            c.facts.floors = vec![floor("max_connections", 400, Some(400))];
        },
    ),
    (
        Check::Settings,
        Verdict::Pass,
        "nothing that replay needs",
        |c| {
            c.facts.floors = vec![Floor {
                by_system: true,
                ..floor("max_connections", 400, Some(400))
            }];
        },
    ),
    (
        Check::Settings,
        Verdict::Blocked,
        "max_worker_processes would be 4, and is 8",
        |c| {
            c.facts.floors = vec![floor("max_worker_processes", 8, Some(4))];
        },
    ),
    (
        Check::Followers,
        Verdict::Blocked,
        "`reader` has max_connections 100, and its leader would have 140",
        |c| {
            c.followers[0].floors = [("max_connections".to_owned(), 100)].into();
        },
    ),
    (
        Check::Followers,
        Verdict::Blocked,
        "has max_connections 140, and its leader would have 200",
        |c| {
            c.way = Way::RESTART;
            c.facts.floors = vec![floor("max_connections", 140, Some(200))];
            c.followers[0].floors = [("max_connections".to_owned(), 140)].into();
        },
    ),
    (
        Check::Followers,
        Verdict::Blocked,
        "replay late on purpose: `reader`",
        |c| {
            c.followers[0].delay_ms = 600_000;
        },
    ),
    (
        Check::Followers,
        Verdict::Warning,
        "older minor release than their leader: `reader` (15.18)",
        |c| {
            c.followers[0].running = Some(Version::new(15, 18));
        },
    ),
    (Check::Tablespaces, Verdict::Blocked, "fast", |c| {
        c.facts.tablespaces = list(&["fast"]);
    }),
    (
        Check::Extensions,
        Verdict::Blocked,
        "not in `15.20-b`: postgis",
        |c| {
            c.facts.extensions.push("postgis".to_owned());
        },
    ),
    (
        Check::Libraries,
        Verdict::Blocked,
        "not in `15.20-b`: pg_cron",
        |c| {
            c.facts.missing_libraries = Some(list(&["pg_cron"]));
        },
    ),
    (
        Check::Collations,
        Verdict::Blocked,
        "ICU 60, and indexes were ordered by ICU 72",
        |c| {
            c.facts.icu = Icu {
                present: Some(72),
                target: Some(60),
            };
            c.facts.icu_indexes = list(&["public.t_name"]);
        },
    ),
    (
        Check::Collations,
        Verdict::Pass,
        "of the version that is recorded",
        |c| {
            c.facts.icu = Icu {
                present: Some(72),
                target: Some(60),
            };
        },
    ),
    (
        Check::Collations,
        Verdict::Warning,
        "en_US (2.35, now 2.36)",
        |c| {
            c.facts.outdated_collations = vec![Collation {
                name: "en_US".to_owned(),
                recorded: "2.35".to_owned(),
                actual: "2.36".to_owned(),
            }];
        },
    ),
    (
        Check::ColumnOptions,
        Verdict::Warning,
        "pg_attver (12 columns)",
        |c| {
            c.facts.column_options = vec![ColumnOption {
                name: "pg_attver".to_owned(),
                columns: 12,
            }];
        },
    ),
    (
        Check::Configuration,
        Verdict::Blocked,
        "postgresql.conf line 3",
        |c| {
            c.dry_start.findings = vec![obstacle("postgresql.conf", 3, "syntax error")];
        },
    ),
    (Check::Configuration, Verdict::Blocked, "and 2 more", |c| {
        let one = |line| obstacle("pg_hba.conf", line, "invalid method");
        c.dry_start.findings = (1..=7).map(one).collect();
    }),
    (
        Check::Sessions,
        Verdict::Warning,
        "closed: 2 temporary tables",
        |c| {
            c.prepared = Some(Prepared {
                sessions: 9,
                unmovable: [("temporary tables".to_owned(), 2)].into(),
                ..Prepared::default()
            });
        },
    ),
    (
        Check::Sessions,
        Verdict::Warning,
        "cannot be read whole: 1 settings",
        |c| {
            c.prepared = Some(Prepared {
                at_risk: [("settings".to_owned(), 1)].into(),
                ..Prepared::default()
            });
        },
    ),
    (Check::Sessions, Verdict::Pass, "all 9 sessions", |c| {
        c.prepared = Some(Prepared {
            sessions: 9,
            ..Prepared::default()
        });
    }),
    (
        Check::BackgroundJobs,
        Verdict::Warning,
        "pg_cron launcher",
        |c| {
            c.facts.background_jobs = list(&["pg_cron launcher"]);
        },
    ),
    (
        Check::RelationFiles,
        Verdict::Warning,
        "200000 files",
        |c| c.facts.relation_files = 200_000,
    ),
    (
        Check::MinorReleases,
        Verdict::Warning,
        "1 things are to be done",
        |c| {
            c.facts.findings = vec![finding(Detector::GinIndex, "public.gin")];
        },
    ),
    (
        Check::MinorReleases,
        Verdict::Warning,
        "1 things and 4 more like them",
        |c| {
            let one = finding(Detector::GinIndex, "public.gin");
            c.facts.findings = vec![Finding { total: 5, ..one }];
        },
    ),
    (
        Check::MinorReleases,
        Verdict::Pass,
        "demands anything",
        |c| {
            c.facts.findings = vec![finding(Detector::BrinIndex, "public.brin")];
        },
    ),
    (
        Check::MinorReleases,
        Verdict::Warning,
        "could be looked for: too slow",
        |c| {
            c.facts.findings = vec![Finding {
                total: 0,
                found: Vec::new(),
                failed: Some("too slow".to_owned()),
                ..finding(Detector::GinIndex, "x")
            }];
        },
    ),
    (
        Check::MinorReleases,
        Verdict::Warning,
        "what 15.21 demands is not known",
        |c| {
            c.target = Some(release("15.21-b"));
        },
    ),
];
