use proptest::prelude::*;

use super::super::expression::parse;
use super::super::sample::{Chance, sample};
use super::*;

/// Expressions of a few letters, so that they get into each other's way.
pub(super) fn expression() -> impl Strategy<Value = String> {
    let atom = prop_oneof![
        8 => proptest::sample::select(vec![
            "a", "b", "ab", "ba", "key", "[ab]", "[a-c-]", ".", r"\w", r"\s", "é", "[^a]", "-", "=",
            "(?i:Key)", "(?i:ab)", r"[\w-]", "(?:)",
        ]).prop_map(str::to_owned),
        1 => proptest::sample::select(vec![
            r"\b", r"\B", "(?m:^)", "(?m:$)", "^", "$", r"\b{start}", r"\b{end}",
        ]).prop_map(str::to_owned),
    ];
    let repeat = proptest::sample::select(vec![
        "?", "??", "{0,3}", "{1,3}?", "{2}", "{0,20}?", "{0,9}", "*", "+", "+?", "{3,}",
    ]);
    atom.prop_recursive(3, 12, 4, move |inner| {
        prop_oneof![
            3 => proptest::collection::vec(inner.clone(), 1..4).prop_map(|list| list.concat()),
            2 => proptest::collection::vec(inner.clone(), 2..4)
                .prop_map(|list| format!("(?:{})", list.join("|"))),
            2 => (inner, repeat.clone()).prop_map(|(inner, times)| format!("(?:{inner}){times}")),
        ]
    })
}

/// Expressions that begin with something common and have something rare behind it.
fn led() -> impl Strategy<Value = String> {
    let lead = proptest::sample::select(vec![
        "[a-z-]{0,9}?",
        "[ab]{1,4}",
        ".{0,5}",
        r"\w{2}",
        "(?:a|b-){0,3}",
        r"\s?",
        "[^k]{0,30}",
        r"[\w.-]{0,50}?",
        "é{0,2}",
        "(?s:.){1,3}",
    ]);
    let rare = proptest::sample::select(vec![
        "key",
        "(?i)key=",
        "(?:KEY|Key)",
        "(?:k|kk)ey",
        r"\bkey",
        r"\Bkey",
        "==",
        "key|--",
        "K",
    ]);
    (lead, rare, expression()).prop_map(|(lead, rare, rest)| format!("{lead}(?:{rare}){rest}"))
}

fn any_expression() -> impl Strategy<Value = String> {
    prop_oneof![2 => expression(), 1 => led()]
}

fn fragment() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => proptest::sample::select(vec![
            "a", "b", "ab", "key", "Key", "KEY", " ", "-", "=", "é", "\n", "\\n", "\\", "c", "_",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => "[ab key-]{1,8}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 1..3),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn random_expressions_find_what_they_find_by_themselves(
        patterns in proptest::collection::vec(any_expression(), 1..5),
        fragments in proptest::collection::vec(fragment(), 1..10),
        seed in any::<u64>(),
    ) {
        let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
        let matcher = Matcher::new(&detections(&patterns)).unwrap();
        let references: Vec<Reference> = patterns.iter().map(|one| Reference::new(one)).collect();
        let mut text = fragments.concat();
        let mut chance = Chance::new(seed);
        for pattern in &patterns {
            let (hir, _) = parse(pattern).unwrap();
            sample(&hir, &mut chance, &mut text);
            text.extend_from_slice(&fragments[chance.below(fragments.len())]);
        }
        text.truncate(160);
        check(&matcher, &references, &text);
    }

    #[test]
    fn a_cache_that_is_always_too_small_finds_the_same(
        patterns in proptest::collection::vec(any_expression(), 1..4),
        fragments in proptest::collection::vec(fragment(), 1..20),
    ) {
        let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
        let tiny = Matcher::build(&detections(&patterns), 0, true).unwrap();
        let ample = Matcher::new(&detections(&patterns)).unwrap();
        let text = fragments.concat();
        prop_assert_eq!(found(&tiny, text.chunks(3)), found(&ample, [text.as_slice()]));
    }
}
