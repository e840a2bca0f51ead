//! Names that we choose: readable for people, unguessable where it matters.

use upkeep_domain::attachment::AttachmentName;
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
pub(super) fn first_attachment(taken: &[AttachmentName]) -> Option<AttachmentName> {
    let default = AttachmentName::default_one();
    if taken.contains(&default) {
        free_color(taken)
    } else {
        Some(default)
    }
}

pub(super) fn free_color(taken: &[AttachmentName]) -> Option<AttachmentName> {
    COLORS
        .map(|color| format!("HEROKU_POSTGRESQL_{color}"))
        .into_iter()
        .map(|name| name.parse().expect("made of upper-case letters"))
        .find(|name| !taken.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_database_is_the_default_and_the_next_gets_a_colour() {
        let first = first_attachment(&[]).unwrap();
        assert_eq!(first.as_str(), "DATABASE");
        let second = first_attachment(&[first]).unwrap();
        assert_eq!(second.as_str(), "HEROKU_POSTGRESQL_AMBER");
    }

    #[test]
    fn an_app_has_a_bounded_number_of_attachments() {
        let mut all = Vec::new();
        while let Some(next) = first_attachment(&all) {
            all.push(next);
        }
        assert_eq!(all.len(), 1 + COLORS.len());
    }
}
