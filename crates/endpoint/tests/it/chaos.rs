//! Many clients, many moves, a fixed seed, and no error.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use upkeep_domain::hold::{HoldReply, ReleaseOnto};
use upkeep_domain::ports::Traffic;
use upkeep_wire::message::frontend;

use crate::postgres::pgbench;
use crate::raw::{RawClient, rows};
use crate::world::{DBNAME, FENCE, World, wait_until};

const CLIENTS: u64 = 6;
const LASTS: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(10);

/// xorshift: the same choices in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Does something at random, and knows the answer.
async fn act(client: &mut RawClient, dice: &mut Dice, memory: &mut Memory) {
    match dice.roll(8) {
        0 => {
            memory.tenant = dice.roll(1000);
            client
                .rows(&format!("SET app.tenant = '{}'", memory.tenant))
                .await;
        }
        1 => {
            let seen = client
                .rows("SELECT current_setting('app.tenant', true)")
                .await;
            assert_eq!(seen, [[memory.tenant.to_string()]]);
        }
        2 => {
            client.rows("BEGIN").await;
            client.rows("INSERT INTO t VALUES (1)").await;
            client.rows("SELECT count(*) FROM t").await;
            client.rows("COMMIT").await;
            memory.written += 1;
        }
        3 => {
            let mut out = Vec::new();
            for value in ["1", "2", "3"] {
                frontend::bind(&mut out, "", "double", &[Some(value)]);
                frontend::execute(&mut out, "", 0);
                frontend::sync(&mut out);
            }
            client.send(&out).await;
            for expected in ["2", "4", "6"] {
                assert_eq!(rows(&client.until_ready().await), [[expected]]);
            }
        }
        4 => {
            let mut out = Vec::new();
            frontend::query(&mut out, "COPY t FROM STDIN");
            frontend::copy_data(&mut out, b"5\n6\n");
            frontend::copy_done(&mut out);
            client.send(&out).await;
            client.until_ready().await;
            memory.written += 2;
        }
        5 => {
            let sql =
                "SELECT length(string_agg(repeat('x', 1000), '')) FROM generate_series(1, 300)";
            assert_eq!(client.rows(sql).await, [["300000"]]);
        }
        6 => {
            let failed = client.query("SELECT 1/0").await;
            assert_eq!(crate::raw::tags(&failed), "EZ");
        }
        _ => {
            let held = client
                .rows(&format!("SELECT pg_advisory_unlock({})", memory.lock))
                .await;
            assert_eq!(held, [["t"]]);
            memory.lock += CLIENTS;
            client
                .rows(&format!("SELECT pg_advisory_lock({})", memory.lock))
                .await;
        }
    }
}

struct Memory {
    tenant: u64,
    written: i64,
    lock: u64,
}

async fn live(
    mut client: RawClient,
    number: u64,
    stop: Arc<AtomicBool>,
    acts: Arc<AtomicU64>,
) -> i64 {
    let mut dice = Dice(0x9E37_79B9 + number * 7919);
    let mut memory = Memory {
        tenant: 0,
        written: 0,
        lock: number,
    };
    client.rows("SET app.tenant = '0'").await;
    client
        .rows(&format!("SELECT pg_advisory_lock({number})"))
        .await;
    let mut parse = Vec::new();
    frontend::parse(&mut parse, "double", "SELECT $1::int * 2", &[]);
    frontend::sync(&mut parse);
    client.send(&parse).await;
    client.until_ready().await;
    while !stop.load(Ordering::Relaxed) {
        act(&mut client, &mut dice, &mut memory).await;
        acts.fetch_add(1, Ordering::Relaxed);
    }
    memory.written
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_are_moved_at_random_moments_never_notice() {
    let world = World::new().await;
    let mut owner = world.raw().await;
    owner.rows("CREATE TABLE t (n int)").await;
    let (stop, acts) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let mut load = JoinSet::new();
    for number in 0..CLIENTS {
        load.spawn(live(
            world.raw().await,
            number,
            Arc::clone(&stop),
            Arc::clone(&acts),
        ));
    }
    let target = world.primary.target().await;
    let mut dice = Dice(42);
    let (mut moves, began) = (0, Instant::now());
    while began.elapsed() < LASTS {
        if dice.roll(2) == 0 {
            world.prepare(&target).await;
        }
        let until = acts.load(Ordering::Relaxed) + dice.roll(40);
        wait_until("clients act", PATIENCE, async || {
            acts.load(Ordering::Relaxed) >= until
        })
        .await;
        let HoldReply::Held { .. } = world.hold().await else {
            panic!("blocked")
        };
        if dice.roll(4) == 0 {
            world.release_same().await;
        } else {
            let onto = ReleaseOnto::Replacement {
                target: target.clone(),
            };
            world.endpoint.release(DBNAME, FENCE, &onto).await.unwrap();
            moves += 1;
        }
    }
    stop.store(true, Ordering::Relaxed);
    let written: i64 = load.join_all().await.into_iter().sum();
    println!(
        "{moves} moves of {CLIENTS} clients, {} acts",
        acts.load(Ordering::Relaxed)
    );
    assert!(moves > 5);
    assert_eq!(
        owner.rows("SELECT count(*) FROM t").await,
        [[written.to_string()]]
    );
}

async fn transactions(looker: &mut RawClient) -> u64 {
    let rows = looker.rows("SELECT count(*) FROM pgbench_history").await;
    rows[0][0].parse().unwrap()
}

/// A driver that was not written with any of this in mind. A thread for each client: one that waits
/// in one connection while another has a transaction open would keep the drain waiting.
#[tokio::test(flavor = "multi_thread")]
async fn pgbench_in_every_protocol_never_notices_its_moves() {
    let world = World::new().await;
    let address = world.address;
    let bench = |arguments: &'static [&'static str]| {
        tokio::task::spawn_blocking(move || pgbench(address, arguments))
    };
    bench(&["-i", "-q"]).await.unwrap();
    let running = [
        bench(&["-n", "-M", "simple", "-c", "3", "-j", "3", "-T", "4"]),
        bench(&["-n", "-M", "extended", "-c", "3", "-j", "3", "-T", "4"]),
        bench(&[
            "-n", "-M", "prepared", "-c", "3", "-j", "3", "-T", "4", "-C",
        ]),
        bench(&["-n", "-M", "prepared", "-c", "3", "-j", "3", "-T", "4"]),
    ];
    let mut looker = world.raw().await;
    let mut moves = 0;
    while !running.iter().all(tokio::task::JoinHandle::is_finished) {
        world.move_to_itself(moves % 2 == 0).await;
        moves += 1;
        let before = transactions(&mut looker).await;
        wait_until("transactions go on", PATIENCE, async || {
            let all_over = running.iter().all(tokio::task::JoinHandle::is_finished);
            all_over || transactions(&mut looker).await > before + 20
        })
        .await;
    }
    for finished in running {
        let said = finished.await.unwrap();
        assert!(said.contains("number of failed transactions: 0 "), "{said}");
    }
    println!("{moves} moves under pgbench");
    let sql = "SELECT (SELECT sum(abalance) FROM pgbench_accounts) = sum(delta), count(*) > 100 FROM pgbench_history";
    assert_eq!(looker.rows(sql).await, [["t", "t"]]);
}
