use super::*;

fn layout() -> Layout {
    Layout::read(
        "
        # what a test has
        data       /data/*/b64_json
        arguments  /calls/*/input
        data       /calls/*/input/picture
        text       /calls/*/input/picture/caption
        data       /delta  audio.delta speech.delta
        arguments  /delta  call.delta
        numbers    /rows/*
        citations  /{a|b/*}/{c|d}
        reasoning  /parts/*/text  thought=true
        data       /parts/*/text  a/b=c
        let        here  /{x|y/*}
        data       $here
        text       $here/z
        ",
    )
    .unwrap()
}

/// The class at a place.
fn class(place: &str, kind: &str) -> Class {
    class_beside(place, kind, "{}")
}

/// The same, of a member of this object.
fn class_beside(place: &str, kind: &str, object: &str) -> Class {
    let layout = layout();
    let steps = place.split('/').filter(|step| !step.is_empty());
    let at = steps.fold(layout.root(), |at, step| match step {
        "*" => layout.item(at),
        name => layout.member(at, name.as_bytes()),
    });
    layout.class(at, kind.as_bytes(), layout.met(object.as_bytes()))
}

#[test]
fn a_place_is_what_its_line_says() {
    assert_eq!(class("data/*/b64_json", ""), Class::Data);
    assert_eq!(class("calls/*/input", ""), Class::Arguments);
    for other in [
        "",
        "data",
        "data/*",
        "data/b64_json",
        "b64_json",
        "data/*/*/b64_json",
        "other/*/b64_json",
    ] {
        assert_eq!(class(other, ""), Class::Text, "{other}");
    }
}

#[test]
fn what_stands_below_is_the_same_unless_it_is_said_otherwise() {
    assert_eq!(class("calls/*/input/to/*/name", ""), Class::Arguments);
    assert_eq!(class("calls/*/input/picture", ""), Class::Data);
    assert_eq!(class("calls/*/input/picture/*/raw", ""), Class::Data);
    assert_eq!(class("calls/*/input/picture/caption", ""), Class::Text);
    assert_eq!(class("rows/*/*/*", ""), Class::Numbers);
    assert_eq!(class("rows", ""), Class::Text);
}

#[test]
fn some_places_depend_on_the_kind_of_event() {
    assert_eq!(class("delta", "audio.delta"), Class::Data);
    assert_eq!(class("delta", "speech.delta"), Class::Data);
    assert_eq!(class("delta", "call.delta"), Class::Arguments);
    assert_eq!(class("delta", "text.delta"), Class::Text);
    assert_eq!(class("delta/text", "audio.delta"), Class::Text);
}

#[test]
fn a_line_may_speak_of_several_places() {
    for place in ["a/c", "a/d", "b/*/c", "b/*/d"] {
        assert_eq!(class(place, ""), Class::Citations, "{place}");
    }
    for place in ["a", "b/*", "b/c", "c", "x/z", "y/*/z", "y"] {
        assert_eq!(class(place, ""), Class::Text, "{place}");
    }
    assert_eq!(class("x", ""), Class::Data);
    assert_eq!(class("y/*/other", ""), Class::Data);
}

#[test]
fn some_places_depend_on_what_stands_beside_them() {
    let beside = |object: &str| class_beside("parts/*/text", "", object);
    assert_eq!(beside(r#"{"text":"a"}"#), Class::Text);
    assert_eq!(beside(r#"{"text":"a","thought":true}"#), Class::Reasoning);
    assert_eq!(beside(r#"{"a":{"b":"c"}}"#), Class::Data);
    let object = r#"{"thought":true}"#;
    assert_eq!(class_beside("parts/*/other", "", object), Class::Text);
    assert_eq!(class_beside("parts/*/text/below", "", object), Class::Text);
    let layout = layout();
    let parts = layout.item(layout.member(layout.root(), b"parts"));
    let drop = |class| match class {
        Class::Reasoning => Treatment::Drop,
        _ => Treatment::Mask,
    };
    assert!(layout.asks(parts, drop));
    assert!(!layout.asks(parts, |_| Treatment::Mask));
    assert!(!layout.asks(layout.root(), drop));
}

#[test]
fn members_of_any_name_are_told_by_what_is_around_them() {
    let read = "data /a/**/*/id\ndata /a/b/c\ntext /d/*\ndata /d/*/**\ntext /d/*/e";
    let layout = Layout::read(read).unwrap();
    let class = |path: &str| {
        let at = path.split('/').fold(layout.root(), |at, step| match step {
            "*" => layout.item(at),
            name => layout.member(at, name.as_bytes()),
        });
        layout.class(at, b"", Met::default())
    };
    for (path, said) in [
        ("a/x/*/id", Class::Data),
        ("a/x/*/other", Class::Text),
        ("a/x/id", Class::Text),
        ("a/b/*/id", Class::Text),
        ("a/b/c", Class::Data),
        ("d/*/x", Class::Data),
        ("d/*/e", Class::Text),
        ("d/*", Class::Text),
    ] {
        assert_eq!(class(path), said, "{path}");
    }
    assert!(Layout::read("data /a/**  x=y").is_err());
}

#[test]
fn a_line_that_says_nothing_is_an_error() {
    for wrong in [
        "data",
        "data data",
        "datum /a",
        "data /a//b",
        "data /a\ntext /a",
        "data /",
        "data /{a|b",
        "data /{a|}/b",
        "data /a  x=",
        "let a",
        "let a /b\nlet a /c",
        "data $a/b",
        "data /a/*  x=y",
        "data /a/b  x=y\ntext /a/b  x=y",
    ] {
        assert!(Layout::read(wrong).is_err(), "{wrong:?}");
    }
    assert!(Layout::read("data /a\ndata /{a|b}\ndata /a x\ndata /a x").is_ok());
}

#[test]
fn the_first_of_several_files_has_its_way() {
    let read = Layout::read_all(&["data /a\ndata /b x", "text /a\ntext /b x\nfile /c"]).unwrap();
    let class = |name: &[u8], kind: &[u8]| {
        let at = read.member(read.root(), name);
        read.class(at, kind, Met::default())
    };
    assert_eq!(class(b"a", b""), Class::Data);
    assert_eq!(class(b"b", b"x"), Class::Data);
    assert_eq!(class(b"c", b""), Class::File);
}
