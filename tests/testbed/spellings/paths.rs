//! Slashes, dots, escapes and capitals.

use super::{Fate, Spelling, Thing};

pub(super) fn of(thing: &'static Thing) -> Vec<Spelling> {
    let mut all = slashes(thing);
    all.extend(segments(thing));
    all.extend(characters(thing));
    all.extend(capitals(thing));
    all.extend(ends(thing));
    all
}

/// What may stand in place of any slash.
const IN_PLACE_OF_EACH: &[(&str, Fate)] = &[
    ("//", Fate::Plain),
    ("/./", Fate::Plain),
    ("\\", Fate::Crooked),
    ("%2F", Fate::Crooked),
    ("%2f", Fate::Crooked),
    ("%5C", Fate::Crooked),
    ("/;/", Fate::Crooked),
];

/// What may stand in place of one slash or another: each is tried at one of them.
const IN_PLACE_OF_ONE: &[(&str, Fate)] = &[
    ("///", Fate::Plain),
    ("/././", Fate::Plain),
    ("/%2e/", Fate::Plain),
    ("/%2E//", Fate::Plain),
    ("/x/../", Fate::Plain),
    ("/x/y/../../", Fate::Plain),
    ("/x/%2e%2e/", Fate::Plain),
    ("/x/.%2E/", Fate::Plain),
    ("/x/%2E./", Fate::Plain),
    ("/x//../", Fate::Plain),
    ("/x/./..//", Fate::Plain),
    ("%5c", Fate::Crooked),
    ("/\\", Fate::Crooked),
    ("\\/", Fate::Crooked),
    ("/%2F", Fate::Crooked),
    ("/x/..;/", Fate::Crooked),
    ("/x/..;x=1/", Fate::Crooked),
    ("/x/%2e%2e;/", Fate::Crooked),
    ("/x/..%3B/", Fate::Crooked),
    ("/x/..%2F", Fate::Crooked),
    ("/x%2F../", Fate::Crooked),
    ("/x/%2e%2e%2f", Fate::Crooked),
    ("/x/..\\", Fate::Crooked),
    ("/x\\..\\", Fate::Crooked),
    ("/x/..%5C", Fate::Crooked),
    ("/x/%252e%252e/", Fate::Crooked),
    ("/x/.%252E/", Fate::Crooked),
    ("/x/%c0%ae%c0%ae/", Fate::Crooked),
    ("/x/%u002e%u002e/", Fate::Crooked),
    ("/x/..%00/", Fate::Crooked),
    ("/x/..%0d/", Fate::Crooked),
    ("%252F", Fate::Crooked),
    ("%255C", Fate::Crooked),
    ("%25252F", Fate::Crooked),
    ("%c0%af", Fate::Crooked),
    ("%C1%9C", Fate::Crooked),
    ("%e0%80%af", Fate::Crooked),
    ("%u002f", Fate::Crooked),
    ("/%3B/", Fate::Crooked),
    ("/%00/", Fate::Crooked),
];

fn slashes(thing: &'static Thing) -> Vec<Spelling> {
    let places: Vec<usize> = thing.path.match_indices('/').map(|(at, _)| at).collect();
    let mut all = Vec::new();
    for at in &places {
        for (instead, fate) in IN_PLACE_OF_EACH {
            all.extend(replaced(thing, *at, instead, *fate));
        }
    }
    for (index, (instead, fate)) in IN_PLACE_OF_ONE.iter().enumerate() {
        let place = index.checked_rem(places.len()).unwrap_or_default();
        if let Some(at) = places.get(place) {
            all.extend(replaced(thing, *at, instead, *fate));
        }
    }
    all
}

/// A spelling with another text in place of the slash at an offset.
fn replaced(thing: &'static Thing, at: usize, instead: &str, fate: Fate) -> Option<Spelling> {
    let (before, rest) = thing.path.split_at_checked(at)?;
    let path = format!("{before}{instead}{}", rest.strip_prefix('/')?);
    // Two requests in one form are one spelling, and what begins with no slash is no path.
    let what = format!("{instead:?} for the slash at {at}");
    let spelling = Spelling::new(thing, fate, what).path(&path);
    Some(match fate {
        Fate::Plain => spelling.arrives(),
        _ => spelling,
    })
}

/// Parameters behind segments, and segments whose first letter is escaped twice.
fn segments(thing: &'static Thing) -> Vec<Spelling> {
    let all: Vec<&str> = thing.path.split('/').skip(1).collect();
    let mut spellings = Vec::new();
    let mut add = |index: usize, what: &str, segment: String| {
        let mut changed: Vec<&str> = all.clone();
        if let Some(place) = changed.get_mut(index) {
            *place = &segment;
        }
        let path = format!("/{}", changed.join("/"));
        let what = format!("{what}, segment {index}");
        spellings.push(Spelling::crooked(thing, what).path(&path));
    };
    for (index, segment) in all.iter().enumerate() {
        add(index, "a semicolon", format!("{segment};"));
        add(index, "a parameter", format!("{segment};jsessionid=1"));
        add(index, "an escaped semicolon", format!("{segment}%3bx"));
        let mut letters = segment.chars();
        if let Some(first) = letters.next() {
            let twice = format!("%25{:02x}{}", u32::from(first), letters.as_str());
            add(index, "escaped twice", twice);
            let letters = segment.get(first.len_utf8()..).unwrap_or_default();
            let wide = format!("%u{:04x}{letters}", u32::from(first));
            add(index, "an escape of four digits", wide);
        }
    }
    spellings
}

/// Each character of the path but its slashes, escaped alone; then all of them.
fn characters(thing: &'static Thing) -> Vec<Spelling> {
    let mut all = Vec::new();
    for (at, letter) in thing.path.char_indices() {
        let before = thing.path.get(..at).unwrap_or_default();
        // An escape stays one; so do the digits in it.
        let in_escape = before.ends_with('%')
            || before
                .get(before.len().saturating_sub(2)..)
                .is_some_and(|two| two.starts_with('%'));
        if letter == '/' || letter == '%' || in_escape {
            continue;
        }
        let behind = thing.path.get(at + letter.len_utf8()..).unwrap_or_default();
        let upper = format!("%{:02X}", u32::from(letter));
        let lower = upper.to_ascii_lowercase();
        let mut add = |escape: &str| {
            let spelling = Spelling::plain(thing, format!("{escape} at {at}"));
            all.push(
                spelling
                    .path(&format!("{before}{escape}{behind}"))
                    .arrives(),
            );
        };
        add(&upper);
        if lower != upper {
            add(&lower);
        }
    }
    if !thing.path.contains('%') {
        let escaped = |letter: char| match letter {
            '/' => "/".to_owned(),
            letter => format!("%{:02x}", u32::from(letter)),
        };
        let path: String = thing.path.chars().map(escaped).collect();
        all.push(Spelling::plain(thing, "all escaped").path(&path).arrives());
        let slashes = path.replacen('/', "%2f", usize::MAX);
        let rest = slashes.strip_prefix("%2f").unwrap_or_default();
        let path = format!("/{rest}");
        all.push(Spelling::crooked(thing, "all escaped, slashes too").path(&path));
        let path = path.replace('%', "%25");
        all.push(Spelling::crooked(thing, "all escaped twice").path(&path));
    }
    all
}

/// Other cases of segments and of the whole: some servers fold them.
fn capitals(thing: &'static Thing) -> Vec<Spelling> {
    // Capitals in an escape are the same escape.
    let path = thing.path.replace("%2F", "%2f");
    let mut all: Vec<Spelling> = Vec::new();
    let mut add = |what: String, changed: String| {
        let known = all
            .iter()
            .any(|one: &Spelling| one.target.starts_with(&changed));
        if changed != path && !known {
            all.push(Spelling::crooked(thing, what).path(&changed));
        }
    };
    add("all capitals".to_owned(), path.to_ascii_uppercase());
    for (at, letter) in path.char_indices() {
        let first = at
            .checked_sub(1)
            .and_then(|before| path.as_bytes().get(before))
            .is_some_and(|before| !before.is_ascii_alphanumeric());
        if first || letter.is_ascii_uppercase() {
            let (before, behind) = path.split_at(at);
            let end = behind.find('/').unwrap_or(behind.len());
            let (segment, rest) = behind.split_at(end);
            let swapped = match letter.is_ascii_uppercase() {
                true => letter.to_ascii_lowercase(),
                false => letter.to_ascii_uppercase(),
            };
            let others = segment.get(letter.len_utf8()..).unwrap_or_default();
            let one = format!("{before}{swapped}{others}{rest}");
            add(format!("{swapped} at {at}"), one);
            let whole = format!("{before}{}{rest}", segment.to_ascii_uppercase());
            add(format!("capitals from {at}"), whole);
        }
    }
    all
}

/// What stands in front of a path and behind it.
fn ends(thing: &'static Thing) -> Vec<Spelling> {
    let path = thing.path;
    let mut all = Vec::new();
    for behind in [
        "/",
        "//",
        "/.",
        "/./",
        "/%2e",
        "/x/..",
        "/x/../",
        "/x/%2E%2e",
    ] {
        let spelling = Spelling::plain(thing, format!("{behind:?} at the end"));
        all.push(spelling.path(&format!("{path}{behind}")).arrives());
    }
    for behind in [
        "%2F",
        "/%2f",
        "%5C",
        "\\",
        ";",
        ";/",
        "/;",
        ";a=b",
        "%3B",
        "%3F",
        "%3fx=1",
        "%23",
        "%23x",
        "#",
        "#x",
        "%00",
        "%00.txt",
        "%0A",
        "%0d%0a",
        "%09",
        "%7F",
        "%253F",
        "%2523",
        "%2500",
        "%250a",
        "%",
        "%2",
        "%zz",
        "/..;/",
        "/x/..;",
        "/%2e%2e%2f",
        "/x/..%2f",
        "/x/..%5c",
    ] {
        let spelling = Spelling::crooked(thing, format!("{behind:?} at the end"));
        all.push(spelling.path(&format!("{path}{behind}")));
    }
    for before in ["/.", "/%2e", "/x/..", "/x/%2e%2e", "/x/y/../.."] {
        let spelling = Spelling::plain(thing, format!("{before:?} in front"));
        all.push(spelling.path(&format!("{before}{path}")).arrives());
    }
    for before in [
        "/..",
        "/%2e%2e",
        "/x/../..",
        "/%2e%2e/%2E.",
        "/..;",
        "/x/..;a=b",
        "/;",
        "/%2F",
        "/%5C",
        "\\",
        "/\\",
        ".",
        "*",
        "/%00",
        "/%2e%2e%2f",
        "//other.test/%2e%2e",
        "///other.test/..;",
    ] {
        let spelling = Spelling::crooked(thing, format!("{before:?} in front"));
        all.push(spelling.path(&format!("{before}{path}")));
    }
    all
}
