//! The invariant as one function of some bytes: they say which format a body has and where it is
//! cut, and are the body.

use portcullis::mask::policy::{BUILT_IN_DETECTORS, Detection, Detector, Style};
use portcullis::mask::{
    Boundary, CompiledMask, Format, GrpcMessage, TensorFrame, TensorList, Trailer, WalkError,
    Walker,
};

/// The bytes in front of the body: the format, how many cuts, and four of two bytes each.
const HEAD: usize = 10;

/// What must not survive, wherever it is put.
const CANARY: &str = "canary.bird@example.com";

/// What is held of a body at most: an event, a frame or a line may be a megabyte long, and
/// others may wait in front of it.
const MAX_HELD_BYTES: usize = 4 << 20;

const FORMATS: [Format; 13] = [
    Format::Json,
    Format::Events,
    Format::Lines,
    Format::Text,
    Format::Grpc(GrpcMessage::ModelInferResponse),
    Format::Grpc(GrpcMessage::ModelStreamInferResponse),
    Format::Grpc(GrpcMessage::ModelInferRequest),
    Format::Grpc(GrpcMessage::Any),
    Format::AmazonEvents,
    Format::Html,
    Format::Xml,
    Format::Trailer(Trailer::Message),
    Format::Trailer(Trailer::Binary),
];

thread_local! {
    static MASK: CompiledMask = mask();
}

fn mask() -> CompiledMask {
    let detections: Vec<Detection> = BUILT_IN_DETECTORS
        .iter()
        .map(|name| Detection {
            detector: Detector::BuiltIn(name),
            style: Style::Label,
        })
        .collect();
    CompiledMask::new(&detections).expect("the built-in detectors compile")
}

/// Checks what must hold for every input.
///
/// # Panics
/// When it does not.
pub fn check(data: &[u8]) {
    let Some((head, body)) = data.split_at_checked(HEAD) else {
        return;
    };
    let format = usize::from(head[0]) % (FORMATS.len() + 2);
    let format = match format.checked_sub(FORMATS.len()) {
        None => FORMATS[format],
        Some(0) => Format::Multipart(Boundary::new(b"b").expect("a boundary of one letter is one")),
        Some(_) => Format::Tensors(TensorFrame {
            json_bytes: usize::from(head[8]) << 8 | usize::from(head[9]),
            list: TensorList::Outputs,
        }),
    };
    let mut cuts: Vec<usize> = head[2..]
        .chunks(2)
        .take(usize::from(head[1]) % 5)
        .map(|two| usize::from(two[0]) << 8 | usize::from(two[1]))
        .map(|cut| cut % (body.len() + 1))
        .collect();
    cuts.sort_unstable();
    MASK.with(|mask| {
        pieces_do_not_matter(mask, format, body, &cuts);
        a_canary_does_not_survive(mask, format, body, &cuts);
    });
}

type Outcome = (Vec<u8>, u64, Result<(), WalkError>);

fn walk<'a>(
    mask: &CompiledMask,
    format: Format,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Outcome {
    let mut walker = Walker::new(format);
    let mut out = Vec::new();
    let mut pieces = pieces.into_iter();
    let end = pieces
        .try_for_each(|piece| {
            let taken = walker.push(mask, piece, &mut out);
            assert!(
                walker.held() <= MAX_HELD_BYTES,
                "{} bytes are held",
                walker.held()
            );
            taken
        })
        .and_then(|()| walker.finish(mask, &mut out));
    (out, walker.counts().total(), end)
}

fn pieces<'a>(body: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut from = 0;
    let ends = cuts.iter().copied().chain([body.len()]);
    ends.map(|to| {
        let piece = &body[from..to];
        from = to;
        piece
    })
    .collect()
}

fn pieces_do_not_matter(mask: &CompiledMask, format: Format, body: &[u8], cuts: &[usize]) {
    let whole = walk(mask, format, [body]);
    let said = |outcome: &Outcome| {
        let (out, matches, end) = outcome;
        format!(
            "{}\n{matches} matches, {end:?}",
            String::from_utf8_lossy(out)
        )
    };
    for (how, came) in [
        ("in pieces", walk(mask, format, pieces(body, cuts))),
        ("byte by byte", walk(mask, format, body.chunks(1))),
    ] {
        assert!(
            came == whole,
            "{format:?} {how} {cuts:?}:\n{}\nnot as a whole:\n{}",
            said(&came),
            said(&whole)
        );
    }
    let (out, matches, end) = whole;
    if matches == 0 && end.is_ok() {
        assert!(
            out == body,
            "{format:?}: nothing is found, and the body is another"
        );
    }
    if matches == 0 && end.is_err() {
        assert!(body.starts_with(&out), "{format:?}: what left is another");
    }
}

/// The address is put where it is text for sure: behind the body as a body of its own where that
/// may be, and in plain text anywhere.
fn a_canary_does_not_survive(mask: &CompiledMask, format: Format, body: &[u8], cuts: &[usize]) {
    let mut planted = body.to_vec();
    match format {
        Format::Text | Format::Html | Format::Xml => {
            let at = cuts.first().copied().unwrap_or(0);
            let text = format!(" {CANARY} ");
            planted.splice(at..at, text.bytes());
        }
        Format::Events => {
            let event = format!(
                "\n\ndata: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\" {CANARY} \"}}}}]}}\n\n"
            );
            planted.extend_from_slice(event.as_bytes());
        }
        Format::Lines => {
            let line = format!("\n{{\"message\":{{\"content\":\" {CANARY} \"}}}}\n");
            planted.extend_from_slice(line.as_bytes());
        }
        Format::Json
        | Format::Multipart(_)
        | Format::AmazonEvents
        | Format::Grpc(_)
        | Format::Tensors(_)
        | Format::Trailer(_) => return,
    }
    let (out, _, _) = walk(mask, format, pieces(&planted, cuts));
    let body_has_it = body
        .windows(CANARY.len())
        .any(|bytes| bytes == CANARY.as_bytes());
    assert!(
        body_has_it
            || !out
                .windows(CANARY.len())
                .any(|bytes| bytes == CANARY.as_bytes()),
        "{format:?}: the canary is in {}",
        String::from_utf8_lossy(&out)
    );
}

/// Inputs to begin with.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let key = concat!(
        "-----BEGIN PRIVATE",
        " KEY-----\nMIIBVQ\n-----END PRIVATE",
        " KEY-----"
    );
    let text = [
        "Write to jane.doe@example.com or to jane@ or @example.com, not to a@b.",
        "Card 4111 1111 1111 1111, 4111-1111-1111-1111 and 4111 1111 1111 1112; 219-09-9999.",
        "DE89 3704 0044 0532 0130 00, GB82WEST12345698765432, 10.0.0.1, 2001:db8::8a2e:370:7334",
        concat!(
            "eyJhbGciOiJIUzI1NiJ9",
            ".eyJzdWIiOiIxIn0.c2lnbmF0dXJl and password = hunter2"
        ),
        key,
        "Zürich, 日本, \u{1f511} jané@exämple.com, 1.5e300, 00:1B:44:11:3A:B7, +44 20 7946 0958",
    ];
    let mut seeds = Vec::new();
    for (at, text) in text.iter().enumerate() {
        let string = serde_json::Value::from(*text).to_string();
        let escaped: String = text
            .encode_utf16()
            .map(|unit| format!("\\u{unit:04x}"))
            .collect();
        let middle = text.char_indices().nth(text.chars().count() / 2);
        let (one, two) = text.split_at(middle.map_or(0, |(at, _)| at));
        let event = |text: &str| {
            let text = serde_json::Value::from(text);
            format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":{text}}}}}]}}\n\n")
        };
        let line = |text: &str| {
            let text = serde_json::Value::from(text);
            format!("{{\"message\":{{\"content\":{text}}},\"done\":false}}\n")
        };
        let chunk = |text: &str| {
            let text = serde_json::Value::from(text);
            format!("{{\"candidates\":[{{\"content\":{{\"parts\":[{{\"text\":{text}}}]}}}}]}}")
        };
        let bodies = [
            (
                0,
                format!("{{\"a\":[{string},\"{escaped}\",1.25,4111111111111111]}}").into_bytes(),
            ),
            (
                1,
                [event(one), event(two), "data: [DONE]\n\n".to_owned()]
                    .concat()
                    .into_bytes(),
            ),
            (2, [line(one), line(two)].concat().into_bytes()),
            // Lines that are called events.
            (1, [line(one), event(two), line(two)].concat().into_bytes()),
            (3, text.as_bytes().to_vec()),
            (4, response(text)),
            (7, response(text)),
            (12, parts(text, &string).into_bytes()),
            (0, format!("[{},\n{}]", chunk(one), chunk(two)).into_bytes()),
            (10, text.replace('@', "%40").into_bytes()),
            (11, text.as_bytes().to_vec()),
            (8, html(text).into_bytes()),
            (9, html(text).into_bytes()),
        ];
        let bodies = bodies.map(|(format, body)| (format, body, None));
        let (json_bytes, answer) = tensors(text);
        for (format, body, json_bytes) in bodies.into_iter().chain([(13, answer, Some(json_bytes))])
        {
            let cut = |part: usize| {
                let at = u16::try_from(body.len() * part / 7).unwrap_or(0);
                at.to_be_bytes()
            };
            let mut seed = vec![format, u8::try_from(at % 5).unwrap_or(0)];
            let last = json_bytes.unwrap_or(cut(6));
            seed.extend([cut(1), cut(3), cut(4), last].concat());
            seed.extend(body);
            seeds.push(seed);
        }
    }
    seeds
}

fn parts(text: &str, string: &str) -> String {
    format!(
        "--b\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n{text}\r\n--b\r\n\
         content-type: application/json\r\n\r\n[{string}]\r\n--b--\r\n"
    )
}

fn html(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|letter| format!("&#{};", u32::from(letter)))
        .collect();
    format!(
        "<p title=\"{text}\">{text}<b>{escaped}</b> jane.<i>doe</i>@example.com<!-- {text} --></p>"
    )
}

/// A frame with a `ModelInferResponse`, whose one tensor of bytes has the text as its element.
fn response(text: &str) -> Vec<u8> {
    fn field(number: u8, value: &[u8]) -> Vec<u8> {
        let length = u8::try_from(value.len() % 128).unwrap_or(0);
        let mut bytes = vec![number << 3 | 2];
        match value.len() < 128 {
            true => bytes.push(length),
            false => bytes.extend([length | 0x80, u8::try_from(value.len() / 128).unwrap_or(0)]),
        }
        bytes.extend_from_slice(value);
        bytes
    }
    let contents = field(5, &field(8, text.as_bytes()));
    let tensor = [field(1, b"text"), field(2, b"BYTES"), contents].concat();
    let message = [field(1, b"m"), field(5, &tensor)].concat();
    let length = u32::try_from(message.len()).unwrap_or(0).to_be_bytes();
    [&[0], length.as_slice(), &message].concat()
}

/// How long the JSON is that describes a tensor of bytes, whose one element is the text, and the JSON
/// with the tensor behind it.
fn tensors(text: &str) -> ([u8; 2], Vec<u8>) {
    let length = u32::try_from(text.len()).unwrap_or(0).to_le_bytes();
    let tensor = [&length, text.as_bytes()].concat();
    let size = tensor.len();
    let name = serde_json::Value::from(text);
    let json = format!(
        "{{\"outputs\":[{{\"name\":{name},\"datatype\":\"BYTES\",\"shape\":[1],\
         \"parameters\":{{\"binary_data_size\":{size}}}}}]}}"
    );
    let json_bytes = u16::try_from(json.len()).unwrap_or(0).to_be_bytes();
    (json_bytes, [json.into_bytes(), tensor].concat())
}
