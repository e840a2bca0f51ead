//! The tracker's verdicts against the truth of a live server.

use upkeep_wire::message::frontend as say;

use crate::script::{Dice, message, script, statement};
use crate::server::Server;
use crate::session::Session;

const SEEDS: [u64; 4] = [1, 2, 3, 4];
const ROUNDS: usize = 400;

/// How a script reaches the server.
#[derive(Clone, Copy)]
enum Delivery {
    AtOnce,
    MessageByMessage,
    /// As during a hold: the next cycle only when the last one is answered.
    StopAndWait,
}

#[derive(Default)]
struct Verdicts {
    boundary: usize,
    busy: usize,
}

#[test]
fn after_a_boundary_verdict_a_sync_yields_one_ready_and_nothing_else() {
    let server = Server::start();
    Session::open(&server).query("create table ct(a int)");
    let mut verdicts = Verdicts::default();
    for seed in SEEDS {
        fuzz(&server, seed, &mut verdicts);
    }
    println!("{} boundary, {} busy", verdicts.boundary, verdicts.busy);
    assert!(verdicts.boundary > ROUNDS * SEEDS.len() / 2);
    assert!(
        verdicts.busy > 0,
        "scripts that stop anywhere must show up as busy"
    );
}

#[test]
fn a_copy_abandoned_after_its_error_does_not_confuse_the_next_one() {
    let server = Server::start();
    Session::open(&server).query("create table ct(a int)");
    let mut session = Session::open(&server);
    let mut copy = Vec::new();
    statement(&mut copy, "copy ct from stdin");
    copy.push(message(say::sync));

    session.send(&copy.concat());
    session.send(&message(|b| say::copy_data(b, b"no number\n")));
    session.send(&message(say::flush));
    session.await_server("error", |s| s.heard.ends_with('E'));
    session.send(&message(say::sync));
    session.await_server("boundary", Session::boundary);
    session.prove_boundary().unwrap();

    copy.push(message(|b| say::copy_data(b, b"1\n")));
    copy.push(message(say::copy_done));
    copy.push(message(say::sync));
    copy.push(message(|b| say::query(b, "select pg_sleep(0.2)")));
    session.send(&copy.concat());
    session.await_server("boundary", Session::boundary);
    session.prove_boundary().unwrap();
}

fn fuzz(server: &Server, seed: u64, verdicts: &mut Verdicts) {
    let mut dice = Dice::new(seed);
    let mut open: Option<Session> = None;
    for round in 0..ROUNDS {
        let mut session = open.take().unwrap_or_else(|| listening(server));
        let (messages, whole) = script(&mut dice);
        let delivery = match dice.below(3) {
            0 => Delivery::AtOnce,
            1 => Delivery::MessageByMessage,
            _ => Delivery::StopAndWait,
        };
        deliver(&mut session, &messages, delivery, &mut dice);
        if whole {
            session.await_server("boundary", Session::boundary);
        } else if !session.read_until(Session::boundary) {
            verdicts.busy += 1;
            continue;
        }
        verdicts.boundary += 1;
        if let Err(reply) = session.prove_boundary() {
            let tags: String = messages.iter().map(|m| char::from(m[0])).collect();
            panic!("seed {seed} round {round}: after {tags} the answer is {reply}");
        }
        open = (!dice.percent(5)).then_some(session);
    }
}

fn listening(server: &Server) -> Session {
    let mut session = Session::open(server);
    session.query("listen z");
    session
}

fn deliver(session: &mut Session, messages: &[Vec<u8>], delivery: Delivery, dice: &mut Dice) {
    match delivery {
        Delivery::AtOnce => session.send(&messages.concat()),
        Delivery::MessageByMessage => {
            for message in messages {
                session.send(message);
                if dice.percent(30) {
                    session.read_until(Session::boundary);
                }
            }
        }
        Delivery::StopAndWait => {
            for message in messages {
                session.await_server("answer", |s| !s.tracker.awaits_server());
                session.send(message);
            }
        }
    }
}
