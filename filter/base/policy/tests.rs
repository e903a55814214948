use serde_json::{Value, json};

use super::*;

static INNER: Form = Form::object(&[Key::usually("limit", Usual::Whole(7), "A limit.", &LIMIT)]);
static LIMIT: Form = Form::whole(1, 9);
static EITHER: Form = Form::either(&[&STYLE, &SHAPE]);
static STYLE: Form = Form::names(&["plain", "bold"]);
static SHAPE: Form = Form::object(&[Key::required("shape", "A shape.", &TEXT)]);
static NAMED: Form = Form::map("a name", &LIMIT);
static SIZE: Form = Form::size(1, 1 << 20);
static TIME: Form = Form::duration(
    core::time::Duration::from_secs(1),
    core::time::Duration::from_secs(60),
);
static ROOT: Form = Form::object(&[
    Key::required("name", "A name.", &TEXT),
    Key::optional("list", "A list.", &TEXTS),
    Key::usually("inner", Usual::Empty, "Inside.", &INNER),
    Key::usually("style", Usual::Text("plain"), "A style.", &EITHER),
    Key::usually("size", Usual::Text("64KiB"), "A size.", &SIZE),
    Key::usually("time", Usual::Text("2s"), "A time.", &TIME),
    Key::usually("on", Usual::Flag(true), "A flag.", &FLAG),
    Key::usually("words", Usual::Words("whatever"), "Words.", &TEXTS),
    Key::optional("named", "Named.", &NAMED),
    Key::optional("key", "A secret.", &SECRET),
    Key::later("soon", "what is not there yet"),
]);

/// What a reader makes of a document, and what is wrong with it.
fn read<T>(value: &Value, reader: impl FnOnce(&Object<'_>) -> T) -> (Option<T>, Vec<String>) {
    let document = Document::new(&|name| (name == "KEY").then(|| "s3cret".to_owned()));
    let read = Node::root(&document, value, &ROOT)
        .object()
        .map(|object| reader(&object));
    let problems = document.into_problems();
    (read, problems.iter().map(ToString::to_string).collect())
}

fn problems(value: &Value, reader: impl FnOnce(&Object<'_>)) -> Vec<String> {
    read(value, reader).1
}

#[test]
fn what_is_left_out_is_as_usual() {
    let (read, problems) = read(&json!({"name": "a"}), |object| {
        (
            object.object("inner").unwrap().whole("limit"),
            object.get("style").unwrap().pick().unwrap().1.name(),
            object.size("size"),
            object.duration("time").map(|time| time.as_secs()),
            object.flag("on"),
            object.get("words").is_none() && object.get("list").is_none(),
        )
    });
    assert_eq!(problems, [""; 0]);
    assert_eq!(
        read,
        Some((Some(7), Some(0), Some(64 << 10), Some(2), Some(true), true))
    );
}

#[test]
fn all_that_is_wrong_is_told_at_once_with_its_place() {
    let found = problems(
        &json!({"nam": 1, "list": [], "inner": {"limit": 10}, "soon": 1, "on": "yes"}),
        |object| {
            let _ = object.texts("list");
            let _ = object.object("inner").unwrap().whole("limit");
            let _ = object.flag("on");
        },
    );
    assert_eq!(
        found,
        [
            "/: found no key \"name\", expected it to be there",
            "/soon: found what is not there yet, which this version of Portcullis does not have \
             yet, expected nothing of the kind",
            "/nam: found the unknown key \"nam\", expected \"inner\", \"key\", \"list\", \
             \"name\", \"named\", \"on\", \"size\", \"style\", \"time\" or \"words\"",
            "/list: found an empty list, expected at least one item",
            "/inner/limit: found 10, expected a whole number from 1 to 9",
            "/on: found \"yes\", expected true or false",
        ]
    );
}

#[test]
fn of_several_forms_the_type_chooses_and_all_are_told() {
    let style = |value: Value| {
        read(&json!({"name": "a", "style": value}), |object| {
            let (form, node) = object.get("style")?.pick()?;
            match form {
                0 => node.name().map(|name| name.to_string()),
                _ => node.object()?.text("shape"),
            }
        })
    };
    assert_eq!(style(json!("bold")), (Some(Some("1".to_owned())), vec![]));
    assert_eq!(
        style(json!({"shape": "round"})),
        (Some(Some("round".to_owned())), vec![])
    );
    let told = "expected \"plain\" or \"bold\", or an object with \"shape\"";
    assert_eq!(
        style(json!("italic")).1,
        [format!("/style: found \"italic\", {told}")]
    );
    assert_eq!(style(json!(3)).1, [format!("/style: found 3, {told}")]);
}

#[test]
fn sizes_and_durations_have_their_range() {
    for (key, value, expected) in [
        ("size", "2MiB", "from 1B to 1MiB"),
        ("size", "1", "from 1B to 1MiB"),
        ("time", "500ms", "from 1s to 1m"),
        ("time", "2h", "from 1s to 1m"),
    ] {
        let found = problems(&json!({"name": "a", key: value}), |object| {
            let _ = object.size("size");
            let _ = object.duration("time");
        });
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(&format!("/{key}: found {value:?}, ")));
        assert!(found[0].ends_with(expected), "{found:?}");
    }
}

#[test]
fn a_secret_is_resolved_and_never_shown() {
    let key = |value: Value| {
        read(&json!({"name": "a", "key": value}), |object| {
            object.get("key").and_then(|node| node.secret())
        })
    };
    assert_eq!(
        key(json!("Bearer ${KEY}")).0.unwrap().as_deref(),
        Some("Bearer s3cret")
    );
    for wrong in [
        json!("s3cret ${KEY"),
        json!("${K-Y}"),
        json!("${NONE}"),
        json!("s3cret\n"),
        json!(["s3cret"]),
        json!(""),
    ] {
        let (read, problems) = key(wrong.clone());
        assert_eq!(read, Some(None), "{wrong}");
        assert_eq!(problems.len(), 1, "{wrong}: {problems:?}");
        assert!(problems[0].starts_with("/key: "), "{problems:?}");
        assert!(!problems[0].contains("s3cret"), "{problems:?}");
    }
}

#[test]
fn names_of_the_policy_s_own_are_listed_with_their_places() {
    let (read, problems) = read(
        &json!({"name": "a", "named": {"x/y": 3, "z": 0}}),
        |object| {
            let entries = object.object("named").unwrap().entries();
            let read = entries.iter().map(|(name, node)| (*name, node.whole()));
            format!("{:?}", read.collect::<Vec<_>>())
        },
    );
    assert_eq!(read.unwrap(), "[(\"x/y\", Some(3)), (\"z\", None)]");
    assert_eq!(
        problems,
        ["/named/z: found 0, expected a whole number from 1 to 9"]
    );
}

#[test]
fn presence_is_checked() {
    static ONE: Form = Form::object_with(
        Presence::One(&["a", "b"]),
        &[
            Key::optional("a", "A.", &TEXT),
            Key::optional("b", "B.", &TEXT),
        ],
    );
    static SOME: Form = Form::object_with(
        Presence::Some(&["a", "b"]),
        &[
            Key::optional("a", "A.", &TEXT),
            Key::optional("b", "B.", &TEXT),
        ],
    );
    static FULL: Form = Form::object_with(Presence::NotEmpty, &[Key::optional("a", "A.", &TEXT)]);
    for (form, value, expected) in [
        (&ONE, json!({"a": "x"}), None),
        (
            &ONE,
            json!({}),
            Some("/: found no \"a\" or \"b\", expected one of them"),
        ),
        (
            &ONE,
            json!({"a": "x", "b": "y"}),
            Some("/: found \"a\" and \"b\", expected one of \"a\" and \"b\""),
        ),
        (&SOME, json!({"a": "x", "b": "y"}), None),
        (
            &SOME,
            json!({}),
            Some("/: found no \"a\" or \"b\", expected at least one of them"),
        ),
        (&FULL, json!({"a": "x"}), None),
        (
            &FULL,
            json!({}),
            Some("/: found an empty object, expected at least one of the keys \"a\""),
        ),
    ] {
        let document = Document::new(&|_| None);
        let _ = Node::root(&document, &value, form).object();
        let problems = document.into_problems();
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let expected: Vec<&str> = expected.into_iter().collect();
        assert_eq!(problems, expected, "{value}");
    }
}

#[test]
fn the_schema_says_what_the_form_says() {
    let schema = schema("A thing", &ROOT);
    assert_eq!(schema["title"], "A thing");
    assert_eq!(schema["required"], json!(["name"]));
    assert_eq!(schema["additionalProperties"], false);
    let properties = &schema["properties"];
    assert_eq!(
        properties["inner"],
        json!({
            "type": "object",
            "description": "Inside.",
            "default": {},
            "additionalProperties": false,
            "properties": {"limit": {
                "type": "integer", "minimum": 1, "maximum": 9, "default": 7,
                "description": "A limit.",
            }},
        })
    );
    assert_eq!(
        properties["style"]["anyOf"],
        json!([
            {"enum": ["plain", "bold"]},
            {
                "type": "object", "required": ["shape"], "additionalProperties": false,
                "properties": {"shape": {
                    "type": "string", "minLength": 1, "description": "A shape.",
                }},
            },
        ])
    );
    assert_eq!(properties["size"]["pattern"], "^[0-9]+(B|KiB|MiB|GiB)$");
    assert_eq!(properties["key"]["$ref"], "#/$defs/secret");
    assert_eq!(schema["$defs"]["secret"]["type"], "string");
    assert_eq!(properties["named"]["additionalProperties"]["maximum"], 9);
    assert!(properties.get("soon").is_none());
}

#[test]
fn a_form_that_holds_itself_has_one_definition() {
    static LOOP: Form = Form::object(&[Key::optional("not", "Itself.", &LOOP)]).named("loop");
    static OUTER: Form = Form::object(&[Key::required("when", "Once.", &LOOP)]);
    let schema = schema("A loop", &OUTER);
    assert_eq!(schema["properties"]["when"]["$ref"], "#/$defs/loop");
    assert_eq!(
        schema["$defs"]["loop"]["properties"]["not"]["$ref"],
        "#/$defs/loop"
    );
    assert_eq!(reference(&OUTER).matches("## `/when`").count(), 1);
}

#[test]
fn the_reference_lists_every_key_once_with_its_object() {
    let page = reference(&ROOT);
    assert!(page.starts_with("## `/`\n"), "{page}");
    for row in [
        "| `name` | a string | required | A name. |",
        "| `limit` | a whole number from 1 to 9 | `7` | A limit. |",
        "| `words` | a list, each item a string | whatever | Words. |",
        "Each key is a name; under it stands a whole number from 1 to 9.",
    ] {
        assert!(page.contains(row), "{row}\n{page}");
    }
    assert!(!page.contains("soon"));
}
