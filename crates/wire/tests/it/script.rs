//! Random client scripts: queries, pipelines, failing statements, COPY in both protocols, cut anywhere.

use upkeep_wire::message::frontend::{self as say, Target};

/// A small generator with a printable seed (SplitMix64): a failure repeats by its seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub(crate) fn percent(&mut self, p: usize) -> bool {
        self.below(100) < p
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

const SINGLE: [&str; 11] = [
    "select 1",
    "select 1/0",
    "selec",
    "begin",
    "commit",
    "rollback",
    "create temp table if not exists x(a int)",
    "select * from generate_series(1,50)",
    "",
    "set work_mem='5MB'",
    "select pg_notify('z','1')",
];
const LINES: [&str; 3] = ["1\n", "zz\n", "5\n6\n"];

type Messages = Vec<Vec<u8>>;

/// One to four units; a third of the scripts stop anywhere, and then `whole` is false.
pub(crate) fn script(dice: &mut Dice) -> (Messages, bool) {
    let mut messages = Vec::new();
    for _ in 0..=dice.below(4) {
        unit(dice, &mut messages);
    }
    let whole = !dice.percent(30);
    if !whole {
        messages.truncate(1 + dice.below(messages.len()));
    }
    (messages, whole)
}

fn unit(dice: &mut Dice, to: &mut Messages) {
    match dice.below(100) {
        0..30 => {
            let several = dice.percent(10);
            let sql = if several {
                "select 1; select 2"
            } else {
                dice.pick(&SINGLE)
            };
            one(to, |b| say::query(b, sql));
        }
        30..65 => pipeline(dice, to),
        65..75 => simple_copy(dice, to),
        75..88 => extended_copy(dice, to),
        88..93 => one(to, |b| say::query(b, "copy (select 1) to stdout")),
        93..97 => one(to, say::sync),
        _ => {
            statement(to, "select 1");
            one(to, say::flush);
            one(to, say::sync);
        }
    }
}

/// The messages `build` makes.
pub(crate) fn message(build: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    build(&mut bytes);
    bytes
}

fn one(to: &mut Messages, build: impl FnOnce(&mut Vec<u8>)) {
    to.push(message(build));
}

pub(crate) fn statement(to: &mut Messages, sql: &str) {
    one(to, |b| say::parse(b, "", sql, &[]));
    one(to, |b| say::bind(b, "", "", &[]));
    one(to, |b| say::execute(b, "", 0));
}

fn pipeline(dice: &mut Dice, to: &mut Messages) {
    for _ in 0..=dice.below(3) {
        statement(to, dice.pick(&SINGLE));
        if dice.percent(30) {
            to.insert(to.len() - 1, Vec::new());
            let describe = to.len() - 2;
            say::describe(&mut to[describe], Target::Portal, "");
        }
        if dice.percent(10) {
            one(to, say::flush);
        }
    }
    one(to, say::sync);
}

fn copy_data(dice: &mut Dice, to: &mut Messages) {
    for _ in 0..dice.below(4) {
        let line = dice.pick(&LINES);
        one(to, |b| say::copy_data(b, line.as_bytes()));
    }
    if dice.percent(50) {
        one(to, say::copy_done);
    } else {
        one(to, |b| say::copy_fail(b, "x"));
    }
}

fn simple_copy(dice: &mut Dice, to: &mut Messages) {
    let sql = dice.pick(&[
        "copy ct from stdin",
        "copy ct from stdin; select 7",
        "copy nope from stdin",
    ]);
    one(to, |b| say::query(b, sql));
    copy_data(dice, to);
}

fn extended_copy(dice: &mut Dice, to: &mut Messages) {
    statement(
        to,
        dice.pick(&["copy ct from stdin", "copy nope from stdin"]),
    );
    // Drivers differ: a Sync that the server swallows, a Flush, or data sent blindly.
    match dice.below(3) {
        0 => one(to, say::sync),
        1 => one(to, say::flush),
        _ => {}
    }
    copy_data(dice, to);
    one(to, say::sync);
}
