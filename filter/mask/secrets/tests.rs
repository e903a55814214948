mod parts;

use std::rc::Rc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use proptest::prelude::*;

use super::{Scrub, Secrets, SpreadSecrets};
use crate::policy::{Detection, Detector, Plan, Style};
use crate::{CompiledMask, Format, Framing, Masks, Pass, WalkError};

const KEY: &str = "sk-mill-7f3kq9zx2w";
/// All but the last byte of it.
const FRONT: &str = "sk-mill-7f3kq9zx2";

/// Bytes through a scrub, cut at these places, and what was counted.
fn cut(mut scrub: Scrub, secrets: &Secrets, bytes: &[u8], places: &[usize]) -> (Vec<u8>, u64) {
    let mut out = Vec::new();
    let mut from = 0;
    for at in places.iter().copied().chain([bytes.len()]) {
        scrub.push(secrets, &bytes[from..at], false, &mut out);
        assert!(out.len() + scrub.held() == at, "what is held is counted");
        from = at;
    }
    scrub.push(secrets, b"", true, &mut out);
    assert_eq!(out.len(), bytes.len(), "lengths stay");
    (out, scrub.found())
}

/// A text through a scrub, cut at every place.
fn scrubbed(secrets: &Secrets, text: &str) -> (String, u64) {
    let whole = cut(Scrub::default(), secrets, text.as_bytes(), &[]);
    for at in 0..=text.len() {
        let other = cut(Scrub::default(), secrets, text.as_bytes(), &[at]);
        assert_eq!(other, whole, "cut at {at}");
    }
    (String::from_utf8(whole.0).unwrap(), whole.1)
}

#[test]
fn asterisks_stand_over_a_secret_wherever_it_is() {
    let secrets = Secrets::new([KEY]);
    let stars = "*".repeat(KEY.len());
    for text in [
        "KEY",
        "Incorrect API key provided: KEY. See https://mill.example/keys",
        "KEYKEY",
        "sk-sk-mill-KEY",
        "\0\x01\x12KEY\x7f",
    ] {
        let (out, found) = scrubbed(&secrets, &text.replace("KEY", KEY));
        assert_eq!(out, text.replace("KEY", &stars));
        assert_eq!(found, text.matches("KEY").count() as u64);
    }
    for other in [
        "k-mill-7f3kq9zx2w",
        FRONT,
        "SK-MILL-7F3KQ9ZX2W",
        "sk-mi***x2w",
    ] {
        assert_eq!(scrubbed(&secrets, other), (other.to_owned(), 0));
    }
}

#[test]
fn secrets_that_overlap_are_covered_as_a_whole() {
    let secrets = Secrets::new(["abcabcabc", "zzabcabcabczz", "abczzzzz"]);
    for (text, covered, count) in [
        ("-abcabcabcabc-", "-************-", 1),
        ("zzabcabcabcz-", "zz*********z-", 1),
        ("zzabcabcabczz", "*************", 1),
        ("abcabcabczzzzz", "**************", 1),
        ("abcabcabc abcabcabc", "********* *********", 2),
    ] {
        assert_eq!(scrubbed(&secrets, text), (covered.to_owned(), count));
    }
}

#[test]
fn a_secret_is_found_as_formats_write_it() {
    // What these write: JSON.stringify, php's json_encode, Python's json.dumps, Go's json.Marshal,
    // .NET's JsonSerializer, encodeURIComponent, urllib's quote, grpc-message, and markupsafe.
    let secret = "a+b/c=\"d\\e<f>&gé'0";
    for written in [
        r#"a+b/c=\"d\\e<f>&gé'0"#,
        r#"a+b\/c=\"d\\e<f>&g\u00e9'0"#,
        r#"a+b/c=\"d\\e<f>&g\u00e9'0"#,
        r#"a+b/c=\"d\\e\u003cf\u003e\u0026gé'0"#,
        r#"a\u002Bb/c=\u0022d\\e\u003Cf\u003E\u0026g\u00E9\u00270"#,
        "a%2Bb%2Fc%3D%22d%5Ce%3Cf%3E%26g%C3%A9%270",
        "a%2bb%2fc%3d%22d%5ce%3cf%3e%26g%c3%a9%270",
        "a%2Bb/c%3D%22d%5Ce%3Cf%3E%26g%C3%A9%270",
        "a+b/c=\"d\\e<f>&g%C3%A9'0",
        "a+b/c=&quot;d\\e&lt;f&gt;&amp;gé&#39;0",
    ] {
        let (out, found) = scrubbed(&Secrets::new([secret]), written);
        assert_eq!((out, found), ("*".repeat(written.len()), 1), "{written}");
    }
}

/// Each character of a text, as `write` has it.
fn each(text: &str, write: impl Fn(char) -> String) -> String {
    text.chars().map(write).collect()
}

#[test]
fn a_secret_is_found_whatever_of_it_is_an_escape() {
    let every: [fn(char) -> String; 8] = [
        |letter| format!("\\u{:04x}", u32::from(letter)),
        |letter| format!("\\\\u{:04X}", u32::from(letter)),
        |letter| format!("{}u{:04X}", "\\".repeat(16), u32::from(letter)),
        |letter| format!("\\x{:02x}", u32::from(letter)),
        |letter| format!("&#{};", u32::from(letter)),
        |letter| format!("&#{:04}", u32::from(letter)),
        |letter| format!("&#x{:X};", u32::from(letter)),
        |letter| format!("%{:02x}", u32::from(letter)),
    ];
    let secrets = Secrets::new([KEY]);
    let (front, rest) = KEY.split_at(5);
    let (first, behind) = KEY.split_at(1);
    for write in every {
        let whole = each(KEY, write);
        for (text, covered) in [
            (whole.clone(), whole.clone()),
            (
                format!("a {whole}.{whole} b"),
                format!("a {whole}.{whole} b"),
            ),
            // Only some are.
            (
                format!("{front}{}", each(rest, write)),
                format!("{front}{}", each(rest, write)),
            ),
            (
                format!("<{}{behind}>", each(first, write)),
                format!("<{}{behind}>", each(first, write)),
            ),
        ] {
            let (out, found) = scrubbed(&secrets, &text);
            let stars = out.bytes().filter(|byte| *byte == b'*').count();
            let shown = " .ab<>";
            let hidden = covered
                .bytes()
                .filter(|it| !shown.contains(char::from(*it)));
            let b = usize::from(text.starts_with("a ")) * 2;
            assert!(found > 0 && stars + b >= hidden.count(), "{text}: {out}");
        }
        // Another one, or not all of it.
        let begun = each(FRONT, write);
        assert_eq!(scrubbed(&secrets, &begun), (begun.clone(), 0));
    }
    let astral = "\u{1f511}-key-\u{e9}-7f3k";
    let secrets = Secrets::new([astral]);
    for written in [
        "\\ud83d\\udd11-key-\\u00e9-7f3k",
        "%F0%9F%94%91-key-%c3%a9-7f3k",
        "&#128273;-key-\u{e9}-7f3k",
        "\u{1f511}-key-\\u00e9-7f3k",
    ] {
        assert_eq!(scrubbed(&secrets, written), ("*".repeat(written.len()), 1));
    }
    for other in [
        "\\ud83d\\u00e9-key-\\u00e9-7f3k",
        "\\ud83d",
        "%F0%9F%94",
        "%F0%28%28%28",
        "&#x;&#;&#99999999;&#123456789;&am",
        "\\u12\\x1\\",
    ] {
        assert_eq!(scrubbed(&secrets, other), (other.to_owned(), 0));
    }
}

#[test]
fn json_stays_json_where_a_secret_in_escapes_is_covered() {
    let secrets = Secrets::new([KEY]);
    for backslashes in 1..=5 {
        let slashes = "\\".repeat(backslashes);
        let first = format!("{slashes}u0073");
        let text = format!("[\"{first}{}\"]", KEY.split_at(1).1);
        let (out, found) = scrubbed(&secrets, &text);
        assert_eq!(found, 1);
        let read: Result<Vec<String>, _> = serde_json::from_str(&out);
        assert!(read.is_ok_and(|it| !it[0].contains("mill")), "{out}");
    }
}

#[test]
fn of_secrets_that_begin_alike_the_longest_is_covered() {
    let secrets = Rc::new(Secrets::new([KEY, KEY.split_at(10).0]));
    let mask = Rc::new(CompiledMask::of_secrets(&secrets));
    for cut in 0..=KEY.len() {
        let (front, back) = KEY.split_at(cut);
        let mut spread = SpreadSecrets::new(&mask, Format::Text, Framing::default());
        let mut out = Vec::new();
        let front = each(front, |letter| format!("&#{};", u32::from(letter)));
        let text = format!("0:\"{front}\"\n0:\"{back}.\"\n");
        spread.push(text.as_bytes(), true, &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(!out.contains("q9") && !out.contains("2w"), "{out}");
    }
}

#[test]
fn a_secret_in_units_of_several_bytes_is_found() {
    let secrets = Secrets::new([KEY, "a longer one than this"]);
    let short: Vec<u16> = format!("x{KEY}y").encode_utf16().collect();
    let long: Vec<u32> = format!("x{KEY}y").chars().map(u32::from).collect();
    for bytes in [
        short
            .iter()
            .flat_map(|it| it.to_le_bytes())
            .collect::<Vec<u8>>(),
        short.iter().flat_map(|it| it.to_be_bytes()).collect(),
        long.iter().flat_map(|it| it.to_le_bytes()).collect(),
        long.iter().flat_map(|it| it.to_be_bytes()).collect(),
    ] {
        let whole = cut(Scrub::default(), &secrets, &bytes, &[]);
        let wide = bytes.len() / (KEY.len() + 2);
        let stars = whole.0.iter().filter(|byte| **byte == b'*').count();
        // All but the zeros at its ends.
        assert_eq!(stars, wide * KEY.len() - (wide - 1));
        assert_eq!(whole.1, 1);
        for at in 0..=bytes.len() {
            assert_eq!(cut(Scrub::default(), &secrets, &bytes, &[at]), whole);
        }
    }
}

#[test]
fn zeros_do_not_wait_for_a_secret() {
    let mask = Rc::new(CompiledMask::of_secrets(&Rc::new(Secrets::new([KEY]))));
    let mut spread = SpreadSecrets::new(&mask, Format::Text, Framing::default());
    let mut out = Vec::new();
    spread.push(&[0; 5], false, &mut out).unwrap();
    assert_eq!(out, [0; 5]);
    // As they go by where no text is read.
    let mut scrub = Scrub::default();
    let mut out = Vec::new();
    scrub.push(&Secrets::new([KEY]), &[0; 5], false, &mut out);
    assert_eq!(out, [0; 5]);
}

#[test]
fn a_secret_in_base64_is_found_at_each_offset() {
    let secrets = Secrets::new([KEY]);
    for front in ["", "a", "ab", "abc", "{\"key\":\""] {
        let text = BASE64_STANDARD.encode(format!("{front}{KEY}\"}}"));
        let (out, found) = scrubbed(&secrets, &text);
        assert_eq!(found, 1, "{text}");
        // No more of it is left than what its neighbours' characters have.
        let left = out.trim_matches('*').split('*').map(str::len).max();
        assert!(left.unwrap_or_default() <= 4 + front.len() * 4 / 3, "{out}");
    }
}

#[test]
fn a_short_value_is_no_secret() {
    let secrets = Secrets::new(["1234567", ""]);
    assert!(secrets.is_empty());
    assert_eq!(scrubbed(&secrets, "1234567").1, 0);
    assert!(!Secrets::new(["12345678"]).is_empty());
    assert_eq!(format!("{:?}", Secrets::new([KEY])), "Secrets(1)");
}

#[test]
fn nothing_waits_but_what_may_be_the_front_of_a_secret() {
    let secrets = Secrets::new([KEY]);
    let held = |mut scrub: Scrub, text: &str| {
        scrub.push(&secrets, text.as_bytes(), false, &mut Vec::new());
        scrub.held()
    };
    for (text, waits, in_messages) in [
        ("data: {}\n\n", 0, 0),
        ("words", 1, 0),
        ("sk-", 3, 0),
        ("sk-sk-m", 4, 1),
        (KEY, 0, 0),
        (FRONT, 17, 14),
    ] {
        assert_eq!(held(Scrub::default(), text), waits, "{text}");
        assert_eq!(held(Scrub::of_messages(), text), in_messages, "{text}");
    }
}

#[test]
fn in_messages_the_mark_of_a_key_stays() {
    let secrets = Secrets::new([KEY]);
    let text = format!("[{KEY}{KEY}]");
    let hidden = format!("sk-{}", "*".repeat(KEY.len() - 3));
    let hidden = format!("[{hidden}{hidden}]");
    for from in 0..=text.len() {
        for to in from..=text.len() {
            let out = cut(Scrub::of_messages(), &secrets, text.as_bytes(), &[from, to]);
            assert_eq!(out, (hidden.clone().into_bytes(), 2));
        }
    }
}

proptest! {
    #[test]
    fn pieces_change_nothing(
        text in "(abcdabcd|cdabcdabcdab|ab|cd|x){0,12}",
        at in proptest::collection::vec(0.0..1.0f64, 0..6),
    ) {
        let secrets = Secrets::new(["abcdabcd", "cdabcdabcd", "xabcdabcdx"]);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let mut places: Vec<usize> = at.iter().map(|at| (at * text.len() as f64) as usize).collect();
        places.sort_unstable();
        for scrub in [Scrub::default(), Scrub::of_messages()] {
            let whole = cut(scrub.clone(), &secrets, text.as_bytes(), &[]);
            prop_assert_eq!(cut(scrub, &secrets, text.as_bytes(), &places), whole);
        }
    }
}

#[test]
fn a_field_is_scrubbed_also_in_base64() {
    let secrets = Secrets::new([KEY]);
    let stars = "*".repeat(KEY.len());
    let scrub = |name: &str, value: &str| {
        let scrubbed = secrets.scrub_field(name.as_bytes(), value.as_bytes());
        scrubbed.map(|(value, found)| (String::from_utf8(value).unwrap(), found))
    };
    assert_eq!(
        scrub("www-authenticate", &format!("Bearer error=\"{KEY}\"")),
        Some((format!("Bearer error=\"{stars}\""), 1))
    );
    let message = |text: &str| BASE64_STANDARD.encode([b"\x12\x12", text.as_bytes()].concat());
    let value = format!("{},AAA=, {}", message(KEY), message(KEY));
    assert_eq!(
        scrub("grpc-status-details-bin", &value),
        Some((format!("{},AAA=,{}", message(&stars), message(&stars)), 2))
    );
    assert_eq!(scrub("grpc-status-details-bin", "no base64"), None);
    let (other, found) = scrub("x-other", &message(KEY)).unwrap();
    assert!(found == 1 && other.contains("*****"), "{other}");
}

/// A body through a walk for secrets, cut at a place.
fn spread(format: Format, body: &str, at: usize) -> Result<(String, u64), WalkError> {
    let mask = Rc::new(CompiledMask::of_secrets(&Rc::new(Secrets::new([KEY]))));
    let mut spread = SpreadSecrets::new(&mask, format, Framing::default());
    let mut out = Vec::new();
    let (head, tail) = body.split_at(at);
    spread.push(head.as_bytes(), false, &mut out)?;
    assert!(out.len() + spread.held() >= at);
    spread.push(tail.as_bytes(), true, &mut out)?;
    Ok((String::from_utf8(out).unwrap(), spread.found()))
}

/// Chunks of an answer as vLLM streams them (vllm/entrypoints/openai/protocol.py,
/// `ChatCompletionStreamResponse`).
fn chunks(parts: &[&str]) -> String {
    let chunk = |part: &&str| {
        format!(
            "data: {{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{{\"index\":0,\
             \"delta\":{{\"content\":\"{part}\"}}}}]}}\n\n"
        )
    };
    parts.iter().map(chunk).collect::<String>() + "data: [DONE]\n\n"
}

#[test]
fn a_secret_that_is_spread_over_events_is_covered() {
    for cut in 1..KEY.len() {
        let (front, back) = KEY.split_at(cut);
        let body = chunks(&["key: ", front, back, "!"]);
        let stars = "*".repeat(KEY.len());
        let (out, found) = spread(Format::Events, &body, 0).unwrap();
        assert_eq!(out, chunks(&["key: ", &stars, "", "!"]));
        assert_eq!(found, 1);
        for at in 0..=body.len() {
            assert_eq!(spread(Format::Events, &body, at).unwrap().0, out, "{at}");
        }
    }
}

#[test]
fn a_secret_is_covered_wherever_pieces_of_text_may_stand() {
    let anthropic = |part: &str| {
        // What a signature's event is (anthropic-sdk-python, types/signature_delta.py).
        let delta = format!("{{\"type\":\"signature_delta\",\"signature\":\"{part}\"}}");
        format!(
            "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{delta}}}\n\n"
        )
    };
    let bedrock = |part: &str| {
        format!(
            "{{\"contentBlockDelta\":{{\"contentBlockIndex\":0,\"delta\":{{\"reasoningContent\":{{\"signature\":\"{part}\"}}}}}}}}\n"
        )
    };
    let unknown = |part: &str| format!("data: {{\"n\":1,\"data\":\"{part}\"}}\n\n");
    let string = |part: &str| format!("data: \"{part}\"\n\n");
    let coded = |part: &str| format!("0:\"{part}\"\n");
    let line = |part: &str| format!("\"{part}\"\n");
    type Write<'a> = &'a dyn Fn(&str) -> String;
    let writers: [(Format, Write<'_>); 6] = [
        (Format::Events, &anthropic),
        (Format::Lines, &bedrock),
        (Format::Events, &unknown),
        (Format::Events, &string),
        (Format::Text, &coded),
        (Format::Lines, &line),
    ];
    for (format, write) in writers {
        for cut in 1..KEY.len() {
            let (front, back) = KEY.split_at(cut);
            let body = [write("ab"), write(front), write(back), write("cd")].concat();
            let (out, found) = spread(format, &body, body.len() / 2).unwrap();
            let stars = write(&"*".repeat(KEY.len()));
            let expected = [write("ab"), stars, write(""), write("cd")].concat();
            assert_eq!((out, found), (expected, 1));
        }
        let every = KEY.chars().map(|one| write(one.encode_utf8(&mut [0; 4])));
        let (out, found) = spread(format, &every.collect::<String>(), 0).unwrap();
        assert_eq!(found, 1, "{out}");
    }
}

#[test]
fn a_secret_in_escapes_of_two_sorts_is_covered() {
    let write = |part: &str| each(part, |letter| format!("\\u0026#{};", u32::from(letter)));
    for cut in 0..KEY.len() {
        let (front, back) = KEY.split_at(cut);
        let body = chunks(&["key: ", &write(front), &write(back), "!"]);
        let (out, found) = spread(Format::Events, &body, 0).unwrap();
        assert_eq!(found, 1, "{out}");
        assert!(!out.contains("#1") && !out.contains("#4"), "{out}");
    }
}

#[test]
fn what_has_no_secret_goes_on_as_it_is_even_if_it_can_not_be_read() {
    let bodies = [
        chunks(&["sk-", "mill", "-7"]),
        ": ping\n\ndata: {\"a\":\n\ndata: }{\n\nsk-mill".to_owned(),
        format!("data: {{\"a\":\"{}\n\n", "x".repeat(5 << 20)),
        "data: {\"deep\":".to_owned() + &"[".repeat(100_000) + "\n\ndata: 1\n\n",
    ];
    for body in bodies {
        for at in [0, 7, body.len() / 2, body.len()] {
            let (out, found) = spread(Format::Events, &body, at).unwrap();
            assert!(out == body && found == 0, "cut at {at}");
        }
    }
    for at in [0, 3, 9] {
        let body = "{\"a\":1}\nnot JSON {{\n";
        assert_eq!(spread(Format::Lines, body, at).unwrap().0, body);
    }
}

#[test]
fn a_body_that_has_held_a_secret_must_be_readable_to_its_end() {
    let body = chunks(&[KEY]) + "data: {\"a\":\"" + &"x".repeat(5 << 20);
    assert_eq!(spread(Format::Events, &body, 0), Err(WalkError::TooLarge));
}

#[test]
fn a_mask_finds_secrets_before_anything_else() {
    let detection = |name: &'static str| Detection {
        detector: Detector::BuiltIn(name),
        style: Style::Label,
    };
    let words = Detection {
        detector: Detector::Words {
            name: "mill".to_owned(),
            words: vec!["sk".to_owned()],
            label: "MILL".to_owned(),
        },
        style: Style::Label,
    };
    let plan = Plan {
        detections: vec![words, detection("secret.generic"), detection("email")],
        ..Plan::default()
    };
    let secrets = Rc::new(Secrets::new([KEY]));
    let masks = Masks::guarding(&plan, Some(&secrets)).unwrap();
    let text = format!("ana@example.com {KEY} sk ");
    for at in 0..=text.len() {
        let mut pass = Pass::new(&masks, (Format::Text, Framing::default()), None);
        let mut out = Vec::new();
        pass.push(&masks, &text.as_bytes()[..at], &mut out).unwrap();
        pass.push(&masks, &text.as_bytes()[at..], &mut out).unwrap();
        pass.finish(&masks, &mut out).unwrap();
        let stars = "*".repeat(KEY.len());
        let out = String::from_utf8(out).unwrap();
        assert_eq!(out, format!("[EMAIL] {stars} [MILL] "), "cut at {at}");
        let found: Vec<(String, u64)> = pass.matches(&masks).into_iter().collect();
        let expected = [("email", 1), ("mill", 1), ("own_secret", 1)];
        assert_eq!(found, expected.map(|(name, n)| (name.to_owned(), n)));
    }
}
