//! The names of members, and JSON itself.

use super::{Fate, Place, Spelling, Thing};

pub(super) fn of(thing: &'static Thing) -> Vec<Spelling> {
    match thing.place {
        Place::Body => {
            let mut all = names(thing);
            all.extend(twice(thing));
            all.extend(grammar(thing));
            all.extend(letters(thing));
            all
        }
        _ => Vec::new(),
    }
}

/// The member that names the model.
const MEMBER: &str = r#""model""#;

/// A body whose member has another name, written with its quotes.
fn named(thing: &'static Thing, fate: Fate, what: &str, name: &str) -> Spelling {
    Spelling::new(thing, fate, what).body(thing.body.replacen(MEMBER, name, 1))
}

fn names(thing: &'static Thing) -> Vec<Spelling> {
    let mut all = Vec::new();
    let word = "model";
    for (at, letter) in word.char_indices() {
        let (before, behind) = word.split_at(at);
        let rest = behind.get(1..).unwrap_or_default();
        let code = u32::from(letter);
        for escape in [format!("\\u{code:04x}"), format!("\\u{code:04X}")] {
            let name = format!("\"{before}{escape}{rest}\"");
            let what = format!("{name} as the member");
            // Of most letters, both ways to write the digits are one.
            if !all.iter().any(|one: &Spelling| one.name.ends_with(&what)) {
                all.push(named(thing, Fate::Plain, &what, &name));
            }
        }
        let capital = format!("\"{before}{}{rest}\"", letter.to_ascii_uppercase());
        all.push(named(
            thing,
            Fate::Crooked,
            &format!("{capital} as the member"),
            &capital,
        ));
        let escaped = format!(
            "\"{before}\\u{:04x}{rest}\"",
            u32::from(letter.to_ascii_uppercase())
        );
        all.push(named(
            thing,
            Fate::Crooked,
            &format!("{escaped} as the member"),
            &escaped,
        ));
    }
    let whole: String = word
        .chars()
        .map(|letter| format!("\\u{:04x}", u32::from(letter)))
        .collect();
    all.push(named(
        thing,
        Fate::Plain,
        "all letters of the member escaped",
        &format!("\"{whole}\""),
    ));
    for name in [r#""MODEL""#, r#""Model""#, r#""mODEL""#] {
        let what = format!("{name} as the member's name");
        all.push(named(thing, Fate::Crooked, &what, name));
    }
    all
}

/// The member beside another that some servers take for the same.
fn twice(thing: &'static Thing) -> Vec<Spelling> {
    let model = thing.model.unwrap_or_default();
    let rest = thing.body.split_once(',').map_or("}", |(_, rest)| rest);
    let rest = match rest {
        "}" => "}".to_owned(),
        rest => format!(",{rest}"),
    };
    let mut all = Vec::new();
    for (one, other) in [
        ("model", "model"),
        ("model", "\\u006dodel"),
        ("model", "mod\\u0065l"),
        ("model", "Model"),
        ("model", "MODEL"),
        ("model", "\\u004dodel"),
    ] {
        for (first, second) in [(model, "other"), ("other", model), (model, model)] {
            let body = format!(r#"{{"{one}":"{first}","{other}":"{second}"{rest}"#);
            let what = format!("{one} {first} and {other} {second}");
            all.push(Spelling::crooked(thing, what).body(body));
        }
        let body = format!(r#"{{"{one}":null,"{other}":"{model}"{rest}"#);
        all.push(Spelling::crooked(thing, format!("{one} null and {other}")).body(body));
    }
    all
}

/// What stands in place of the whole body: `BODY` is the thing's, `REST` what stands in it behind its
/// first brace, and `MODEL` the model's name.
const GRAMMAR: &[(&str, Fate, &str)] = &[
    ("blanks", Fate::Plain, " \t\r\n{ \t\r\nREST \t\r\n"),
    (
        "another member first",
        Fate::Plain,
        "{\"zzz\":[{\"a\":1}],REST",
    ),
    (
        "a model inside",
        Fate::Plain,
        "{\"zzz\":{\"model\":\"other\"},REST",
    ),
    (
        "a model in a text",
        Fate::Plain,
        "{\"zzz\":\"\\\"model\\\":\\\"other\\\"\",REST",
    ),
    ("a byte order mark", Fate::Crooked, "\u{feff}BODY"),
    ("a byte order mark behind", Fate::Crooked, "BODY\u{feff}"),
    ("a comma at the end", Fate::Crooked, "COMMA"),
    ("a comma at the beginning", Fate::Crooked, "{,REST"),
    ("two commas", Fate::Crooked, "{\"zzz\":1,,REST"),
    ("NaN", Fate::Crooked, "{\"zzz\":NaN,REST"),
    ("Infinity", Fate::Crooked, "{\"zzz\":Infinity,REST"),
    ("-Infinity", Fate::Crooked, "{\"zzz\":-Infinity,REST"),
    ("a number beyond all", Fate::Crooked, "{\"zzz\":1e999,REST"),
    ("a leading zero", Fate::Crooked, "{\"zzz\":01,REST"),
    ("a plus", Fate::Crooked, "{\"zzz\":+1,REST"),
    ("no digit in front", Fate::Crooked, "{\"zzz\":.5,REST"),
    ("no digit behind", Fate::Crooked, "{\"zzz\":1.,REST"),
    ("hex", Fate::Crooked, "{\"zzz\":0x10,REST"),
    ("True", Fate::Crooked, "{\"zzz\":True,REST"),
    ("undefined", Fate::Crooked, "{\"zzz\":undefined,REST"),
    ("a comment", Fate::Crooked, "{/*x*/REST"),
    ("a comment of a line", Fate::Crooked, "{//x\nREST"),
    ("a hash", Fate::Crooked, "#x\nBODY"),
    (
        "a model in a comment",
        Fate::Crooked,
        "{/*\"model\":\"other\",*/REST",
    ),
    ("single quotes", Fate::Crooked, "{'zzz':1,REST"),
    ("a name without quotes", Fate::Crooked, "{zzz:1,REST"),
    ("an equals sign", Fate::Crooked, "{\"zzz\"=1,REST"),
    ("a raw line break", Fate::Crooked, "{\"zzz\":\"\n\",REST"),
    ("a raw tab", Fate::Crooked, "{\"zzz\":\"\t\",REST"),
    ("a raw NUL", Fate::Crooked, "{\"zzz\":\"\0\",REST"),
    (
        "an escape of two digits",
        Fate::Crooked,
        "{\"zzz\":\"\\x41\",REST",
    ),
    (
        "an escape of a quote",
        Fate::Crooked,
        "{\"zzz\":\"\\'\",REST",
    ),
    ("half a pair", Fate::Crooked, "{\"zzz\":\"\\ud800\",REST"),
    (
        "half a pair in a name",
        Fate::Crooked,
        "{\"\\ud800\":1,REST",
    ),
    ("a form feed between", Fate::Crooked, "{\u{c}REST"),
    ("a wide blank between", Fate::Crooked, "{\u{a0}REST"),
    ("a NUL behind", Fate::Crooked, "BODY\0"),
    ("a word behind", Fate::Crooked, "BODY x"),
    (
        "a second body behind",
        Fate::Crooked,
        "BODY{\"model\":\"other\"}",
    ),
    (
        "a second body in front",
        Fate::Crooked,
        "{\"model\":\"other\"}BODY",
    ),
    ("two lines", Fate::Crooked, "{\"model\":\"other\"}\nBODY"),
    ("a brace more", Fate::Crooked, "BODY}"),
    ("a list", Fate::Crooked, "[BODY]"),
    (
        "a list of two",
        Fate::Crooked,
        "[{\"model\":\"other\"},BODY]",
    ),
    (
        "a number that separates records",
        Fate::Crooked,
        "\u{1e}BODY\n",
    ),
    ("a guard against scripts", Fate::Crooked, ")]}',\nBODY"),
    ("a call", Fate::Crooked, "f(BODY)"),
    ("a form's field", Fate::Crooked, "json=BODY"),
    ("a length in front", Fate::Crooked, "10\r\nBODY"),
];

fn grammar(thing: &'static Thing) -> Vec<Spelling> {
    let body = thing.body;
    let rest = body.strip_prefix('{').unwrap_or_default();
    let comma = body.strip_suffix('}').unwrap_or_default();
    let mut all: Vec<Spelling> = GRAMMAR
        .iter()
        .map(|(what, fate, template)| {
            let made = match *template {
                "COMMA" => format!("{comma},}}"),
                template => template.replace("BODY", body).replace("REST", rest),
            };
            Spelling::new(thing, *fate, what).body(made)
        })
        .collect();
    let deep = format!("{{\"zzz\":{}{},{rest}", "[".repeat(200), "]".repeat(200));
    all.push(Spelling::crooked(thing, "200 lists in each other").body(deep));
    let cut = body.strip_suffix('}').unwrap_or_default();
    all.push(Spelling::crooked(thing, "no brace at the end").body(cut));
    let quoted = format!("\"{}\"", body.replace('"', "\\\""));
    all.push(Spelling::crooked(thing, "JSON in a text").body(quoted));
    for (what, bytes) in [
        ("a byte of no encoding", &b"\xff"[..]),
        ("a letter of Latin-1", &b"\xe9"[..]),
        ("a quote in two bytes", &b"\xc0\xa2"[..]),
        ("half a letter", &b"\xe2\x84"[..]),
        ("a surrogate", &b"\xed\xa0\x80"[..]),
    ] {
        let text = [b"{\"zzz\":\"", bytes, b"\",", rest.as_bytes()].concat();
        all.push(Spelling::crooked(thing, format!("{what} in a text")).body(text));
        let name = [b"{\"zzz", bytes, b"\":1,", rest.as_bytes()].concat();
        all.push(Spelling::crooked(thing, format!("{what} in a name")).body(name));
    }
    all
}

/// Letters that readers which fold case take for ASCII's: the long s and the Kelvin sign.
fn letters(thing: &'static Thing) -> Vec<Spelling> {
    let mut all = Vec::new();
    let rest = thing.body.strip_prefix('{').unwrap_or_default();
    for (what, fold, letter) in [
        ("a long s", 's', '\u{17f}'),
        ("an escaped long s", 's', '\u{17f}'),
        ("a Kelvin sign", 'k', '\u{212a}'),
        ("an escaped Kelvin sign", 'k', '\u{212a}'),
    ] {
        let letter = match what.contains("escaped") {
            true => format!("\\u{:04x}", u32::from(letter)),
            false => letter.to_string(),
        };
        for member in [
            "messages",
            "tokens",
            "max_tokens",
            "thinking",
            "stream",
            "tools",
        ] {
            if !member.contains(fold) {
                continue;
            }
            let folded = member.replacen(fold, &letter, 1);
            // In place of the member, where the body has it; beside it, where it hasn't.
            let (quoted, other) = (format!("\"{member}\""), format!("\"{folded}\""));
            let body = match thing.body.contains(&quoted) {
                true => thing.body.replacen(&quoted, &other, 1),
                false => format!("{{{other}:[],{rest}"),
            };
            let what = format!("{what} in {member}");
            all.push(Spelling::crooked(thing, what).body(body));
        }
    }
    all
}
