mod foreign;
mod likeness;

use core::fmt::Write as _;

use super::names::MAX_OPEN_MEMBERS;
use super::{JsonEvent, JsonSink, read};

/// Writes a text anew from its events.
#[derive(Default)]
struct Written {
    text: String,
    closers: Vec<char>,
    /// Whether a comma stands before the next value.
    behind: bool,
}

impl JsonSink for Written {
    fn take(&mut self, event: JsonEvent<'_>) {
        if self.behind && event != JsonEvent::End {
            self.text.push(',');
        }
        self.behind = true;
        match event {
            JsonEvent::Null => self.text.push_str("null"),
            JsonEvent::Word(_) => self.text.push_str("true"),
            JsonEvent::Number(Some(value)) => write!(self.text, "{value}").unwrap(),
            JsonEvent::Number(None) => self.text.push_str("-1"),
            JsonEvent::Text(text) => {
                self.text.push_str(&serde_json::to_string(text).unwrap());
            }
            JsonEvent::SkippedText => panic!("every text is wanted"),
            JsonEvent::Name(name) => {
                self.text.push_str(&serde_json::to_string(name).unwrap());
                self.text.push(':');
                self.behind = false;
            }
            JsonEvent::Object | JsonEvent::Array => {
                let (open, close) = match event {
                    JsonEvent::Object => ('{', '}'),
                    _ => ('[', ']'),
                };
                self.text.push(open);
                self.closers.push(close);
                self.behind = false;
            }
            JsonEvent::End => self.text.push(self.closers.pop().unwrap()),
        }
    }
}

fn written(text: &str) -> String {
    let mut written = Written::default();
    read(text.as_bytes(), &mut written).unwrap();
    written.text
}

fn refusal(text: &[u8]) -> String {
    let refusal = read(text, &mut Written::default()).unwrap_err();
    assert_eq!(read(text, &mut ()), Err(refusal.clone()));
    refusal.to_string()
}

#[test]
fn gives_every_kind_of_value_in_order() {
    let text = r#"{"a":[null,-1,2,"x\"y"],"b":{},"":[[]]}"#;
    assert_eq!(written(text), text);
    let text = " { \"a\" : [ true , false\t, 0 ] ,\r\n\"b\" : \"\\u00e9\\ud83d\\ude00\\/\" } ";
    assert_eq!(
        written(text),
        "{\"a\":[true,true,0],\"b\":\"\u{e9}\u{1f600}/\"}"
    );
}

#[test]
fn a_sink_need_not_be_known() {
    let mut written = Written::default();
    let sink: &mut dyn JsonSink = &mut written;
    read(b"[1]", sink).unwrap();
    assert_eq!(written.text, "[1]");
}

/// Wants the strings in objects.
#[derive(Default)]
struct InObjects {
    events: Vec<String>,
    wants: bool,
}

impl JsonSink for InObjects {
    fn take(&mut self, event: JsonEvent<'_>) {
        self.wants = matches!(event, JsonEvent::Name(_));
        self.events.push(format!("{event:?}"));
    }

    fn wants_text(&self) -> bool {
        self.wants
    }
}

#[test]
fn a_string_that_is_not_wanted_is_skipped_but_checked() {
    let mut sink = InObjects::default();
    read(br#"["a\n", "", {"b\n": "c\n"}]"#, &mut sink).unwrap();
    let events = [
        "Array",
        "SkippedText",
        "SkippedText",
        "Object",
        r#"Name("b\n")"#,
        r#"Text("c\n")"#,
        "End",
        "End",
    ];
    assert_eq!(sink.events, events);
    for text in ["\"\\x\"", "\"\\ud800\"", "\"\n\"", "\"", "\"\\", "\"\\u12"] {
        refusal(text.as_bytes());
    }
}

#[test]
fn gives_whole_numbers_that_fit() {
    for (text, value) in [
        ("0", Some(0)),
        ("10", Some(10)),
        ("9999999999999999999", Some(9_999_999_999_999_999_999)),
        ("18446744073709551615", Some(u64::MAX)),
        ("18446744073709551616", None),
        ("99999999999999999999", None),
        ("100000000000000000000", None),
        ("-0", None),
        ("-1", None),
        ("1.0", Some(1)),
        ("7.00", Some(7)),
        ("1.01", None),
        ("-1.0", None),
        ("1e0", None),
        ("0.5", None),
        ("1E-999", None),
    ] {
        struct Value(Option<Option<u64>>);
        impl JsonSink for Value {
            fn take(&mut self, event: JsonEvent<'_>) {
                if let JsonEvent::Number(number) = event {
                    self.0 = Some(number);
                }
            }
        }
        let mut sink = Value(None);
        read(text.as_bytes(), &mut sink).unwrap();
        assert_eq!(sink.0, Some(value), "{text}");
    }
}

/// A quote, a backslash and a control character are found at every distance from the beginning of a
/// string, whatever stands around them.
#[test]
fn finds_the_end_of_a_string_everywhere() {
    for filler in [
        "a",
        "!",
        "#",
        "[",
        "]",
        " ",
        "\u{7f}",
        "\u{e9}",
        "\u{1f600}",
    ] {
        for count in 0..40 {
            let plain = filler.repeat(count);
            for behind in 0..20 {
                let tail = filler.repeat(behind);
                let text = format!("[\"{plain}\",\"{tail}\"]");
                assert_eq!(written(&text), text);
                let text = format!("[\"{plain}\\\"{tail}\"]");
                assert_eq!(written(&text), text);
                for control in ["\0", "\n", "\u{1f}"] {
                    let text = format!("[\"{plain}{control}{tail}\"]");
                    let error = refusal(text.as_bytes());
                    let column = 3 + plain.len();
                    assert_eq!(
                        error,
                        format!("control character in a string at line 1 column {column}")
                    );
                }
            }
        }
    }
}

#[test]
fn says_what_is_wrong_and_where() {
    let deep = "[".repeat(128);
    let name = "n".repeat(100);
    let twice = format!("{{\n \"{name}\": 1, \"{name}\": 2}}");
    let shown = format!(
        "the member {:?} occurs twice at line 2 column 211",
        "n".repeat(64)
    );
    for (text, error) in [
        ("", "unexpected end of the text at line 1 column 1"),
        ("[1,\n", "unexpected end of the text at line 2 column 1"),
        ("{\"a\"", "unexpected end of the text at line 1 column 5"),
        ("\"secret", "unexpected end of the text at line 1 column 8"),
        ("[1,\n  secret]", "expected a value at line 2 column 3"),
        ("[1,]", "expected a value at line 1 column 4"),
        (
            "nul",
            "expected `true`, `false` or `null` at line 1 column 1",
        ),
        (
            "{secret",
            "expected a member's name in quotes at line 1 column 2",
        ),
        (
            "{\"a\":1,}",
            "expected a member's name in quotes at line 1 column 8",
        ),
        ("{\"a\" 1}", "expected `:` at line 1 column 6"),
        ("[1 2]", "expected `,` or `]` at line 1 column 4"),
        ("[1}", "expected `,` or `]` at line 1 column 3"),
        ("{\"a\":1]", "expected `,` or `}` at line 1 column 7"),
        (
            "{} secret",
            "expected the end of the text at line 1 column 4",
        ),
        ("\"\\secret\"", "invalid escape at line 1 column 3"),
        ("\"\\u00g0\"", "invalid escape at line 1 column 4"),
        ("\"\\ud800\"", "half of a surrogate pair at line 1 column 8"),
        (
            "\"\\udc00\\ud800\"",
            "half of a surrogate pair at line 1 column 14",
        ),
        ("[-]", "invalid number at line 1 column 3"),
        ("[01]", "invalid number at line 1 column 4"),
        ("[1.]", "invalid number at line 1 column 4"),
        ("[1e+]", "invalid number at line 1 column 5"),
        ("[1e999]", "number out of range at line 1 column 7"),
        (
            &deep,
            "more than 127 objects and arrays in each other at line 1 column 128",
        ),
        (&twice, &shown),
    ] {
        assert_eq!(refusal(text.as_bytes()), error, "{text}");
    }
    let error = refusal(b"[\n\"ab\xff\"]");
    assert_eq!(error, "invalid UTF-8 at line 2 column 4");
    let error = refusal(br#"{"model":1,"mod\u0065l":2}"#);
    assert!(
        error.contains("the member \"model\" occurs twice"),
        "{error}"
    );
}

#[test]
fn refuses_a_repeated_member_in_objects_of_every_size() {
    for members in [0, 1, 30, 31, 32, 33, 5000] {
        let others: String = (0..members).map(|n| format!("\"m{n}\":1,")).collect();
        let text = format!("[{{{others}\"\\u0061\":1,\"b\":{{\"a\":2}}}}]");
        read(text.as_bytes(), &mut ()).unwrap();
        let text = format!("[{{\"a\":1,{others}\"\\u0061\":1}}]");
        let error = refusal(text.as_bytes());
        assert!(error.contains("occurs twice"), "{members}: {error}");
    }
}

#[test]
fn nests_as_deep_as_a_tree_and_no_deeper() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = |depth: usize| {
            let (open, close) = (open.repeat(depth), close.repeat(depth));
            format!("{open}1{close}")
        };
        for depth in [1, 126, 127, 128, 129, 10_000] {
            let text = nested(depth);
            let read = read(text.as_bytes(), &mut ());
            assert_eq!(read.is_ok(), depth <= 127, "{depth}");
            assert_eq!(super::super::parse(text.as_bytes()).is_ok(), depth <= 127);
        }
    }
    for empty in ["[]", "{}"] {
        for depth in [126, 127] {
            let text = format!("{}{empty}{}", "[".repeat(depth), "]".repeat(depth));
            let read = read(text.as_bytes(), &mut ());
            assert_eq!(read.is_ok(), depth < 127, "{depth}");
        }
    }
}

#[test]
fn refuses_more_members_than_it_can_compare() {
    let mut text = "{".to_owned();
    for n in 0..MAX_OPEN_MEMBERS {
        write!(text, "\"{n:x}\":1,").unwrap();
    }
    let most = format!("{}}}", text.trim_end_matches(','));
    read(most.as_bytes(), &mut ()).unwrap();
    let error = refusal(format!("{text}\"x\":1}}").as_bytes());
    assert!(error.contains("262144 members"), "{error}");
}
