//! The authority: its case, its port, the dot at its end.

use super::{Place, Spelling, Thing};

pub(super) fn of(thing: &'static Thing) -> Vec<Spelling> {
    let host = thing.host;
    let upper = host.to_ascii_uppercase();
    let mut all = Vec::new();
    for other in [
        upper.clone(),
        format!("{host}:80"),
        format!("{host}."),
        format!("{upper}.:8443"),
    ] {
        let spelling = Spelling::plain(thing, format!("{other:?} as the host"));
        all.push(spelling.host(other).arrives());
    }
    // What stands in the target goes before the header (RFC 9112, section 3.2.2).
    for scheme in ["http", "HTTP", "https"] {
        let what = format!("{scheme}, and its host in the target");
        let target = format!("{scheme}://{host}{}", thing.target());
        all.push(
            Spelling::crooked(thing, what)
                .target(target)
                .host("other.test"),
        );
    }
    if thing.place == Place::Host {
        all.extend(of_host(thing));
    }
    all
}

/// Where nothing but the host says what is asked for.
fn of_host(thing: &'static Thing) -> Vec<Spelling> {
    let host = thing.host;
    let mut all = Vec::new();
    for (at, letter) in host
        .char_indices()
        .filter(|(_, one)| one.is_ascii_lowercase())
    {
        let (before, behind) = host.split_at(at);
        let rest = behind.get(1..).unwrap_or_default();
        let other = format!("{before}{}{rest}", letter.to_ascii_uppercase());
        let spelling = Spelling::plain(thing, format!("{other:?} as the host"));
        all.push(spelling.host(other).arrives());
    }
    for other in [
        format!("{host}:"),
        format!("{host}:0"),
        format!("{host}:443"),
        format!("{host}:00080"),
        format!("{host}:65536"),
        format!("{host}.:80"),
        format!("{host}.:"),
        format!("{host}.."),
    ] {
        let spelling = Spelling::crooked(thing, format!("{other:?} as the host"));
        all.push(spelling.host(other));
    }
    for other in [
        format!("other.test@{host}"),
        format!("other.test:80@{host}"),
        format!("@{host}"),
        format!("a:b@{host}:80"),
        host.replace('.', "%2E"),
        format!("%61{}", host.get(1..).unwrap_or_default()),
        host.replace('.', "%2e").to_ascii_uppercase(),
        format!("{host}%2E"),
        format!("{host}:80:80"),
        format!("{host}:+80"),
        format!("{host}:80."),
        format!("{host}%00"),
        format!("{host}:x"),
    ] {
        let spelling = Spelling::crooked(thing, format!("{other:?} as the host"));
        all.push(spelling.host(other));
    }
    for (method, path) in [
        ("GET", "/"),
        ("POST", "/v1/chat/completions"),
        ("DELETE", "/v1/models/x"),
        ("PUT", "/nowhere"),
        ("OPTIONS", "/v1/models"),
        ("HEAD", "/health"),
        ("PATCH", "/collections/x"),
    ] {
        let spelling = Spelling::plain(thing, format!("{method} {path} there"));
        all.push(spelling.method(method).target(path));
    }
    all
}
