//! The model's name, wherever it stands.

use super::{ALIAS, Fate, Place, Spelling, Thing};

pub(super) fn of(thing: &'static Thing) -> Vec<Spelling> {
    let Some(model) = thing.model else {
        return Vec::new();
    };
    match thing.place {
        Place::Path => {
            let mut all = in_path(thing, model);
            if !thing.body.is_empty() {
                all.extend(path_against_body(thing, model));
            }
            all
        }
        Place::Query => in_query(thing),
        Place::Body => in_body(thing, model),
        Place::Nowhere | Place::Host => Vec::new(),
    }
}

/// What a body has in place of the model's name in its quotes; `MODEL` is the name.
const VALUES: &[(&str, Fate)] = &[
    ("null", Fate::Plain),
    ("\"\"", Fate::Plain),
    (" \"MODEL\"\n", Fate::Plain),
    ("\" MODEL\"", Fate::Crooked),
    ("\"MODEL \"", Fate::Crooked),
    ("\"\\tMODEL\"", Fate::Crooked),
    ("\"MODEL\\n\"", Fate::Crooked),
    ("\"MODEL\\r\\n\"", Fate::Crooked),
    ("\"MODEL\\u0000\"", Fate::Crooked),
    ("\"MODEL\\u0000other\"", Fate::Crooked),
    ("\"MODEL\\u007f\"", Fate::Crooked),
    ("\"MODEL\\u00a0\"", Fate::Crooked),
    ("\"MODEL\\u2003\"", Fate::Crooked),
    ("\"\\u3000MODEL\"", Fate::Crooked),
    ("\"\\ufeffMODEL\"", Fate::Crooked),
    ("\"MODEL\\ufeff\"", Fate::Crooked),
    ("\"MODEL\\u2028\"", Fate::Crooked),
    ("\"MODEL\\u0085\"", Fate::Crooked),
    ("\" \"", Fate::Crooked),
    ("\"\\u00a0\"", Fate::Crooked),
    ("\"\\u0000\"", Fate::Crooked),
    ("[\"MODEL\"]", Fate::Crooked),
    ("[[\"MODEL\"]]", Fate::Crooked),
    ("[\"MODEL\",\"other\"]", Fate::Crooked),
    ("[]", Fate::Crooked),
    ("{}", Fate::Crooked),
    ("{\"id\":\"MODEL\"}", Fate::Crooked),
    ("{\"name\":\"MODEL\"}", Fate::Crooked),
    ("5", Fate::Crooked),
    ("-1.5", Fate::Crooked),
    ("true", Fate::Crooked),
    ("false", Fate::Crooked),
];

fn in_body(thing: &'static Thing, model: &str) -> Vec<Spelling> {
    let quoted = format!("\"{model}\"");
    let valued = |fate, what: String, value: &str| {
        let body = thing.body.replacen(&quoted, value, 1);
        Spelling::new(thing, fate, what).body(body)
    };
    let mut all = Vec::new();
    for (value, fate) in VALUES {
        let value = value.replace("MODEL", model);
        all.push(valued(*fate, format!("{value:?} as the model"), &value));
    }
    for name in other_names(model) {
        all.push(valued(
            Fate::Plain,
            format!("{name} as the model"),
            &format!("\"{name}\""),
        ));
    }
    for (at, letter) in model.char_indices() {
        let (before, behind) = model.split_at(at);
        let rest = behind.get(letter.len_utf8()..).unwrap_or_default();
        let value = format!("\"{before}\\u{:04x}{rest}\"", u32::from(letter));
        all.push(valued(Fate::Plain, format!("{value} as the model"), &value));
    }
    if model.contains('/') {
        let value = format!("\"{}\"", model.replace('/', "\\/"));
        all.push(valued(
            Fate::Plain,
            "its slash behind a backslash".to_owned(),
            &value,
        ));
    }
    let without = thing.body.replacen(&format!("\"model\":{quoted},"), "", 1);
    let without = without.replacen(&format!("\"model\":{quoted}"), "", 1);
    all.push(Spelling::plain(thing, "no model").body(without));
    if thing.name.starts_with("ollama") {
        all.extend(by_name(thing, &quoted));
    }
    all
}

/// Ollama's older member for the model.
fn by_name(thing: &'static Thing, quoted: &str) -> Vec<Spelling> {
    let named = |fate, what: &str, member: &str| {
        let body = thing
            .body
            .replacen(&format!("\"model\":{quoted}"), member, 1);
        Spelling::new(thing, fate, what).body(body)
    };
    vec![
        named(
            Fate::Plain,
            "its older member",
            &format!("\"name\":{quoted}"),
        ),
        named(
            Fate::Plain,
            "both members",
            &format!("\"name\":{quoted},\"model\":{quoted}"),
        ),
        named(
            Fate::Plain,
            "the older member empty",
            &format!("\"name\":\"\",\"model\":{quoted}"),
        ),
        named(
            Fate::Crooked,
            "the older member first, another",
            &format!("\"name\":\"other\",\"model\":{quoted}"),
        ),
        named(
            Fate::Crooked,
            "the older member last, another",
            &format!("\"model\":{quoted},\"name\":\"other\""),
        ),
        named(
            Fate::Crooked,
            "the older member, the newer another",
            &format!("\"model\":\"other\",\"name\":{quoted}"),
        ),
        named(
            Fate::Crooked,
            "the older member in capitals",
            &format!("\"Name\":{quoted}"),
        ),
        named(
            Fate::Crooked,
            "the older member in capitals beside",
            &format!("\"model\":\"other\",\"NAME\":{quoted}"),
        ),
    ]
}

/// Names by which the policy knows a model, besides its own.
fn other_names(model: &str) -> Vec<String> {
    let mut letters = model.chars();
    let first = letters.next().map(|one| one.to_ascii_uppercase());
    vec![
        ALIAS.to_owned(),
        ALIAS.to_ascii_uppercase(),
        model.to_ascii_uppercase(),
        first.into_iter().chain(letters).collect(),
    ]
}

fn in_path(thing: &'static Thing, model: &str) -> Vec<Spelling> {
    // A slash in a name that is one segment stays an escape.
    let written = match thing.path.contains(model) {
        true => model.to_owned(),
        false => model.replace('/', "%2F"),
    };
    let changed = |name: &str| thing.path.replacen(&written, name, 1);
    let mut all = Vec::new();
    for name in other_names(&written) {
        let spelling = Spelling::plain(thing, format!("{name} as the model"));
        all.push(spelling.path(&changed(&name)));
    }
    for ends in [
        "%20MODEL",
        "MODEL%20",
        "%20%20MODEL",
        "MODEL%09",
        "MODEL%0A",
        "MODEL%00",
        "%00MODEL",
        "MODEL%C2%A0",
        "%c2%a0MODEL",
        "MODEL%E2%80%83",
        "%E3%80%80MODEL",
        "MODEL%EF%BB%BF",
        "%ef%bb%bfMODEL",
        "MODEL%C2%85",
        "MODEL%7F",
        "MODEL%2F",
        "%2FMODEL",
        "MODEL%2F%2F",
        "MODEL;",
        "MODEL;v=1",
        "MODEL%3B",
        "x/../MODEL",
        "x%2F..%2FMODEL",
        ".%2FMODEL",
        "MODEL%2F.",
    ] {
        let name = ends.replace("MODEL", &written);
        let spelling = Spelling::crooked(thing, format!("{ends} as the model"));
        all.push(spelling.path(&changed(&name)));
    }
    if written.contains('/') {
        for escape in ["%2F", "%2f"] {
            let name = written.replace('/', escape);
            let spelling = Spelling::plain(thing, format!("{escape} in the model"));
            all.push(spelling.path(&changed(&name)));
        }
    }
    if let Some((_, behind)) = written.split_once("%2F") {
        for (at, letter) in behind.char_indices() {
            let (before, rest) = behind.split_at(at);
            let rest = rest.get(letter.len_utf8()..).unwrap_or_default();
            let name = written.replacen(
                behind,
                &format!("{before}%{:02x}{rest}", u32::from(letter)),
                1,
            );
            let spelling =
                Spelling::plain(thing, format!("{name} as the model, one letter escaped"));
            all.push(spelling.path(&changed(&name)).arrives());
        }
    }
    all
}

/// A model in the body beside the one in the path.
fn path_against_body(thing: &'static Thing, model: &str) -> Vec<Spelling> {
    let rest = thing.body.strip_prefix('{').unwrap_or_default();
    let comma = match rest {
        "}" => "",
        _ => ",",
    };
    let mut all = Vec::new();
    for member in [
        "model",
        "model_name",
        "modelId",
        "name",
        "id",
        "engine",
        "Model",
    ] {
        for value in ["other", model, ALIAS, ""] {
            let body = format!("{{\"{member}\":\"{value}\"{comma}{rest}");
            let what = format!("{member} {value:?} in the body");
            all.push(Spelling::crooked(thing, what).body(body));
        }
    }
    let body = format!("{{\"model\":null{comma}{rest}");
    all.push(Spelling::plain(thing, "a model that is null in the body").body(body));
    all
}

fn in_query(thing: &'static Thing) -> Vec<Spelling> {
    let model = thing.model.unwrap_or_default();
    let mut all = Vec::new();
    let mut add = |fate, query: String| {
        let target = format!("{}?{query}", thing.path);
        let spelling = Spelling::new(thing, fate, format!("{query:?} as the query"));
        all.push(spelling.target(target));
    };
    for name in other_names(model) {
        add(Fate::Plain, format!("model={name}"));
    }
    for (at, letter) in model.char_indices() {
        let (before, behind) = model.split_at(at);
        let rest = behind.get(letter.len_utf8()..).unwrap_or_default();
        add(
            Fate::Plain,
            format!("model={before}%{:02X}{rest}", u32::from(letter)),
        );
    }
    for (at, letter) in "model".char_indices() {
        let (before, behind) = "model".split_at(at);
        let rest = behind.get(1..).unwrap_or_default();
        add(
            Fate::Plain,
            format!("{before}%{:02X}{rest}={model}", u32::from(letter)),
        );
        add(
            Fate::Crooked,
            format!("{before}{}{rest}={model}", letter.to_ascii_uppercase()),
        );
        add(
            Fate::Crooked,
            format!("{before}%25{:02x}{rest}={model}", u32::from(letter)),
        );
    }
    for (query, fate) in [
        ("x=1&model=MODEL", Fate::Plain),
        ("model=MODEL&x=1", Fate::Plain),
        ("model=MODEL&model=MODEL", Fate::Plain),
        ("model=&model=MODEL", Fate::Crooked),
        ("model&model=MODEL", Fate::Crooked),
        ("model=", Fate::Crooked),
        ("model", Fate::Crooked),
        ("", Fate::Crooked),
        ("x=1;model=MODEL", Fate::Crooked),
        ("model=other&model=MODEL", Fate::Crooked),
        ("model=MODEL&model=other", Fate::Crooked),
        ("model=MODEL;model=other", Fate::Crooked),
        ("Model=other&model=MODEL", Fate::Crooked),
        ("model=other&Model=MODEL", Fate::Crooked),
        ("model=other&mod%65l=MODEL", Fate::Crooked),
        ("model=+MODEL", Fate::Crooked),
        ("model=MODEL+", Fate::Crooked),
        ("model=%20MODEL", Fate::Crooked),
        ("model=MODEL%20", Fate::Crooked),
        ("model=MODEL%09", Fate::Crooked),
        ("model=MODEL%0A", Fate::Crooked),
        ("model=MODEL%00", Fate::Crooked),
        ("model=MODEL%00other", Fate::Crooked),
        ("model=MODEL%C2%A0", Fate::Crooked),
        ("model=%EF%BB%BFMODEL", Fate::Crooked),
        ("model=MODEL%E2%80%A8", Fate::Crooked),
        ("model=MODEL%FF", Fate::Crooked),
        ("model=%FF", Fate::Crooked),
        ("model=MODEL%", Fate::Crooked),
        ("model[]=MODEL", Fate::Crooked),
        ("model[0]=MODEL", Fate::Crooked),
        ("model=MODEL#x", Fate::Crooked),
        ("?model=MODEL", Fate::Crooked),
        ("&model=MODEL", Fate::Plain),
        ("model=MODEL&", Fate::Plain),
        ("+model=MODEL", Fate::Crooked),
        ("model+=MODEL", Fate::Crooked),
        ("%00model=MODEL", Fate::Crooked),
        ("model%00=MODEL", Fate::Crooked),
    ] {
        add(fate, query.replace("MODEL", model));
    }
    let body = format!("{{\"model\":\"{model}\"}}");
    let typed = |fate, what: &str| {
        Spelling::new(thing, fate, what).header("content-type", "application/json")
    };
    all.push(
        typed(Fate::Crooked, "the model in the body")
            .target(thing.path)
            .body(&body),
    );
    all.push(typed(Fate::Crooked, "the model in both").body(&body));
    let other = r#"{"model":"other"}"#;
    all.push(typed(Fate::Crooked, "another model in the body").body(other));
    all
}
