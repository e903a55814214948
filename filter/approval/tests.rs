use super::{
    Answer, Binding, Decision, State, Subject, Trouble, bind, name, read_answer, read_claim,
};
use crate::call;

fn binding() -> Binding<'static> {
    Binding {
        issuer: "https://idp",
        subject: "jane",
        route: Some("chat"),
        cluster: Some("models"),
        operation: "model.tune",
        model: Some("m"),
        others: &[],
        method: "POST",
        host: "h",
        path: "/a?x",
        headers: &[],
        body: Some("ab"),
        rule: "gate",
        rule_digest: "cd",
        about: Subject::Request,
        answer: None,
    }
}

#[test]
fn a_binding_tells_apart_whatever_differs() {
    let one = |name: &str, value: &[u8]| vec![(name.to_owned(), value.to_vec())];
    let (plain, other) = (one("content-type", b"a/b"), one("content-typ", b"ea/b"));
    let utf8 = one("content-type", b"a/b; charset=utf-8");
    let not_text = [one("x", b"\xff"), one("x", b"\xfe")];
    let of = |change: &dyn Fn(&mut Binding<'_>)| {
        let mut changed = binding();
        change(&mut changed);
        bind(&changed)
    };
    let mut all = vec![
        of(&|_| ()),
        of(&|it| it.issuer = "https://id"),
        of(&|it| it.subject = "jan"),
        of(&|it| (it.issuer, it.subject) = ("https://idpj", "ane")),
        of(&|it| it.route = None),
        of(&|it| it.route = Some("")),
        of(&|it| it.cluster = None),
        of(&|it| (it.route, it.cluster) = (None, Some("chat"))),
        of(&|it| it.operation = "model.load"),
        of(&|it| it.model = None),
        of(&|it| it.method = "PUT"),
        of(&|it| it.host = "g"),
        of(&|it| it.path = "/a?y"),
        of(&|it| it.body = None),
        of(&|it| it.body = Some("ac")),
        of(&|it| it.rule = "gat"),
        of(&|it| it.rule_digest = "ce"),
        of(&|it| it.about = Subject::Answer),
        of(&|it| (it.about, it.answer) = (Subject::Answer, Some(""))),
        of(&|it| (it.about, it.answer) = (Subject::Answer, Some("ab"))),
    ];
    let names = ["m".to_owned(), "l".to_owned()];
    for others in [&names[..1], &names[1..], &names] {
        let mut changed = binding();
        changed.others = others;
        all.push(bind(&changed));
    }
    for headers in [&plain, &other, &utf8, &not_text[0], &not_text[1]] {
        let mut changed = binding();
        changed.headers = headers;
        all.push(bind(&changed));
    }
    assert!(all.iter().all(|one| one.len() == 64));
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
    assert_eq!(bind(&binding()), bind(&binding()));
}

#[test]
fn names_are_of_their_exchange_kind_and_number() {
    let one = name("claim", "e", 1);
    assert_eq!(one.len(), 32);
    assert_eq!(one, name("claim", "e", 1));
    for other in [
        name("asker", "e", 1),
        name("claim", "f", 1),
        name("claim", "e", 2),
    ] {
        assert_ne!(one, other);
    }
}

fn http(status: u16, body: &str) -> call::Answer<'_> {
    call::Answer::Http {
        status,
        coding: b"",
        body: body.as_bytes(),
    }
}

#[test]
fn answers_are_for_what_was_asked_or_are_none() {
    assert_eq!(
        read_answer(
            http(
                200,
                r#"{"id":"apr_1","binding":"b","state":"denied","reason":"no","reviewer":"ana","more":{}}"#
            ),
            "b",
            None
        ),
        Ok(Answer {
            id: "apr_1".to_owned(),
            binding: "b".to_owned(),
            state: State::Denied,
            reviewer: Some("ana".to_owned()),
            reason: Some("no".to_owned()),
            uses: 1,
        })
    );
    for state in ["used", "expired", "revoked"] {
        let text = format!(r#"{{"id":"a","binding":"b","state":"{state}","reason":null}}"#);
        let answer = read_answer(http(200, &text), "b", Some("a")).unwrap();
        assert_eq!(answer.state, State::Gone);
    }
    for (grant, uses) in [
        ("null", 1),
        (r#"{"left_ms":5,"uses_left":7}"#, 7),
        (r#"{"left_ms":5,"uses_left":null}"#, u64::MAX),
    ] {
        let text = format!(r#"{{"id":"a","binding":"b","state":"approved","grant":{grant}}}"#);
        assert_eq!(read_answer(http(200, &text), "b", None).unwrap().uses, uses);
    }
    for body in [
        r#"{"id":"a","binding":"b","state":"approve"}"#,
        r#"{"id":"a","binding":"c","state":"approved"}"#,
        r#"{"id":"a","state":"approved"}"#,
        r#"{"id":"","binding":"b","state":"approved"}"#,
        r#"{"id":"../x","binding":"b","state":"approved"}"#,
        r#"{"id":"a","binding":"b","state":"pending","state":"approved"}"#,
        r#"{"id":"a","binding":"b","state":"approved","grant":{"uses_left":"1"}}"#,
        r#"{"binding":"b","state":"approved"}"#,
        "approved",
        "",
    ] {
        let answer = read_answer(http(200, body), "b", None);
        assert_eq!(answer, Err(Trouble::NotUnderstood), "{body}");
    }
    // A wait is for one approval.
    let other = r#"{"id":"a","binding":"b","state":"approved"}"#;
    let answer = read_answer(http(200, other), "b", Some("c"));
    assert_eq!(answer, Err(Trouble::NotUnderstood));
    let answer = read_answer(http(404, "{}"), "b", Some("c")).unwrap();
    assert_eq!((answer.id.as_str(), answer.state), ("c", State::Gone));
}

#[test]
fn what_goes_wrong_is_told_apart() {
    for (status, body, trouble) in [
        (401, "{}", Trouble::KeyRefused),
        (403, "", Trouble::KeyRefused),
        (429, "{}", Trouble::TooMany),
        (400, "{}", Trouble::Refused),
        (413, "", Trouble::Refused),
        (422, "{}", Trouble::Refused),
        (500, "", Trouble::Failing),
        (503, r#"{"error":{"code":"full"}}"#, Trouble::Failing),
        // Envoy's own.
        (503, "no healthy upstream", Trouble::NoAnswer),
        (504, "upstream request timeout", Trouble::NoAnswer),
        (404, "{}", Trouble::NotUnderstood),
        (
            201,
            r#"{"id":"a","binding":"b","state":"approved"}"#,
            Trouble::NotUnderstood,
        ),
        (302, "", Trouble::NotUnderstood),
    ] {
        let answer = read_answer(http(status, body), "b", None);
        assert_eq!(answer, Err(trouble), "{status} {body}");
    }
    for answer in [call::Answer::NotSent, call::Answer::Failed] {
        assert_eq!(read_answer(answer, "b", None), Err(Trouble::NoAnswer));
    }
}

#[test]
fn only_this_very_claim_holds() {
    let read = |status, text: &str| read_claim(http(status, text), ("a", "b", "c"));
    let claim =
        |state: &str| format!(r#"{{"id":"a","binding":"b","claim":"c","state":"{state}"}}"#);
    assert_eq!(read(200, &claim("claimed")), Ok(true));
    for state in ["pending", "denied", "used", "expired", "revoked"] {
        assert_eq!(read(200, &claim(state)), Ok(false), "{state}");
    }
    for status in [404, 409, 410] {
        assert_eq!(read(status, r#"{"error":{}}"#), Ok(false), "{status}");
    }
    for text in [
        claim("approved"),
        claim("claimed").replace(r#""id":"a""#, r#""id":"b""#),
        claim("claimed").replace(r#""binding":"b""#, r#""binding":"c""#),
        claim("claimed").replace(r#""claim":"c""#, r#""claim":"d""#),
        claim("claimed").replace(r#","claim":"c""#, ""),
        String::new(),
    ] {
        assert_eq!(read(200, &text), Err(Trouble::NotUnderstood), "{text}");
    }
    assert_eq!(read(500, &claim("claimed")), Err(Trouble::Failing));
}

#[test]
fn each_trouble_has_a_code_and_a_line_of_its_own() {
    let all = [
        Trouble::NoAnswer,
        Trouble::KeyRefused,
        Trouble::TooMany,
        Trouble::Refused,
        Trouble::Failing,
        Trouble::NotUnderstood,
    ];
    for (place, one) in all.iter().enumerate() {
        for other in &all[place + 1..] {
            assert_ne!(one.code(), other.code());
            assert_ne!(one.line(), other.line());
        }
    }
    assert_ne!(Decision::Trouble(all[0]), Decision::Trouble(all[1]));
}
