//! Events that are like ones before them are read in a shorter way, which must not show.

use proptest::prelude::*;

use super::super::super::Format;
use super::super::super::tests::{mask, try_pieces};

fn event() -> impl Strategy<Value = String> {
    let id = prop::sample::select(vec!["c-1", "c-2", "jane@example.com"]);
    let number = prop::sample::select(vec!["1", "2", "4111111111111111", "\"7\"", "1-2", "null"]);
    let noise = prop::sample::select(vec![
        "x8Fz",
        "jane@example.com",
        "a\\u0040b.co",
        "\\",
        "x\",\"y",
    ]);
    let kind = prop::sample::select(vec![
        "",
        "\"type\":\"a.delta\",",
        "\"type\":\"a.done\",\"output_index\":0,",
    ]);
    let index = 0..2;
    let text = prop_oneof![
        prop::sample::select(vec![
            "jane@",
            "example",
            ".com ",
            "4111 1111",
            " 1111 1111",
            "\\n",
            "\\u00",
            "40",
            "\\",
            "a\"b"
        ])
        .prop_map(str::to_owned),
        "[a-z ]{0,8}",
    ];
    let finish = prop::sample::select(vec!["null", "null", "null", "\"stop\"", "\"\""]);
    let end = prop::sample::select(vec!["\n\n", "\n\n", "\r\n\r\n"]);
    (id, number, noise, kind, index, text, finish, end).prop_map(
        |(id, number, noise, kind, index, text, finish, end)| {
            format!(
                "data: {{{kind}\"id\":\"{id}\",\"sequence_number\":{number},\"choices\":[{{\"index\":{index},\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":{finish}}}],\"obfuscation\":\"{noise}\"}}{end}"
            )
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn an_event_is_masked_as_if_none_were_like_it(events in prop::collection::vec(event(), 1..12)) {
        let mask = mask();
        let alike = events.concat();
        // An event with a comment is always read whole.
        let each: String = events.iter().map(|event| format!(":\n{event}")).collect();
        let masked = |body: &str| String::from_utf8(try_pieces(&mask, Format::Events, body.as_bytes(), &[]).unwrap()).unwrap();
        prop_assert_eq!(masked(&alike), masked(&each).replace(":\ndata", "data"));
    }
}
