//! What JSON can look like: members twice and in other cases, numbers, escapes, and what is no JSON.

use super::{CHAT, COMPLETION, EMBEDDING, HELLO, Must, PROBE, SECRET, Spelling};

/// In chats, what stands for `@` around the members `model` and `messages`.
const CHATS: &[(&str, Must, &str)] = &[
    ("plain", Must::Pass, r#"{"model":"small-1",@}"#),
    ("secret", Must::Refuse, r#"{"model":"secret-1",@}"#),
    (
        "blanks",
        Must::Pass,
        "\t{ \"model\" :\r\n\"small-1\" , @ } \n",
    ),
    (
        "unknown-members",
        Must::Pass,
        r#"{"model":"small-1","x":{"model":"secret-1"},"temperature":0.5,@}"#,
    ),
    (
        "escaped-member",
        Must::Pass,
        r#"{"\u006dode\u006C":"small-1",@}"#,
    ),
    (
        "escaped-secret",
        Must::Refuse,
        r#"{"\u006dodel":"\u0073ecret-1",@}"#,
    ),
    // Twice.
    (
        "model-twice",
        Must::Agree,
        r#"{"model":"small-1","model":"secret-1",@}"#,
    ),
    (
        "model-twice-back",
        Must::Agree,
        r#"{"model":"secret-1","model":"small-1",@}"#,
    ),
    (
        "model-twice-far",
        Must::Agree,
        r#"{"model":"small-1",@,"model":"secret-1"}"#,
    ),
    (
        "model-twice-escaped",
        Must::Agree,
        r#"{"model":"small-1","mode\u006c":"secret-1",@}"#,
    ),
    (
        "model-twice-null",
        Must::Agree,
        r#"{"model":null,"model":"secret-1",@}"#,
    ),
    // In other cases, as encoding/json of Go and others find members.
    ("case-alone", Must::Agree, r#"{"Model":"secret-1",@}"#),
    ("case-upper", Must::Agree, r#"{"MODEL":"secret-1",@}"#),
    (
        "case-after",
        Must::Agree,
        r#"{"model":"small-1","Model":"secret-1",@}"#,
    ),
    (
        "case-before",
        Must::Agree,
        r#"{"MODEL":"secret-1","model":"small-1",@}"#,
    ),
    (
        "case-escaped",
        Must::Agree,
        r#"{"model":"small-1","\u004dodel":"secret-1",@}"#,
    ),
    ("case-items", Must::Agree, r#"{"model":"small-1","N":5,@}"#),
    (
        "case-items-after",
        Must::Agree,
        r#"{"model":"small-1","n":1,"N":5,@}"#,
    ),
    // Names that are nearly the name.
    (
        "blank-before",
        Must::Agree,
        r#"{"model":"small-1"," model":"secret-1",@}"#,
    ),
    (
        "blank-after",
        Must::Agree,
        r#"{"model":"small-1","model ":"secret-1",@}"#,
    ),
    (
        "nul-after",
        Must::Agree,
        r#"{"model":"small-1","model\u0000":"secret-1",@}"#,
    ),
    (
        "zero-width",
        Must::Agree,
        "{\"model\":\"small-1\",\"mo\u{200b}del\":\"secret-1\",@}",
    ),
    (
        "full-width",
        Must::Agree,
        "{\"model\":\"small-1\",\"\u{ff4d}odel\":\"secret-1\",@}",
    ),
    (
        "prototype",
        Must::Agree,
        r#"{"model":"small-1","__proto__":{"model":"secret-1"},@}"#,
    ),
    // The model's own spelling.
    ("model-nul", Must::Agree, r#"{"model":"secret-1\u0000",@}"#),
    ("model-blank", Must::Agree, r#"{"model":" secret-1",@}"#),
    ("model-null", Must::Agree, r#"{"model":null,@}"#),
    ("model-none", Must::Agree, "{@}"),
    ("model-empty", Must::Agree, r#"{"model":"",@}"#),
    ("model-number", Must::Agree, r#"{"model":1,@}"#),
    ("model-list", Must::Agree, r#"{"model":["secret-1"],@}"#),
    (
        "model-object",
        Must::Agree,
        r#"{"model":{"model":"secret-1"},@}"#,
    ),
    (
        "model-surrogate",
        Must::Agree,
        r#"{"model":"small-1\ud800",@}"#,
    ),
    (
        "model-pair",
        Must::Agree,
        r#"{"model":"small-\ud83d\ude00",@}"#,
    ),
    // How many.
    ("items-4", Must::Pass, r#"{"model":"small-1","n":4,@}"#),
    ("items-5", Must::Refuse, r#"{"model":"small-1","n":5,@}"#),
    (
        "items-null",
        Must::Agree,
        r#"{"model":"small-1","n":null,@}"#,
    ),
    (
        "items-twice",
        Must::Agree,
        r#"{"model":"small-1","n":1,"n":5,@}"#,
    ),
    (
        "items-twice-back",
        Must::Agree,
        r#"{"model":"small-1","n":5,"n":1,@}"#,
    ),
    (
        "items-text",
        Must::Agree,
        r#"{"model":"small-1","n":"5",@}"#,
    ),
    (
        "items-text-blank",
        Must::Agree,
        r#"{"model":"small-1","n":" 5 ",@}"#,
    ),
    (
        "items-text-underscore",
        Must::Agree,
        r#"{"model":"small-1","n":"1_0",@}"#,
    ),
    (
        "items-text-digits",
        Must::Agree,
        "{\"model\":\"small-1\",\"n\":\"\u{0665}\",@}",
    ),
    (
        "items-point",
        Must::Agree,
        r#"{"model":"small-1","n":5.0,@}"#,
    ),
    (
        "items-fraction",
        Must::Agree,
        r#"{"model":"small-1","n":4.9,@}"#,
    ),
    (
        "items-power",
        Must::Agree,
        r#"{"model":"small-1","n":1e1,@}"#,
    ),
    (
        "items-huge",
        Must::Agree,
        r#"{"model":"small-1","n":1e400,@}"#,
    ),
    (
        "items-wrapped",
        Must::Agree,
        r#"{"model":"small-1","n":18446744073709551621,@}"#,
    ),
    (
        "items-true",
        Must::Agree,
        r#"{"model":"small-1","n":true,@}"#,
    ),
    (
        "items-false",
        Must::Agree,
        r#"{"model":"small-1","n":false,@}"#,
    ),
    (
        "items-negative",
        Must::Agree,
        r#"{"model":"small-1","n":-5,@}"#,
    ),
    (
        "items-minus-nothing",
        Must::Agree,
        r#"{"model":"small-1","n":-0,@}"#,
    ),
    (
        "items-list",
        Must::Agree,
        r#"{"model":"small-1","n":[5],@}"#,
    ),
    (
        "items-zeros",
        Must::Agree,
        r#"{"model":"small-1","n":05,@}"#,
    ),
    ("items-plus", Must::Agree, r#"{"model":"small-1","n":+5,@}"#),
    ("items-hex", Must::Agree, r#"{"model":"small-1","n":0x5,@}"#),
    ("items-nan", Must::Agree, r#"{"model":"small-1","n":NaN,@}"#),
    (
        "items-infinite",
        Must::Agree,
        r#"{"model":"small-1","n":Infinity,@}"#,
    ),
    // What is no JSON, for some.
    ("nan", Must::Agree, r#"{"model":"small-1","x":NaN,@}"#),
    ("comma", Must::Agree, r#"{"model":"small-1",@,}"#),
    (
        "comment",
        Must::Agree,
        r#"{"model":"small-1",/*"*/"model":"secret-1",/*"*/@}"#,
    ),
    (
        "comment-line",
        Must::Agree,
        "{\"model\":\"small-1\",//\"\n\"model\":\"secret-1\",@}",
    ),
    ("single-quotes", Must::Agree, r#"{'model':'secret-1',@}"#),
    ("no-quotes", Must::Agree, r#"{model:"secret-1",@}"#),
    (
        "control-letter",
        Must::Agree,
        "{\"model\":\"small-1\",\"x\":\"a\nb\",@}",
    ),
    (
        "bad-escape",
        Must::Agree,
        r#"{"model":"small-1","x":"\q",@}"#,
    ),
    ("form-feed", Must::Agree, "{\"model\":\"small-1\",\u{c}@}"),
    (
        "no-break-blank",
        Must::Agree,
        "\u{a0}{\"model\":\"small-1\",@}",
    ),
    (
        "mark-in-front",
        Must::Agree,
        "\u{feff}{\"model\":\"small-1\",@}",
    ),
    (
        "more-behind",
        Must::Agree,
        r#"{"model":"small-1",@}{"model":"secret-1"}"#,
    ),
    (
        "line-behind",
        Must::Agree,
        "{\"model\":\"small-1\",@}\n{\"model\":\"secret-1\"}",
    ),
    ("rest-behind", Must::Agree, r#"{"model":"small-1",@} x"#),
    ("nul-behind", Must::Agree, "{\"model\":\"small-1\",@}\0"),
];

/// Messages in a chat of a model that is allowed.
const MESSAGES: &[(&str, Must, &str)] = &[
    (
        "probe",
        Must::Refuse,
        r#""messages":[{"role":"user","content":"P"}]"#,
    ),
    (
        "probe-twice",
        Must::Agree,
        r#""messages":[{"role":"user","content":"hello","content":"P"}]"#,
    ),
    (
        "probe-twice-back",
        Must::Agree,
        r#""messages":[{"role":"user","content":"P","content":"hello"}]"#,
    ),
    (
        "probe-list-twice",
        Must::Agree,
        r#""messages":[{"content":"hello"}],"messages":[{"content":"P"}]"#,
    ),
    (
        "probe-case",
        Must::Agree,
        r#""messages":[{"role":"user","Content":"P"}]"#,
    ),
    (
        "probe-case-after",
        Must::Agree,
        r#""messages":[{"role":"user","content":"hello","CONTENT":"P"}]"#,
    ),
    (
        "probe-case-list",
        Must::Agree,
        r#""Messages":[{"role":"user","content":"P"}]"#,
    ),
    // The long s, which folds to s.
    (
        "probe-folded",
        Must::Agree,
        "\"me\u{17f}sages\":[{\"role\":\"user\",\"content\":\"P\"}]",
    ),
    (
        "probe-folded-after",
        Must::Agree,
        "\"messages\":[],\"me\\u017fsages\":[{\"role\":\"user\",\"content\":\"P\"}]",
    ),
    (
        "probe-parts",
        Must::Refuse,
        r#""messages":[{"role":"user","content":[{"type":"text","text":"P"}]}]"#,
    ),
    (
        "probe-part-case",
        Must::Agree,
        r#""messages":[{"role":"user","content":[{"type":"text","Text":"P"}]}]"#,
    ),
    (
        "probe-part-of-no-type",
        Must::Agree,
        r#""messages":[{"role":"user","content":[{"text":"P"}]}]"#,
    ),
    (
        "probe-part-of-other-type",
        Must::Agree,
        r#""messages":[{"role":"user","content":[{"type":"image_url","text":"P"}]}]"#,
    ),
    (
        "probe-part-twice",
        Must::Agree,
        r#""messages":[{"content":[{"type":"text","text":"hello","text":"P"}]}]"#,
    ),
    (
        "messages-object",
        Must::Agree,
        r#""messages":{"0":{"content":"P"}}"#,
    ),
    ("messages-text", Must::Agree, r#""messages":"P""#),
];

const OTHERS: &[(&str, Must, &str, &str)] = &[
    (
        "completion",
        Must::Pass,
        COMPLETION,
        r#"{"model":"small-1","prompt":"hello"}"#,
    ),
    (
        "completion-probe",
        Must::Refuse,
        COMPLETION,
        r#"{"model":"small-1","prompt":["a","P"]}"#,
    ),
    (
        "completion-times",
        Must::Refuse,
        COMPLETION,
        r#"{"model":"small-1","n":2,"prompt":["a","b","c"]}"#,
    ),
    (
        "completion-twice",
        Must::Agree,
        COMPLETION,
        r#"{"model":"small-1","prompt":"hello","prompt":"P"}"#,
    ),
    (
        "completion-case",
        Must::Agree,
        COMPLETION,
        r#"{"model":"small-1","prompt":"hello","Prompt":"P"}"#,
    ),
    (
        "completion-case-many",
        Must::Agree,
        COMPLETION,
        r#"{"model":"small-1","prompt":"a","PROMPT":["a","b","c","d","e"]}"#,
    ),
    (
        "embedding",
        Must::Pass,
        EMBEDDING,
        r#"{"model":"small-1","input":["a","b"]}"#,
    ),
    (
        "embedding-many",
        Must::Refuse,
        EMBEDDING,
        r#"{"model":"small-1","input":["a","b","c","d","e"]}"#,
    ),
    (
        "embedding-tokens",
        Must::Agree,
        EMBEDDING,
        r#"{"model":"small-1","input":[1,2,3,4,5,6]}"#,
    ),
    (
        "embedding-tokens-many",
        Must::Agree,
        EMBEDDING,
        r#"{"model":"small-1","input":[[1],[2],[3],[4],[5]]}"#,
    ),
    (
        "embedding-case",
        Must::Agree,
        EMBEDDING,
        r#"{"model":"small-1","input":"a","Input":["a","b","c","d","e"]}"#,
    ),
    (
        "list",
        Must::Agree,
        CHAT,
        r#"[{"model":"secret-1","messages":[]}]"#,
    ),
    (
        "text",
        Must::Agree,
        CHAT,
        r#""{\"model\":\"secret-1\",\"messages\":[]}""#,
    ),
    ("nothing", Must::Agree, CHAT, ""),
    ("null", Must::Agree, CHAT, "null"),
];

pub(super) fn all() -> Vec<Spelling> {
    let messages = r#""messages":[{"role":"user","content":"hello"}]"#;
    let chat = |name: &str, must: Must, body: &str| {
        Spelling::new(&format!("json-{name}"), must, "POST", CHAT).json(body)
    };
    let mut all = Vec::new();
    for (name, must, body) in CHATS {
        all.push(chat(name, *must, &body.replace('@', messages)));
    }
    for (name, must, messages) in MESSAGES {
        let messages = messages.replace("\"P\"", &format!("\"{PROBE}\""));
        all.push(chat(
            name,
            *must,
            &format!(r#"{{"model":"small-1",{messages}}}"#),
        ));
    }
    for (name, must, target, body) in OTHERS {
        let body = body.replace("\"P\"", &format!("\"{PROBE}\""));
        all.push(Spelling::new(&format!("json-{name}"), *must, "POST", target).json(body));
    }
    // Bytes that are no UTF-8: some servers leave them out, or put another letter for them.
    for (name, bytes) in [
        ("bytes", b"\xff".as_slice()),
        ("bytes-overlong", b"\xc1\xad"),
        ("bytes-surrogate", b"\xed\xa0\x80"),
        ("bytes-cut", b"\xe2\x82"),
    ] {
        let body = [br#"{"model":"s"#, bytes, &HELLO.as_bytes()[11..]].concat();
        let spelling = Spelling::new(&format!("json-{name}"), Must::Agree, "POST", CHAT);
        all.push(spelling.json(body));
        let body = [br#"{"mod"#, bytes, &SECRET.as_bytes()[5..]].concat();
        let spelling = Spelling::new(&format!("json-{name}-in-name"), Must::Agree, "POST", CHAT);
        all.push(spelling.json(body));
    }
    // Deeper than some recursion goes.
    for (name, depth) in [("deep", 90), ("deeper", 5_000)] {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        all.push(chat(
            name,
            Must::Agree,
            &format!(r#"{{"model":"small-1","x":{open}{close},{messages}}}"#),
        ));
    }
    all
}
