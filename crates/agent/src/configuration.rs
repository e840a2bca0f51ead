//! The configuration that Upkeep owns: who may connect, where the server listens, what replication
//! needs. It lies apart from the user's own, is read after it, and is written whole each time.
//!
//! What must not be overruled even by `ALTER SYSTEM` goes onto the command line instead.

use std::collections::BTreeSet;
use std::fmt::Write;

use nix::unistd::{Uid, User, geteuid};
use postgres_protocol::escape::escape_literal;
use upkeep_domain::instance::{Address, Identity, InstanceSettings, TOKEN_SETTING};

use crate::command::RunAs;
use crate::durable;
use crate::known_good::FILES;
use crate::layout::{PORT, Places};
use crate::record::{Record, Upstream};

/// Our own role in every instance.
pub(crate) const SUPERUSER: &str = "upkeep";
/// The endpoint's role: reads verifiers, nothing else.
pub(crate) const ENDPOINT_ROLE: &str = "upkeep_endpoint";
/// Where `ALTER SYSTEM` writes; read last of all files.
const BY_SYSTEM: &str = "postgresql.auto.conf";
/// A follower may; whoever is to take over may not.
const REPLAYS_LATE: &str = "recovery_min_apply_delay";

/// Writes all of it. Readable by everybody: there is nothing secret in it.
pub(crate) fn write(
    places: &Places,
    record: &Record,
    run_as: Option<&RunAs>,
) -> Result<(), durable::Error> {
    let (conf, data) = (places.conf(), places.data());
    let main = format!(
        "include_if_exists {}\ninclude {}\n",
        quoted(&data.join("postgresql.conf").display().to_string()),
        quoted(&conf.join("upkeep.conf").display().to_string()),
    );
    let files = [
        ("postgresql.conf", main),
        ("upkeep.conf", settings(record)),
        ("pg_hba.conf", HBA.to_owned()),
        ("pg_ident.conf", ident(run_as)),
    ];
    for (name, text) in files {
        let path = conf.join(name);
        // Flushing what is there already would cost a restart milliseconds.
        if std::fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
            continue;
        }
        durable::write(&path, text.as_bytes(), 0o644, None)?;
    }
    Ok(())
}

/// What nobody may overrule. The server says with it in which data directory it works, to whoever may
/// not read the token there.
pub(crate) fn arguments(places: &Places, identity: &Identity) -> Vec<String> {
    let conf = places.conf();
    let path = |name: &str| conf.join(name).display().to_string();
    [
        ("config_file", path("postgresql.conf")),
        ("hba_file", path("pg_hba.conf")),
        ("ident_file", path("pg_ident.conf")),
        ("listen_addresses", String::new()),
        ("port", PORT.to_string()),
        (
            "unix_socket_directories",
            places.socket_dir.display().to_string(),
        ),
        ("unix_socket_permissions", "0777".to_owned()),
        (TOKEN_SETTING, identity.token.clone()),
    ]
    .into_iter()
    .flat_map(|(name, value)| ["-c".to_owned(), format!("{name}={value}")])
    .collect()
}

const HBA: &str = "\
# Upkeep's own; rewritten at every start.
local  replication  upkeep           peer map=upkeep
local  all          upkeep           peer map=upkeep
local  postgres     upkeep_endpoint  peer map=upkeep
local  all          upkeep_endpoint  reject
local  all          all              scram-sha-256
";

fn ident(run_as: Option<&RunAs>) -> String {
    let name = |uid: Uid| User::from_uid(uid).ok().flatten().map(|user| user.name);
    let ours = [
        Some(Uid::from_raw(0)),
        Some(geteuid()),
        run_as.map(|user| Uid::from_raw(user.uid)),
    ];
    let users: BTreeSet<String> = ours.into_iter().flatten().filter_map(name).collect();
    let mut text = String::new();
    for user in users {
        for role in [SUPERUSER, ENDPOINT_ROLE] {
            let _ = writeln!(text, "upkeep \"{user}\" {role}");
        }
    }
    text
}

fn settings(record: &Record) -> String {
    let InstanceSettings {
        max_connections,
        shared_buffers_mb,
        wal_keep_size_mb,
        effective_cache_size_mb,
        work_mem_mb,
    } = &record.settings;
    let mut text = format!(
        "max_connections = {max_connections}
shared_buffers = {shared_buffers_mb}MB
wal_keep_size = {wal_keep_size_mb}MB
wal_level = replica
wal_log_hints = on
max_wal_senders = 10
max_replication_slots = 10
hot_standby = on
password_encryption = scram-sha-256
recovery_target_timeline = latest
logging_collector = off
log_destination = stderr
log_line_prefix = '%m [%p] %q%u@%d '
log_checkpoints = on
log_lock_waits = on
"
    );
    let said = [
        ("effective_cache_size", effective_cache_size_mb),
        ("work_mem", work_mem_mb),
    ];
    for (name, mb) in said {
        if let Some(mb) = mb {
            let _ = writeln!(text, "{name} = {mb}MB");
        }
    }
    if let Some(Upstream { address, slot }) = &record.upstream {
        let mut conninfo = conninfo(address, slot);
        if record.syncs_slots {
            conninfo.push_str(" dbname=postgres");
            text.push_str("sync_replication_slots = on\nhot_standby_feedback = on\n");
        }
        let _ = writeln!(text, "primary_conninfo = {}", quoted(&conninfo));
        let _ = writeln!(text, "primary_slot_name = {}", quoted(slot));
        // The copied `postgresql.conf` may name who confirms commits of the source; after a
        // promotion nobody would. `ALTER SYSTEM` can set it anew.
        text.push_str("synchronous_standby_names = ''\n");
    }
    text
}

/// How a copy reaches its source.
pub(crate) fn conninfo(address: &Address, slot: &str) -> String {
    let (host, port) = (in_conninfo(address.host()), address.port());
    let slot = in_conninfo(slot);
    format!("host={host} port={port} user={SUPERUSER} application_name={slot}")
}

/// A value in what libpq is told.
fn in_conninfo(value: &str) -> String {
    format!("'{}'", value.replace('\\', r"\\").replace('\'', r"\'"))
}

/// A value in `postgresql.conf`.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\\', r"\\").replace('\'', "''"))
}

/// A value in SQL.
pub(crate) fn literal(value: &str) -> String {
    escape_literal(value)
}

/// Takes out of a copied `postgresql.auto.conf` what was true of the source only: whom it follows,
/// who must confirm its commits, and where a recovery ends.
pub(crate) fn forget_what_must_not_travel(
    places: &Places,
    run_as: Option<&RunAs>,
) -> Result<(), durable::Error> {
    let path = places.data().join(BY_SYSTEM);
    let Some(text) = durable::read(&path)? else {
        return Ok(());
    };
    durable::write(&path, &travelling(&text), 0o600, run_as)
}

/// What people have set on a follower on this host, for the copy that is put in its place.
pub(crate) fn take_from(
    other: &Places,
    own: &Places,
    run_as: Option<&RunAs>,
) -> Result<(), durable::Error> {
    for name in FILES {
        if let Some(text) = durable::read(&other.data().join(name))? {
            let text = only(&text, stays_in_place);
            durable::write(&own.data().join(name), &text, 0o600, run_as)?;
        }
    }
    Ok(())
}

/// What `ALTER SYSTEM` would do, to a server that does not run.
pub(crate) fn set(
    places: &Places,
    name: &str,
    value: i64,
    run_as: Option<&RunAs>,
) -> Result<(), durable::Error> {
    let path = places.data().join(BY_SYSTEM);
    let mut text = durable::read(&path)?.unwrap_or_default();
    // The last line of a name is the one that counts.
    text.extend(format!("\n{name} = '{value}'\n").bytes());
    durable::write(&path, &text, 0o600, run_as)
}

/// A file of settings without what is true of its server only.
pub(crate) fn travelling(text: &[u8]) -> Vec<u8> {
    only(text, travels)
}

fn only(text: &[u8], stays: impl Fn(&str) -> bool) -> Vec<u8> {
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    let kept = lines.filter(|line| stays(&name_in(&String::from_utf8_lossy(line))));
    kept.flatten().copied().collect()
}

/// Of what a line sets; names have no case.
fn name_in(line: &str) -> String {
    let name = line.trim_start().split(['=', ' ', '\t']).next();
    name.unwrap_or_default().to_lowercase()
}

/// From a server to whoever takes its place or follows it.
fn travels(name: &str) -> bool {
    stays_in_place(name) && name != REPLAYS_LATE
}

/// From a follower to the one that is put in its place.
fn stays_in_place(name: &str) -> bool {
    const STAYS: [&str; 5] = [
        "primary_conninfo",
        "primary_slot_name",
        "synchronous_standby_names",
        "synchronized_standby_slots",
        "recovery_end_command",
    ];
    !STAYS.contains(&name) && !name.starts_with("recovery_target")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_true_of_the_source_only_does_not_travel() {
        for line in [
            "primary_conninfo = 'host=x'",
            "  Synchronous_Standby_Names='*'",
            "recovery_target_lsn = '0/1'",
        ] {
            assert!(!travels(&name_in(line)), "{line}");
            assert!(!stays_in_place(&name_in(line)), "{line}");
        }
        for line in [
            "work_mem = '64MB'",
            "# recovery_target",
            "",
            "primary_keys = 1",
            "recovery_prefetch = off",
        ] {
            assert!(travels(&name_in(line)), "{line}");
        }
        let late = name_in("recovery_min_apply_delay = '1h'");
        assert!(!travels(&late) && stays_in_place(&late));
    }

    #[test]
    fn a_value_cannot_end_its_own_quotes() {
        assert_eq!(quoted("a'b"), "'a''b'");
        assert_eq!(quoted(r"a\"), r"'a\\'");
        assert_eq!(in_conninfo(r"a b'\"), r"'a b\'\\'");
    }

    fn record(settings: InstanceSettings) -> Record {
        Record::new("15.18-system".parse().unwrap(), settings)
    }

    #[test]
    fn a_copy_waits_for_no_standby_of_its_source() {
        let upstream = Upstream {
            address: Address::Unix {
                directory: "/a folder".to_owned(),
                port: PORT,
            },
            slot: "copy".to_owned(),
        };
        let wanted = InstanceSettings {
            max_connections: 20,
            shared_buffers_mb: 16,
            wal_keep_size_mb: 64,
            effective_cache_size_mb: Some(48),
            work_mem_mb: None,
        };
        let mut record = record(wanted);
        let emptied = "\nsynchronous_standby_names = ''\n";
        assert!(!settings(&record).contains(emptied));
        record.upstream = Some(upstream);
        let text = settings(&record);
        assert!(text.contains(emptied));
        assert!(text.contains("host=''/a folder'' port="));
        assert!(!text.contains("dbname"), "{text}");
        record.syncs_slots = true;
        let text = settings(&record);
        assert!(text.contains(" dbname=postgres'\n"), "{text}");
    }

    #[test]
    fn what_a_plan_does_not_say_is_left_to_postgres() {
        let wanted = InstanceSettings {
            max_connections: 20,
            shared_buffers_mb: 16,
            wal_keep_size_mb: 64,
            effective_cache_size_mb: Some(48),
            work_mem_mb: None,
        };
        let text = settings(&record(wanted));
        assert!(text.contains("\neffective_cache_size = 48MB\n"), "{text}");
        assert!(!text.contains("work_mem"), "{text}");
    }
}
