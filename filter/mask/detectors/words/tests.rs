use proptest::prelude::*;

use super::*;
use crate::Matcher;
use crate::detectors::tests::{mask, words};
use crate::window::steps;

/// What a list makes of a text, by comparing every word at every place.
fn expected(list: &[&str], text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let behind = match &text[..at] {
            [.., b'\\', b'n' | b'r' | b't'] => false,
            [.., byte] => word_byte(*byte),
            [] => false,
        };
        let stands = |word: &&&str| {
            let end = at + word.len();
            let same = text
                .get(at..end)
                .is_some_and(|here| here.eq_ignore_ascii_case(word.as_bytes()));
            let bytes = word.as_bytes();
            let after = text.get(end).is_some_and(|byte| word_byte(*byte));
            same && !(word_byte(bytes[0]) && behind)
                && !(word_byte(bytes[bytes.len() - 1]) && after)
        };
        let longest = list.iter().filter(stands).map(|word| word.len()).max();
        match longest {
            Some(len) => {
                out.extend_from_slice(b"[LIST]");
                at += len;
            }
            None => {
                out.push(text[at]);
                at += 1;
            }
        }
    }
    out
}

fn check(list: &[&str], text: &[u8]) {
    let matcher = Matcher::new(&[words("list", list)]).unwrap();
    let expected = expected(list, text);
    let shown = String::from_utf8_lossy(text);
    assert_eq!(mask(&matcher, [text]), expected, "{shown:?}");
    assert_eq!(
        mask(&matcher, text.chunks(1)),
        expected,
        "{shown:?} by bytes"
    );
    for at in 1..text.len() {
        let (head, tail) = text.split_at(at);
        assert_eq!(mask(&matcher, [head, tail]), expected, "{shown:?} at {at}");
    }
}

#[test]
fn words_and_phrases_of_every_kind_are_found_as_by_comparing_them_all() {
    let list = [
        "Acme",
        "acme corp",
        "C++",
        "Müller",
        ".net",
        "zoé",
        "R&D",
        "-x-",
        "東京",
        "東",
        "東京都庁",
        "é",
        "éa",
        "—",
        "a",
        "a b c",
        "new york",
        "new york city",
        "n",
        "nam",
        "🔑",
        "..",
        "...",
    ];
    let texts = [
        "ACME acme corp Acme Corps a\\nacme \\nam \\namn x\\tn",
        "acmes pacme _acme acme_ acme-x C++ c++11 xC++ ASP.NET, .Net",
        "在Acme工作 東京都 東京都庁 東 京 MüLLER zoé! éa é e — a—b 🔑🔑",
        "new york city, New York, new yor new york c a b c a b a",
        "r&d r&dx -x- x-x-x ... .... .",
    ];
    for text in texts {
        check(&list, text.as_bytes());
        for word in list {
            check(&[word], text.as_bytes());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_lists_are_found_as_by_comparing_them_all(
        list in proptest::collection::vec("[abN é東.\\-_\\\\]{1,6}", 1..30),
        fragments in proptest::collection::vec("[abn é東.\\-_\\\\]{1,4}", 1..10),
        picks in proptest::collection::vec(any::<prop::sample::Index>(), 1..6),
        junk in any::<u8>(),
    ) {
        let list: Vec<&str> = list.iter().map(String::as_str).collect();
        let mut text = Vec::new();
        for (pick, fragment) in picks.iter().zip(fragments.iter().cycle()) {
            text.extend_from_slice(list[pick.index(list.len())].as_bytes());
            text.extend_from_slice(fragment.as_bytes());
        }
        text.push(junk);
        check(&list, &text);
    }
}

#[test]
fn of_several_lists_the_first_one_wins() {
    let matcher = Matcher::new(&[
        words("long", &["jane doe", "acme"]),
        words("short", &["jane", "acme corp", ".net"]),
    ])
    .unwrap();
    let text = b"jane doe, jane do, acme corp .net";
    let masked = b"[LONG], [SHORT] do, [LONG] corp [SHORT]";
    for size in 1..text.len() {
        assert_eq!(mask(&matcher, text.chunks(size)), masked);
    }
}

/// So many words as names may be.
fn many(count: usize) -> Vec<String> {
    let word = |index: usize| {
        let letters = (0_u32..8).map(|place| {
            let number = index.wrapping_mul(2_654_435_761) >> (place * 4);
            char::from(b'a' + u8::try_from(number % 26).unwrap())
        });
        format!("{}{index}", letters.collect::<String>())
    };
    (0..count).map(word).collect()
}

#[test]
fn a_hundred_thousand_words_take_little_more_than_their_letters() {
    let words = many(100_000);
    let letters: usize = words.iter().map(String::len).sum();
    let list = List::new(&words).unwrap();
    assert!(
        list.memory() <= letters + letters / 2 + 200_000,
        "{} bytes for {letters} letters",
        list.memory()
    );
    let words = Words::new(&[(0, &words)]).unwrap();
    let ask = |text: &str| {
        let window = Window {
            behind: crate::window::Behind::default(),
            bytes: text.as_bytes(),
            last: true,
        };
        words.ask(&window, usize::MAX)
    };
    for word in many(100_000).iter().step_by(37) {
        match ask(&format!("{word} x")) {
            Answer::Found(0, hit) => assert_eq!(hit.len, word.len()),
            other => panic!("{word}: {other:?}"),
        }
        assert!(matches!(ask(&format!("{word}x")), Answer::Nothing));
    }
}

#[test]
fn prose_costs_a_look_at_each_byte_and_waits_for_its_last_word() {
    let list = many(20_000);
    let list: Vec<&str> = list.iter().map(String::as_str).collect();
    let matcher = Matcher::new(&[words("list", &list)]).unwrap();
    let prose = "Every ghost of the old harbour wrote a letter, fed the cat and left. ".repeat(900);
    steps::take();
    assert_eq!(mask(&matcher, [prose.as_bytes()]), prose.as_bytes());
    let each = steps::take() / prose.len();
    assert!(each <= 2, "{each} steps a byte");
    // A phrase of many words that begin alike, never completed.
    let phrases: Vec<String> = (0..5000).map(|n| format!("the old harbour {n}")).collect();
    let phrases: Vec<&str> = phrases.iter().map(String::as_str).collect();
    let matcher = Matcher::new(&[words("list", &phrases)]).unwrap();
    for text in ["the old harbour ", "the ", "THE OLD"] {
        let text = text.repeat(4000);
        steps::take();
        mask(&matcher, [text.as_bytes()]);
        let each = steps::take() / text.len();
        assert!(each <= 6, "{each} steps a byte for {text:.20}");
    }
}
