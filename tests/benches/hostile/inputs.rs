//! Inputs that were thought up to be slow or large.

use miniz_oxide::deflate::compress_to_vec_zlib;
use portcullis::coding::Coding;
use portcullis::mask::{Format, GrpcMessage};
use testbed::prose::{self, Prose};

/// A kind of input, in any size.
pub struct Input {
    /// The name in the table.
    pub name: String,
    /// How it is read.
    pub format: Format,
    /// Whether a part of it is of its kind.
    pub cut_at_will: bool,
    /// How it is encoded when it comes.
    pub coding: Option<Coding>,
    /// What is in front, what is repeated how often, and what is behind.
    parts: (String, String, usize, String),
    /// Instead of them, all of it for so many times the smallest size.
    make: Option<fn(usize) -> Vec<u8>>,
}

impl Input {
    fn repeated(
        name: impl Into<String>,
        format: Format,
        front: &str,
        unit: impl Into<String>,
        count: usize,
        back: &str,
    ) -> Self {
        Self {
            name: name.into(),
            format,
            cut_at_will: true,
            coding: None,
            parts: (front.to_owned(), unit.into(), count, back.to_owned()),
            make: None,
        }
    }

    fn made(name: &str, format: Format, make: fn(usize) -> Vec<u8>) -> Self {
        let mut input = Self::repeated(name, format, "", "", 0, "");
        input.make = Some(make);
        input
    }

    fn bomb(name: &str, make: fn(usize) -> Vec<u8>) -> Self {
        let mut input = Self::made(name, Format::Json, make);
        input.coding = Some(Coding::Deflate);
        input.cut_at_will = false;
        input
    }

    /// So many times the smallest size.
    pub fn body(&self, times: usize) -> Vec<u8> {
        if let Some(make) = self.make {
            return make(times);
        }
        let (front, unit, count, back) = &self.parts;
        let middle = unit.repeat(count.saturating_mul(times));
        [front.as_bytes(), middle.as_bytes(), back.as_bytes()].concat()
    }
}

/// A hundred thousand candidates in the largest size.
const CANDIDATES: usize = 12_500;

/// What begins like a match, again and again, and never becomes one. The forms of secrets are put
/// together here, so that nobody's scanner takes this file for a leak.
const TEASERS: &[&str] = &[
    "a@",
    "a@a@a ",
    "a.a.",
    "a-a-",
    "a_a.a-a%a+a",
    "4111 ",
    "4111-1111-1111 ",
    "1",
    "1:1:",
    "::",
    "1.",
    "1.1.1.",
    "1,1 ",
    "1/1/",
    "+1 ",
    "(1) ",
    "DE89 ",
    "DE89A",
    "GB82 WEST ",
    "eyJ",
    "eyJ.",
    "eyJhbGciOiJIUzI1NiJ9.",
    concat!("-----BEG", "IN "),
    concat!("-----BEG", "IN PRIVATE KEY-----\n"),
    "--",
    "password=",
    "password = \"",
    "api_key: ",
    concat!("xo", "xb-"),
    concat!("xo", "xb-1-"),
    concat!("AK", "IA"),
    concat!("gh", "p_"),
    concat!("sk", "-proj-"),
    concat!("sk_", "live_"),
    "bc1q",
    "0x",
    "postgres://a:",
    "https://a:b",
    "AccountKey=",
    "born 1 March ",
    "March 1, ",
    "passport A1",
    "\u{a0}1\u{a0}",
    "1\u{2011}",
    "\\",
    "\"",
    "A",
    "AA11 ",
    " ",
    "\u{1f511}",
];

/// All kinds.
pub fn all() -> Vec<Input> {
    let mut all = Vec::new();
    let prose = Prose::new(1).take(64 << 10);
    all.push(Input::repeated(
        "prose, for comparison",
        Format::Text,
        "",
        prose.as_str(),
        16,
        "",
    ));
    all.push(Input::repeated(
        "a JSON string of prose",
        Format::Json,
        "{\"a\":\"",
        prose::escaped(&prose),
        128,
        "\"}",
    ));
    for (what, unit) in [
        ("x", "x"),
        ("1", "1"),
        ("escapes", "\\u0061"),
        ("quotes", "\\\""),
    ] {
        all.push(Input::repeated(
            format!("a JSON string of {what}"),
            Format::Json,
            "{\"a\":\"",
            unit,
            (8 << 20) / unit.len(),
            "\"}",
        ));
    }
    for (format, front, back) in [
        (Format::Json, "{\"", "\":1}"),
        (Format::Events, "data: {\"", "\":1}\n\n"),
        (Format::Lines, "{\"", "\":1}\n"),
    ] {
        let name = format!("a key of a megabyte, {format:?}");
        // Events and lines have a bound of one megabyte.
        all.push(Input::repeated(name, format, front, "k", 120 << 10, back));
    }
    for teaser in TEASERS {
        let name = format!("{:?} again and again", teaser.escape_debug().to_string());
        all.push(Input::repeated(
            name,
            Format::Text,
            "",
            *teaser,
            CANDIDATES,
            ".",
        ));
    }
    for teaser in ["a@", "4111 ", "eyJ", "password=", "1:1:"] {
        let name = format!("{teaser:?} again and again in JSON");
        all.push(Input::repeated(
            name,
            Format::Json,
            "[\"",
            teaser,
            CANDIDATES,
            "\"]",
        ));
        let event =
            format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{teaser}\"}}}}]}}\n\n");
        let name = format!("{teaser:?} in an event each");
        all.push(Input::repeated(
            name,
            Format::Events,
            "",
            event,
            CANDIDATES / 4,
            "",
        ));
    }
    for (open, name) in [
        ("[", "arrays in arrays"),
        ("{\"a\":", "objects in objects"),
        ("[{\"a\":", "both in turn"),
    ] {
        for (format, front, back) in [(Format::Json, "", ""), (Format::Events, "data: ", "\n\n")] {
            let name = format!("{name}, {format:?}");
            all.push(Input::repeated(name, format, front, open, CANDIDATES, back));
        }
    }
    all.push(Input::repeated(
        "numbers of one digit",
        Format::Json,
        "[1",
        ",1",
        1 << 19,
        "]",
    ));
    all.push(Input::repeated(
        "a number of all digits",
        Format::Json,
        "[1",
        "1",
        1 << 20,
        "]",
    ));
    all.push(Input::repeated(
        "empty strings",
        Format::Json,
        "[\"\"",
        ",\"\"",
        1 << 18,
        "]",
    ));
    all.push(Input::repeated(
        "empty events",
        Format::Events,
        "",
        "data:\n\n",
        1 << 17,
        "",
    ));
    all.push(Input::repeated(
        "line ends",
        Format::Events,
        "",
        "\n",
        1 << 20,
        "",
    ));
    all.push(Input::repeated(
        "carriage returns",
        Format::Events,
        "",
        "\r",
        1 << 20,
        "",
    ));
    all.push(Input::repeated(
        "comments",
        Format::Events,
        "",
        ": a@\n",
        1 << 17,
        "\n",
    ));
    all.push(Input::made(
        "a stream of texts that never go on",
        Format::Events,
        strangers,
    ));
    all.push(Input::made(
        "an event of many texts",
        Format::Events,
        many_texts,
    ));
    all.push(Input::repeated(
        "base64 of base64",
        Format::Json,
        "[\"",
        nested(),
        16,
        "\"]",
    ));
    let unary = Format::Grpc(GrpcMessage::ModelInferResponse);
    all.push(Input::made("frames that are empty", unary, |times| {
        [0, 0, 0, 0, 0].repeat((1 << 17) * times)
    }));
    all.push(Input::made(
        "a frame of 4 GiB that never comes",
        unary,
        |times| {
            [
                [0, 255, 255, 255, 255].as_slice(),
                &vec![b'a'; (1 << 17) * times],
            ]
            .concat()
        },
    ));
    all.push(Input::made(
        "a field longer than its frame",
        unary,
        |times| {
            let fill = vec![b'a'; (1 << 16) * times];
            let length = u32::try_from(fill.len() + 6).unwrap_or(0).to_be_bytes();
            [
                &[0],
                length.as_slice(),
                &[0x2a, 0xff, 0xff, 0xff, 0xff, 0x0f],
                &fill,
            ]
            .concat()
        },
    ));
    all.push(Input::made("messages in messages", unary, matryoshka));
    all.push(Input::made("tensors of one byte", unary, tensors));
    all.push(Input::bomb("a bomb of zeros", |times| {
        compress_to_vec_zlib(&vec![b'0'; (8 << 20) * times], 6)
    }));
    all.push(Input::bomb("a bomb that keeps to the ratio", |times| {
        let mut chance = Prose::new(5);
        let unit = |_| format!("{}{}", chance.below(1 << 40), "a".repeat(1000));
        let text: String = (0..6000 * times).map(unit).collect();
        compress_to_vec_zlib(format!("[\"{text}\"]").as_bytes(), 6)
    }));
    all
}

/// Events whose texts have all other names: each is to be followed.
fn strangers(times: usize) -> Vec<u8> {
    let event = |number: usize| {
        format!(
            "data: {{\"choices\":[{{\"index\":{number},\"delta\":{{\"content\":\"a@\"}}}}]}}\n\n"
        )
    };
    let events: String = (0..CANDIDATES / 4 * times).map(event).collect();
    events.into_bytes()
}

fn many_texts(times: usize) -> Vec<u8> {
    let choice = |number: usize| format!("{{\"index\":{number},\"delta\":{{\"content\":\"a@\"}}}}");
    let choices: Vec<String> = (0..120 * times).map(choice).collect();
    format!("data: {{\"choices\":[{}]}}\n\n", choices.join(",")).into_bytes()
}

fn nested() -> String {
    use base64::Engine as _;
    let mut text = Prose::new(3).take(4 << 10);
    for _ in 0..6 {
        text = base64::engine::general_purpose::STANDARD.encode(text);
    }
    text
}

fn varint(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let group = u8::try_from(value % 128).unwrap_or(0);
        value /= 128;
        if value == 0 {
            bytes.push(group);
            return bytes;
        }
        bytes.push(group | 0x80);
    }
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or(0).to_be_bytes();
    [&[0], length.as_slice(), message].concat()
}

/// Outputs within each other, which no such message has.
fn matryoshka(times: usize) -> Vec<u8> {
    let mut heads: Vec<Vec<u8>> = Vec::new();
    let mut length = 0;
    for _ in 0..1000 * times {
        let head = [&[0x2a], varint(length).as_slice()].concat();
        length += head.len();
        heads.push(head);
    }
    heads.reverse();
    framed(&heads.concat())
}

fn tensors(times: usize) -> Vec<u8> {
    let tensor = [
        0x2a, 12, 0x0a, 1, b't', 0x12, 5, b'B', b'Y', b'T', b'E', b'S', 0x18, 1,
    ];
    let raw = [0x32, 5, 1, 0, 0, 0, b'a'];
    framed(&[tensor.repeat(100 * times), raw.repeat(100 * times)].concat())
}
