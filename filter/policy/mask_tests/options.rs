//! What may pass a mask, and which headers are masked.

use mask::policy::{Passing, Plan, Upgrades};
use serde_json::{Value, json};

use super::{paths, plan, read};

/// What a mask with this `"pass"` lets through.
fn passing(list: &Value) -> Passing {
    plan(&json!({"detect": ["email"], "pass": list}))
        .options
        .pass
}

/// The plan of a rule with masks that have these members.
fn both(one: &Value, other: &Value) -> Plan {
    let mask = |members: &Value| {
        let mut mask = json!({"detect": ["email"]});
        let members = members.as_object().unwrap().clone();
        mask.as_object_mut().unwrap().extend(members);
        mask
    };
    let policy = json!({
        "masks": {"a": mask(one), "b": mask(other)},
        "rules": [{"name": "all", "then": "allow", "mask": ["a", "b"]}],
    });
    read(&policy).unwrap().masks[0].clone()
}

#[test]
fn images_sound_video_and_fonts_pass_unless_said_otherwise() {
    let usual = plan(&json!({"detect": ["email"]})).options.pass;
    for media in ["image/png", "audio/mpeg", "video/mp4", "font/woff2"] {
        assert!(usual.lets_opaque(media, None), "{media}");
        assert!(!passing(&json!([])).lets_opaque(media, None), "{media}");
        assert!(!passing(&json!(["application/pdf"])).lets_opaque(media, None));
    }
    assert!(!usual.lets_opaque("application/pdf", Some("model.export")));
    assert!(!usual.lets_text("image/svg+xml"));
}

#[test]
fn media_types_are_named_by_globs_or_whole() {
    let list = passing(&json!([
        "Image/*",
        "application/pdf",
        "text/csv",
        "model/*"
    ]));
    for media in ["image/png", "application/pdf", "model/stl"] {
        assert!(list.lets_opaque(media, None), "{media}");
    }
    for media in ["application/zip", "audio/mpeg", ""] {
        assert!(!list.lets_opaque(media, None), "{media}");
    }
    assert!(list.lets_text("text/csv"));
    for media in ["text/html", "image/svg+xml", "model/gltf+json"] {
        assert!(!list.lets_text(media), "no glob lets text pass: {media}");
    }
    // What is read by more than its type is text too.
    let list = passing(&json!(["multipart/*", "application/grpc+j*"]));
    assert!(!list.lets_opaque("multipart/mixed", None));
    assert!(!list.lets_opaque("application/grpc+j", None));
    assert!(passing(&json!(["multipart/byteranges"])).lets_opaque("multipart/byteranges", None));
}

#[test]
fn operations_let_pass_what_can_not_be_read() {
    let list = passing(&json!(["model.*", "file.read"]));
    for operation in ["model.export", "file.read"] {
        assert!(list.lets_opaque("application/octet-stream", Some(operation)));
        assert!(list.lets_operation(Some(operation)));
    }
    for operation in [Some("file.write"), Some("unknown"), None] {
        assert!(!list.lets_opaque("application/octet-stream", operation));
        assert!(!list.lets_operation(operation));
    }
    assert!(!list.lets_text("text/csv"));
    // As for rules: what nobody has a name for is named, or not covered.
    assert!(!passing(&json!(["*"])).lets_operation(Some("unknown")));
    assert!(passing(&json!(["unknown"])).lets_operation(Some("unknown")));
}

#[test]
fn what_passes_passes_all_masks_of_a_rule() {
    let plan = both(
        &json!({"pass": ["application/pdf", "image/*"], "upgrades": "pass"}),
        &json!({"pass": ["model.export", "image/png"], "upgrades": "refuse"}),
    );
    let pass = &plan.options.pass;
    assert!(pass.lets_opaque("application/pdf", Some("model.export")));
    assert!(!pass.lets_opaque("application/pdf", Some("file.read")));
    assert!(!pass.lets_opaque("application/zip", Some("model.export")));
    assert!(pass.lets_opaque("image/png", None));
    assert!(!pass.lets_opaque("image/gif", None));
    assert!(!pass.lets_operation(Some("model.export")));
    assert_eq!(plan.options.upgrades, Upgrades::Refuse);
    // One that says nothing lets the usual pass.
    let plan = both(&json!({}), &json!({"pass": ["application/pdf", "image/*"]}));
    assert!(plan.options.pass.lets_opaque("image/gif", None));
    assert!(!plan.options.pass.lets_opaque("application/pdf", None));
    let plan = both(&json!({"upgrades": "pass"}), &json!({"upgrades": "pass"}));
    assert_eq!(plan.options.upgrades, Upgrades::Pass);
}

#[test]
fn each_mask_adds_its_headers() {
    let plan = both(
        &json!({"headers": ["X-Summary", "x-of", "x-summary"]}),
        &json!({"headers": ["x-of", "content-disposition"]}),
    );
    let headers = ["x-summary", "x-of", "content-disposition"];
    assert_eq!(plan.options.headers, headers);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (members, path) in [
        (json!({"pass": "image/*"}), "/pass"),
        (json!({"pass": [""]}), "/pass/0"),
        (json!({"pass": ["image/*", 1]}), "/pass/1"),
        (json!({"pass": ["image/"]}), "/pass/0"),
        (json!({"pass": ["image/png/x"]}), "/pass/0"),
        (json!({"pass": ["image/png; q=1"]}), "/pass/0"),
        (json!({"pass": ["model.exprt"]}), "/pass/0"),
        (json!({"pass": ["application/json"]}), "/pass/0"),
        (json!({"pass": ["Application/*"]}), "/pass/0"),
        (json!({"pass": ["*/*"]}), "/pass/0"),
        (json!({"pass": ["text/*"]}), "/pass/0"),
        (json!({"pass": ["text/event-*"]}), "/pass/0"),
        (json!({"pass": ["application/grpc*"]}), "/pass/0"),
        (json!({"upgrades": true}), "/upgrades"),
        (json!({"upgrades": "passes"}), "/upgrades"),
        (json!({"headers": []}), "/headers"),
        (json!({"headers": ["x of"]}), "/headers/0"),
        (json!({"headers": [":status"]}), "/headers/0"),
        (json!({"headers": ["x-of", "Content-Length"]}), "/headers/1"),
        (json!({"headers": ["content-type"]}), "/headers/0"),
        (json!({"headers": ["transfer-encoding"]}), "/headers/0"),
        (json!({"headers": ["set-cookie"]}), "/headers/0"),
        (json!({"headers": ["etag"]}), "/headers/0"),
        (json!({"headers": ["grpc-status"]}), "/headers/0"),
    ] {
        let mut mask = json!({"detect": ["email"]});
        let more = members.as_object().unwrap().clone();
        mask.as_object_mut().unwrap().extend(more);
        let found = paths(&json!({"masks": {"m": mask}}));
        assert_eq!(found, [format!("/masks/m{path}")], "{members}");
    }
    let mask = json!({"detect": ["email"], "pass": ["application/*"]});
    let problems = read(&json!({"masks": {"m": mask}})).unwrap_err();
    let told = problems[0].to_string();
    assert!(
        told.contains("\"application/*\", which lets \"application/json\" pass unread"),
        "{told}"
    );
}
