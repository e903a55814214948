//! The rules of gitleaks, as a mask of some two hundred expressions that nobody here wrote.

use super::super::expression::parse;
use super::super::sample::{Chance, sample};
use super::part::{oracle, regex};
use super::*;

/// The name and the expression of each rule, or none where there is no such file.
fn rules() -> Option<Vec<(String, String)>> {
    let Some(folder) = std::env::var_os("PORTCULLIS_VECTORS") else {
        println!("skipped: PORTCULLIS_VECTORS does not name the folder that holds pii");
        return None;
    };
    let path = std::path::Path::new(&folder).join("pii/gitleaks.toml");
    let file = std::fs::read_to_string(path).unwrap();
    let file: toml::Table = file.parse().unwrap();
    let rules = file["rules"].as_array().unwrap();
    let text = |rule: &toml::Value, key: &str| Some(rule.get(key)?.as_str()?.to_owned());
    let with_expression = rules
        .iter()
        .filter_map(|rule| text(rule, "id").zip(text(rule, "regex")));
    println!("{} rules", rules.len());
    Some(with_expression.collect())
}

/// A text that the expression matches in: what surrounds the string depends on the expression.
fn matching(expression: &str) -> (String, Reference) {
    let (hir, _) = parse(expression).unwrap();
    let reference = Reference::new(expression);
    for seed in 0..400 {
        let mut chance = Chance::new(seed);
        let mut text = b"see ".to_vec();
        sample(&hir, &mut chance, &mut text);
        text.extend_from_slice([" ok", ", ok", ""][chance.below(3)].as_bytes());
        let references = std::slice::from_ref(&reference);
        if let Ok(text) = String::from_utf8(text)
            && !expected(references, text.as_bytes()).is_empty()
        {
            return (text, reference);
        }
    }
    panic!("nothing matches {expression}");
}

#[test]
fn every_rule_loads_and_finds_what_is_made_from_it_at_every_split() {
    let Some(rules) = rules() else { return };
    println!("{} of them have an expression", rules.len());
    let expressions: Vec<&str> = rules.iter().map(|(_, text)| text.as_str()).collect();
    let mut refused = 0;
    for (name, expression) in &rules {
        if let Err(error) = Matcher::new(&[pattern(name, expression)]) {
            println!("{name} does not load: {}", error.reason);
            refused += 1;
        }
    }
    assert_eq!(refused, 0);
    let all = Matcher::new(&detections(&expressions)).unwrap();
    let references: Vec<Reference> = expressions.iter().map(|one| Reference::new(one)).collect();
    for (name, expression) in &rules {
        let (text, reference) = matching(expression);
        let text = text.as_bytes();
        let alone = Matcher::new(&detections(&[expression])).unwrap();
        let of_one = expected(std::slice::from_ref(&reference), text);
        let of_all = expected(&references, text);
        for at in 0..text.len().min(600) {
            let (head, tail) = text.split_at(at);
            assert_eq!(found(&alone, [head, tail]), of_one, "{name} alone at {at}");
            assert_eq!(found(&all, [head, tail]), of_all, "{name} at {at}");
        }
        assert_eq!(found(&all, text.chunks(7)), of_all, "{name} in sevens");
    }
}

/// The expression with a name for its first group, which is the secret; none where it has no group.
fn with_part(expression: &str) -> Option<String> {
    let (mut escaped, mut class) = (false, false);
    let places = expression.char_indices().filter(|(_, letter)| {
        let plain = !std::mem::take(&mut escaped);
        match letter {
            '\\' => escaped = plain,
            '[' if plain => class = true,
            ']' if plain => class = false,
            '(' => return plain && !class,
            _ => {}
        }
        false
    });
    let groups = places.filter_map(|(at, _)| expression.split_at_checked(at + 1));
    let mut captures = groups.filter(|(_, rest)| !rest.starts_with('?'));
    let (front, rest) = captures.next()?;
    Some(format!("{front}?<mask>{rest}"))
}

#[test]
fn of_rules_that_have_a_group_only_the_secret_is_replaced() {
    let Some(rules) = rules() else { return };
    let (mut parts, mut tried) = (0, 0);
    for (name, expression) in &rules {
        let Some(named) = with_part(expression) else {
            continue;
        };
        let (text, _) = matching(expression);
        let matcher = Matcher::new(&[pattern(name, &named)]).unwrap();
        tried += 1;
        // A backslash in front of a letter is read as what it stands for.
        if text.contains('\\') {
            continue;
        }
        let mut expected = Vec::new();
        oracle(&regex(&named), text.as_bytes(), 0, false, &mut expected);
        let spans = |size: usize| -> Vec<(usize, usize)> {
            let found = found(&matcher, text.as_bytes().chunks(size));
            found.into_iter().map(|(at, len, _)| (at, len)).collect()
        };
        assert_eq!(spans(100_000), expected, "{name}");
        assert_eq!(spans(1), expected, "{name}, byte by byte");
        assert_eq!(spans(7), expected, "{name}, in sevens");
        let whole = found(
            &Matcher::new(&[pattern(name, expression)]).unwrap(),
            [text.as_bytes()],
        );
        parts += usize::from(whole[0].1 > expected.iter().map(|(_, len)| len).sum());
    }
    println!("{tried} rules have a group, of {parts} it is less than the match");
    assert!(tried > 150 && parts > 80, "{tried} and {parts}");
}

#[test]
fn all_rules_look_at_prose_a_few_times_more_than_ten_do() {
    use crate::window::steps;
    let Some(rules) = rules() else { return };
    let expressions: Vec<&str> = rules.iter().map(|(_, text)| text.as_str()).collect();
    let prose = "The access key to the harbour office hangs where the secretary, who is an author \
                 of letters, left it in May: behind the token of a curious client. "
        .repeat(200);
    let steps = |expressions: &[&str]| {
        let matcher = Matcher::new(&detections(expressions)).unwrap();
        steps::take();
        assert_eq!(found(&matcher, prose.as_bytes().chunks(4096)), []);
        steps::take()
    };
    let (ten, all) = (steps(&expressions[..10]), steps(&expressions));
    println!("{ten} steps with ten rules, {all} with all");
    assert!(all <= 3 * ten, "{all} steps with all, {ten} with ten");
}

#[test]
fn prose_waits_for_its_last_word_under_all_rules() {
    let Some(rules) = rules() else { return };
    let expressions: Vec<&str> = rules.iter().map(|(_, text)| text.as_str()).collect();
    let matcher = Matcher::new(&detections(&expressions)).unwrap();
    let prose = "Every ghost of the old harbour wrote a letter, fed the cat and left. ".repeat(4);
    struct Nothing;
    impl Sink for Nothing {
        fn keep(&mut self, _len: usize) {}
        fn replace(&mut self, _len: usize, _with: &str, _detector: usize) {
            panic!("nothing to mask");
        }
    }
    let mut text = Text::default();
    for (index, byte) in prose.bytes().enumerate() {
        text.push(&matcher, &[byte], &mut Nothing);
        let (seen, _) = prose.split_at(index + 1);
        let word = seen.len() - seen.trim_end().rfind(' ').map_or(0, |at| at + 1);
        // One of the rules begins with a space.
        let waits = text.pending();
        assert!(waits <= word + 1, "{waits} bytes wait after {seen}");
    }
}
