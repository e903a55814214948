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
        ",
    )
    .unwrap()
}

/// The class at a place.
fn class(place: &str, kind: &str) -> Class {
    let layout = layout();
    let steps = place.split('/').filter(|step| !step.is_empty());
    let at = steps.fold(layout.root(), |at, step| match step {
        "*" => layout.item(at),
        name => layout.member(at, name.as_bytes()),
    });
    layout.class(at, kind.as_bytes())
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
fn a_line_that_says_nothing_is_an_error() {
    for wrong in [
        "data",
        "data data",
        "datum /a",
        "data /a//b",
        "data /a\ntext /a",
        "data /",
    ] {
        assert!(Layout::read(wrong).is_err(), "{wrong:?}");
    }
}
