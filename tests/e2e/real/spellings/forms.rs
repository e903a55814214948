//! What a form of several parts can look like (RFC 7578, RFC 2046).

use super::{Must, PROBE, Spelling};

const TARGET: &str = "/v1/audio/transcriptions";
const TYPE: &str = "multipart/form-data; boundary=b";

/// The sound that every form here has.
const SOUND: &str = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\
                     content-type: audio/wav\r\n\r\nRIFF\r\n";

/// The heads of a part that says `secret-1`, behind one in which the model is `small-1`.
const HEADS: &[(&str, &str)] = &[
    ("twice", "content-disposition: form-data; name=\"model\""),
    ("case", "content-disposition: form-data; name=\"Model\""),
    ("no-quotes", "content-disposition: form-data; name=model"),
    (
        "single-quotes",
        "content-disposition: form-data; name='model'",
    ),
    (
        "escaped",
        "content-disposition: form-data; name=\"mo\\del\"",
    ),
    (
        "escaped-quote",
        "content-disposition: form-data; name=\"model\\\"\"",
    ),
    (
        "percent",
        "content-disposition: form-data; name=\"%6dodel\"",
    ),
    (
        "extended",
        "content-disposition: form-data; name*=utf-8''model",
    ),
    (
        "extended-too",
        "content-disposition: form-data; name=\"x\"; name*=utf-8''model",
    ),
    (
        "continued",
        "content-disposition: form-data; name*0=mo; name*1=del",
    ),
    (
        "name-twice",
        "content-disposition: form-data; name=\"x\"; name=\"model\"",
    ),
    (
        "name-twice-back",
        "content-disposition: form-data; name=\"model\"; name=\"x\"",
    ),
    (
        "name-upper",
        "content-disposition: form-data; NAME=\"model\"",
    ),
    ("blanks", "content-disposition: form-data; name = \"model\""),
    (
        "blank-in-name",
        "content-disposition: form-data; name=\"model \"",
    ),
    (
        "header-upper",
        "CONTENT-DISPOSITION: FORM-DATA; name=\"model\"",
    ),
    (
        "header-blank",
        "content-disposition : form-data; name=\"model\"",
    ),
    (
        "folded",
        "content-disposition: form-data;\r\n name=\"model\"",
    ),
    (
        "folded-header",
        "content-disposition:\r\n form-data; name=\"model\"",
    ),
    (
        "other-disposition",
        "content-disposition: attachment; name=\"model\"",
    ),
    ("no-disposition", "content-disposition: name=\"model\""),
    (
        "disposition-twice",
        "content-disposition: form-data; name=\"x\"\r\ncontent-disposition: form-data; name=\"model\"",
    ),
    (
        "as-file",
        "content-disposition: form-data; name=\"model\"; filename=\"a\"",
    ),
    (
        "as-empty-file",
        "content-disposition: form-data; name=\"model\"; filename=\"\"",
    ),
    (
        "as-file-extended",
        "content-disposition: form-data; name=\"model\"; filename*=utf-8''a",
    ),
    (
        "with-type",
        "content-disposition: form-data; name=\"model\"\r\ncontent-type: application/json",
    ),
    ("list", "content-disposition: form-data; name=\"model[]\""),
    (
        "first-of-list",
        "content-disposition: form-data; name=\"model[0]\"",
    ),
    ("nul", "content-disposition: form-data; name=\"model\0\""),
];

/// A part of this head and value.
fn part(head: &str, value: &str) -> String {
    format!("--b\r\n{head}\r\n\r\n{value}\r\n")
}

fn named(name: &str, value: &str) -> String {
    part(
        &format!("content-disposition: form-data; name=\"{name}\""),
        value,
    )
}

fn form(name: &str, must: Must, body: impl AsRef<[u8]>) -> Spelling {
    typed(name, must, TYPE, body)
}

fn typed(name: &str, must: Must, media: &str, body: impl AsRef<[u8]>) -> Spelling {
    let mut spelling = Spelling::new(&format!("form-{name}"), must, "POST", TARGET);
    spelling.form = true;
    spelling.header("content-type", media).body(body)
}

pub(super) fn all() -> Vec<Spelling> {
    let small = named("model", "small-1");
    let whole = |middle: &str| format!("{SOUND}{middle}--b--\r\n");
    let good = whole(&small);
    let secret = whole(&named("model", "secret-1"));
    let mut all = vec![
        form("plain", Must::Pass, &good),
        form("secret", Must::Refuse, &secret),
        form(
            "probe",
            Must::Refuse,
            whole(&format!("{small}{}", named("prompt", PROBE))),
        ),
        form("no-model", Must::Agree, whole("")),
    ];
    for (name, head) in HEADS {
        let other = part(head, "secret-1");
        all.push(form(name, Must::Agree, whole(&format!("{small}{other}"))));
        all.push(form(
            &format!("{name}-first"),
            Must::Agree,
            whole(&format!("{other}{small}")),
        ));
        all.push(form(&format!("{name}-alone"), Must::Agree, whole(&other)));
        let probe = part(&head.replace("model", "prompt"), PROBE);
        all.push(form(
            &format!("{name}-prompt"),
            Must::Agree,
            whole(&format!("{small}{probe}")),
        ));
    }
    all.extend(written_otherwise());
    all.extend(framed_otherwise(&small, &good));
    all.extend(declared_otherwise(&good, &secret));
    all
}

/// Values whose bytes are not the text.
fn written_otherwise() -> Vec<Spelling> {
    let whole = |middle: &str| format!("{SOUND}{middle}--b--\r\n");
    let name = "content-disposition: form-data; name=\"model\"";
    let written = |name_of: &str, more: &str, value: &str| {
        form(
            name_of,
            Must::Agree,
            whole(&part(&format!("{name}\r\n{more}"), value)),
        )
    };
    let charset = named("_charset_", "utf-7");
    vec![
        written(
            "base64",
            "content-transfer-encoding: base64",
            "c2VjcmV0LTE=",
        ),
        written(
            "quoted",
            "content-transfer-encoding: quoted-printable",
            "=73ecret-1",
        ),
        written(
            "transfer-unknown",
            "content-transfer-encoding: x",
            "small-1",
        ),
        written(
            "part-charset",
            "content-type: text/plain; charset=utf-7",
            "+AHM-ecret-1",
        ),
        written("part-gzip", "content-encoding: gzip", "small-1"),
        form(
            "charset-part",
            Must::Agree,
            whole(&format!("{charset}{}", named("model", "+AHM-ecret-1"))),
        ),
        written(
            "part-json",
            "content-type: application/json",
            "\"secret-1\"",
        ),
        written("part-length", "content-length: 2", "small-1"),
        form(
            "value-blank",
            Must::Agree,
            whole(&named("model", " secret-1")),
        ),
        form(
            "value-lines",
            Must::Agree,
            whole(&named("model", "small-1\r\n")),
        ),
        form(
            "value-nul",
            Must::Agree,
            whole(&named("model", "secret-1\0")),
        ),
        form("value-empty", Must::Agree, whole(&named("model", ""))),
        form(
            "nested",
            Must::Agree,
            whole(&part(
                "content-disposition: form-data; name=\"x\"\r\n\
                 content-type: multipart/mixed; boundary=c",
                "--c\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nsecret-1\r\n--c--",
            )),
        ),
    ]
}

/// Lines between parts that some take for others.
fn framed_otherwise(small: &str, good: &str) -> Vec<Spelling> {
    let secret = named("model", "secret-1");
    let framed = |name: &str, body: String| form(name, Must::Agree, body);
    vec![
        framed("preamble", format!("preamble\r\n{good}")),
        framed("epilogue", format!("{good}{secret}--b--\r\n")),
        framed("no-end", format!("{SOUND}{small}")),
        framed(
            "cut",
            format!("{SOUND}{}", small.strip_suffix("l-1\r\n").unwrap()),
        ),
        framed("bare-lines", good.replace("\r\n", "\n")),
        framed("bare-returns", good.replace("\r\n", "\r")),
        framed(
            "bare-lines-in",
            good.replace("small-1\r\n", "small-1\n--b\n")
                .replace("--b--", &secret),
        ),
        framed(
            "boundary-bare-line",
            format!("{SOUND}{}", small.replacen("--b\r\n", "\n--b\n", 1)),
        ),
        framed("boundary-blanks", good.replace("--b\r\n", "--b \t\r\n")),
        framed(
            "boundary-longer",
            format!("{SOUND}{small}--bx\r\n{secret}--b--\r\n"),
        ),
        framed(
            "boundary-dashes",
            format!("{SOUND}{small}--b-\r\n{secret}--b--\r\n"),
        ),
        framed("boundary-in-value", good.replace("small-1", "small-1 --b")),
        framed("end-without-line", format!("{SOUND}{small}--b--")),
        framed("end-then-text", format!("{SOUND}{small}--b--secret-1")),
        framed("two-ends", format!("{SOUND}{small}--b--\r\n--b--\r\n")),
        framed(
            "empty-part",
            format!("{SOUND}--b\r\n\r\n\r\n{small}--b--\r\n"),
        ),
        framed(
            "part-without-end-of-head",
            format!("{SOUND}--b\r\nx: y\r\n{small}--b--\r\n"),
        ),
        framed("starts-with-line", format!("\r\n{good}")),
        framed("nothing", String::new()),
        framed("only-an-end", "--b--\r\n".to_owned()),
    ]
}

/// Types and encodings of the whole.
fn declared_otherwise(good: &str, secret: &str) -> Vec<Spelling> {
    // Where the boundary may be `c`, what is there is denied.
    let hidden = format!("{good}{}", secret.replace("--b", "--c"));
    let declared = |name: &str, media: &str| typed(name, Must::Agree, media, &hidden);
    let mut all = vec![
        typed(
            "boundary-quoted",
            Must::Agree,
            "multipart/form-data; boundary=\"b\"",
            good,
        ),
        declared(
            "boundary-twice",
            "multipart/form-data; boundary=b; boundary=c",
        ),
        declared(
            "boundary-twice-back",
            "multipart/form-data; boundary=c; boundary=b",
        ),
        declared(
            "boundary-upper",
            "multipart/form-data; boundary=c; BOUNDARY=b",
        ),
        declared(
            "boundary-extended",
            "multipart/form-data; boundary=b; boundary*=utf-8''c",
        ),
        declared(
            "boundary-continued",
            "multipart/form-data; boundary*0=c; boundary=b",
        ),
        declared("boundary-comma", "multipart/form-data; boundary=b, c"),
        declared(
            "boundary-in-quotes",
            "multipart/form-data; x=\"; boundary=c; \"; boundary=b",
        ),
        declared("boundary-escaped", "multipart/form-data; boundary=\"\\c\""),
        declared("boundary-blank", "multipart/form-data; boundary= b"),
        declared("boundary-empty", "multipart/form-data; boundary="),
        declared("boundary-none", "multipart/form-data"),
        declared(
            "type-list",
            "multipart/form-data; boundary=b, multipart/form-data; boundary=c",
        ),
        typed("mixed", Must::Agree, "multipart/mixed; boundary=b", good),
        typed(
            "related",
            Must::Agree,
            "multipart/related; boundary=b",
            good,
        ),
        typed(
            "upper",
            Must::Agree,
            "MULTIPART/FORM-DATA; boundary=b",
            good,
        ),
        typed(
            "charset",
            Must::Agree,
            "multipart/form-data; boundary=b; charset=utf-16",
            good,
        ),
        typed("as-json", Must::Agree, "application/json", secret),
        typed(
            "url-encoded",
            Must::Agree,
            "application/x-www-form-urlencoded",
            "model=secret-1&file=a",
        ),
        typed(
            "json-body",
            Must::Agree,
            "application/json",
            r#"{"model":"secret-1"}"#,
        ),
    ];
    let mut twice = declared("type-twice", TYPE);
    twice = twice.header("content-type", "multipart/form-data; boundary=c");
    all.push(twice);
    let mut twice = declared("type-twice-back", "multipart/form-data; boundary=c");
    twice = twice.header("content-type", TYPE);
    all.push(twice);
    // Files are written, not read; forms that only some read for another method stand in `paths`.
    let mut file = form("file", Must::Pass, good);
    file.target = "/v1/files".to_owned();
    all.push(file);
    all
}
