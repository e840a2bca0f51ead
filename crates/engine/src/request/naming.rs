//! Names that we choose: readable for people, unguessable where it matters.

use upkeep_domain::name::{AppName, DatabaseName};
use upkeep_domain::ports::Random;

const ADJECTIVES: [&str; 16] = [
    "amber", "brisk", "calm", "clear", "curved", "deep", "eager", "flat", "gentle", "keen", "mild",
    "quiet", "round", "sharp", "steady", "warm",
];
const NOUNS: [&str; 16] = [
    "bay", "brook", "cliff", "delta", "dune", "field", "fjord", "grove", "harbor", "island",
    "lake", "meadow", "ridge", "river", "shore", "valley",
];
const COLORS: [&str; 16] = [
    "AMBER", "AQUA", "BLUE", "BRONZE", "COBALT", "COPPER", "CRIMSON", "CYAN", "GREEN", "IVORY",
    "JADE", "OLIVE", "ORANGE", "PURPLE", "ROSE", "TEAL",
];
/// Letters and digits that are not taken for one another.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// 13 of 32 symbols: 65 random bits.
const IDENTIFIER_SYMBOLS: usize = 13;

fn draw<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill(&mut bytes);
    bytes
}

fn number(random: &dyn Random) -> u32 {
    10_000 + u32::from_le_bytes(draw(random)) % 90_000
}

pub(super) fn app_name(random: &dyn Random) -> AppName {
    let [adjective, noun] = draw(random);
    let name = format!(
        "{}-{}-{}",
        ADJECTIVES[usize::from(adjective) % ADJECTIVES.len()],
        NOUNS[usize::from(noun) % NOUNS.len()],
        number(random)
    );
    name.parse()
        .expect("made of lower-case letters, digits and dashes")
}

pub(super) fn database_name(random: &dyn Random) -> DatabaseName {
    let [adjective] = draw(random);
    let name = format!(
        "postgresql-{}-{}",
        ADJECTIVES[usize::from(adjective) % ADJECTIVES.len()],
        number(random)
    );
    name.parse()
        .expect("made of lower-case letters, digits and dashes")
}

/// `d2x9...` or `u7k3...`: a PostgreSQL identifier that needs no quotes and tells nothing.
pub(super) fn identifier(random: &dyn Random, first: char) -> String {
    let symbols: [u8; IDENTIFIER_SYMBOLS] = draw(random);
    std::iter::once(first)
        .chain(symbols.map(|b| char::from(ALPHABET[usize::from(b) % ALPHABET.len()])))
        .collect()
}

/// The first database of an app is its DATABASE; others get a colour that is free.
pub(super) fn attachment(taken: &[String]) -> Option<String> {
    std::iter::once("DATABASE".to_owned())
        .chain(COLORS.map(|color| format!("HEROKU_POSTGRESQL_{color}")))
        .find(|name| !taken.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_database_is_the_default_and_the_next_gets_a_colour() {
        assert_eq!(attachment(&[]).unwrap(), "DATABASE");
        assert_eq!(
            attachment(&["DATABASE".to_owned()]).unwrap(),
            "HEROKU_POSTGRESQL_AMBER"
        );
    }

    #[test]
    fn an_app_has_a_bounded_number_of_attachments() {
        let taken: Vec<_> = std::iter::successors(attachment(&[]), |_| None).collect();
        let mut all = taken;
        while let Some(next) = attachment(&all) {
            all.push(next);
        }
        assert_eq!(all.len(), 1 + COLORS.len());
    }
}
