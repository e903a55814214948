use serde_json::{Value, json};

use super::{FIELDS, FieldRules, Pointer, Segment, read_fields};
use base::policy::{Document, Node};

fn read(fields: &Value) -> Result<FieldRules, Vec<String>> {
    let document = Document::new(&|_| None);
    let rules = read_fields(&Node::root(&document, fields, &FIELDS));
    let problems = document.into_problems();
    if problems.is_empty() {
        return Ok(rules);
    }
    Err(problems.iter().map(ToString::to_string).collect())
}

fn name(text: &str) -> Segment {
    Segment::Name(text.to_owned())
}

#[test]
fn every_rule_is_read() {
    let rules = read(&json!({
        "remove": ["/metadata/customer_email", "/a/*/b", "/x~1y/~0/0/"],
        "replace": {"/pointer": {"any": ["value"]}, "/n": null},
        "round": {"/data/*/embedding": 4, "/b": 0},
        "drop_logprobs": true,
        "grpc_remove": ["5.2", "536870911"],
    }))
    .unwrap();
    assert_eq!(
        rules.remove,
        [
            Pointer(vec![name("metadata"), name("customer_email")]),
            Pointer(vec![name("a"), Segment::Any, name("b")]),
            Pointer(vec![name("x/y"), name("~"), name("0"), name("")]),
        ]
    );
    assert_eq!(rules.remove[2].to_string(), "/x~1y/~0/0/");
    assert_eq!(
        rules.replace,
        [
            (Pointer(vec![name("n")]), Value::Null),
            (Pointer(vec![name("pointer")]), json!({"any": ["value"]})),
        ]
    );
    let embedding = vec![name("data"), Segment::Any, name("embedding")];
    assert_eq!(
        rules.round,
        [(Pointer(vec![name("b")]), 0), (Pointer(embedding), 4)]
    );
    assert!(rules.drop_logprobs);
    assert_eq!(rules.grpc_remove, [vec![5, 2], vec![536_870_911]]);
    assert!(!rules.is_empty());
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let long = "/a".repeat(33);
    let many: Vec<String> = (0..257).map(|index| format!("/{index}")).collect();
    for (fields, place) in [
        (json!({}), "/: "),
        (json!([]), "/: "),
        (json!({"removed": ["/a"]}), "/removed: "),
        (json!({"remove": []}), "/remove: "),
        (json!({"remove": [""]}), "/remove/0: "),
        (json!({"remove": ["a"]}), "/remove/0: "),
        (json!({"remove": ["/a/**/b"]}), "/remove/0: "),
        (json!({"remove": ["/a~2"]}), "/remove/0: "),
        (json!({"remove": ["/a~"]}), "/remove/0: "),
        (json!({"remove": [long]}), "/remove/0: "),
        (json!({"remove": many}), "/: "),
        (json!({"remove": ["/a", "/a"]}), "/: "),
        (json!({"remove": ["/a"], "round": {"/a": 1}}), "/: "),
        (json!({"replace": ["/a"]}), "/replace: "),
        (json!({"replace": {"a": 1}}), "/replace/a: "),
        (json!({"round": {"/a": 16}}), "/round/~1a: "),
        (json!({"round": {"/a": 1.5}}), "/round/~1a: "),
        (json!({"drop_logprobs": 1}), "/drop_logprobs: "),
        (json!({"grpc_remove": ["5."]}), "/grpc_remove/0: "),
        (json!({"grpc_remove": ["0"]}), "/grpc_remove/0: "),
        (json!({"grpc_remove": ["05"]}), "/grpc_remove/0: "),
        (json!({"grpc_remove": ["+5"]}), "/grpc_remove/0: "),
        (json!({"grpc_remove": ["536870912"]}), "/grpc_remove/0: "),
        (json!({"grpc_remove": [5]}), "/grpc_remove/0: "),
    ] {
        let problems = read(&fields).unwrap_err();
        assert!(
            problems.iter().any(|one| one.starts_with(place)),
            "{fields}: {problems:?}"
        );
    }
}

#[test]
fn rules_of_several_masks_add_up_and_the_first_holds() {
    let mut rules = read(&json!({"remove": ["/a"], "round": {"/e": 3}})).unwrap();
    let more = json!({"remove": ["/a", "/b"], "round": {"/e": 5, "/f": 2}, "drop_logprobs": true});
    rules.extend(&read(&more).unwrap());
    assert_eq!(rules.remove.len(), 2);
    let digits: Vec<u8> = rules.round.iter().map(|(_, digits)| *digits).collect();
    assert_eq!(digits, [3, 2]);
    assert!(rules.drop_logprobs);
}
