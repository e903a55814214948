mod options;

use serde_json::{Value, json};

use mask::policy::{Action, Detection, PartialContent, Plan, Style};

use crate::policy::{Policy, Problem, load};
use crate::rules::Then;

fn read(sections: &Value) -> Result<Policy, Vec<Problem>> {
    let mut policy = json!({
        "version": 1,
        "identity": {"providers": [{
            "name": "corp", "issuer": "https://idp", "audiences": ["inference"],
            "keys": {"jwks": {"keys": []}},
        }]},
        "detectors": {"ticket": {"words": ["TCK"], "label": "TICKET"}},
        "approvals": {"cluster": "desk"},
        "rules": [{"name": "all", "then": "allow", "mask": ["m"]}],
    });
    let members = policy.as_object_mut().unwrap();
    for (name, section) in sections.as_object().unwrap() {
        if section.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), section.clone());
        }
    }
    let key = |name: &str| match name {
        "LONG" => Some("k".repeat(32)),
        "SHORT" => Some("s3cret".to_owned()),
        _ => None,
    };
    load(&policy.to_string(), &key)
}

fn plan(mask: &Value) -> Plan {
    read(&json!({"masks": {"m": mask}})).unwrap().masks[0].clone()
}

fn paths(sections: &Value) -> Vec<String> {
    let problems = read(sections).unwrap_err();
    problems.into_iter().map(|one| one.path).collect()
}

fn named(detections: &[Detection]) -> Vec<(&str, Style)> {
    detections
        .iter()
        .map(|one| (one.detector.name(), one.style))
        .collect()
}

#[test]
fn masks_as_the_documents_show_them_load() {
    let policy = read(&json!({
        "detectors": {
            "ticket": {"pattern": "\\bTCK-[0-9]{6}\\b", "label": "TICKET"},
            "codename": {"words": ["Project Halcyon", "Bluefin-7"], "label": "CODENAME"},
        },
        "masks": {
            "m": {
                "detect": [
                    "email", "phone", "credit_card", "us_ssn", "iban", "ip", "secret.*",
                    "ticket", "codename",
                ],
                "style": "label",
                "fields": {"remove": ["/metadata/customer_email"]},
            },
            "stable": {"detect": ["email"], "style": "pseudonym"},
        },
        "rules": [{"name": "all", "then": "allow", "mask": ["m"], "mask_request": ["stable"]}],
    }))
    .unwrap();
    assert!(policy.masks.iter().any(Plan::has_pseudonyms));
    assert!(policy.pseudonym_key.is_none());
}

#[test]
fn each_style_is_read() {
    for (name, style) in [
        ("label", Style::Label),
        ("stars", Style::Stars),
        ("partial", Style::Partial),
        ("pseudonym", Style::Pseudonym),
        ("remove", Style::Remove),
    ] {
        let plan = plan(&json!({"detect": ["email"], "style": name}));
        assert_eq!(named(&plan.detections), [("email", style)]);
    }
}

#[test]
fn an_entry_may_have_a_style_and_an_action_of_its_own() {
    let plan = plan(&json!({
        "detect": [
            "email",
            {"is": "secret.jwt", "style": "remove", "action": "cut"},
            {"is": "iban", "action": "alert"},
            {"is": "ip", "action": {"approve": {"reviewers": ["leads"]}}},
            {"is": "us_ssn", "style": "partial"},
            {"is": "ticket"},
        ],
        "style": "stars",
    }));
    assert_eq!(
        named(&plan.detections),
        [
            ("secret.jwt", Style::Remove),
            ("email", Style::Stars),
            ("us_ssn", Style::Partial),
            ("ticket", Style::Stars),
        ]
    );
    assert_eq!(plan.cuts, [0]);
    assert_eq!(named(&plan.alerts), [("iban", Style::Stars)]);
    assert_eq!(named(&plan.gate.detections), [("ip", Style::Stars)]);
    assert_eq!(plan.gate.reviewers, ["leads"]);
}

#[test]
fn the_mask_s_action_is_that_of_entries_without_one() {
    let plan = plan(&json!({
        "detect": ["email", {"is": "ip", "action": "mask"}],
        "action": "alert",
    }));
    assert_eq!(named(&plan.detections), [("ip", Style::Label)]);
    assert_eq!(named(&plan.alerts), [("email", Style::Label)]);
}

#[test]
fn the_first_entry_that_names_a_detector_holds() {
    let plan = plan(&json!({
        "detect": [{"is": "secret.jwt", "action": "cut"}, "secret.*"],
    }));
    let cut = &plan.detections[plan.cuts[0]];
    assert_eq!(cut.detector.name(), "secret.jwt");
    assert_eq!(plan.cuts.len(), 1);
    assert!(plan.detections.len() > 5);
    // The other way round the second entry would say nothing.
    let late =
        json!({"masks": {"m": {"detect": ["secret.*", {"is": "secret.jwt", "action": "cut"}]}}});
    assert_eq!(paths(&late), ["/masks/m/detect/1/is"]);
}

#[test]
fn the_first_mask_that_names_a_detector_holds_and_options_add_up() {
    let policy = read(&json!({
        "masks": {
            "a": {"detect": ["email"], "action": "alert", "keys": true, "partial_content": "pass"},
            "b": {
                "detect": ["email", "ip"], "base64": true, "partial_content": "refuse",
                "fields": {"drop_logprobs": true},
            },
        },
        "rules": [{"name": "all", "then": "allow", "mask": ["a", "b"]}],
    }))
    .unwrap();
    let plan = &policy.masks[0];
    assert_eq!(named(&plan.detections), [("ip", Style::Label)]);
    assert_eq!(named(&plan.alerts), [("email", Style::Label)]);
    let options = &plan.options;
    assert!(options.keys && options.base64 && options.fields.drop_logprobs);
    assert_eq!(options.partial_content, PartialContent::Refuse);
}

#[test]
fn a_mask_may_be_about_fields_only() {
    let plan = plan(&json!({"fields": {"remove": ["/a"]}, "partial_content": "pass"}));
    assert!(plan.detections.is_empty());
    assert_eq!(plan.options.partial_content, PartialContent::Pass);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (mask, path) in [
        (json!({"detect": ["email"], "style": "blur"}), "/style"),
        (json!({"detect": ["email"], "style": "alert"}), "/style"),
        (json!({"detect": ["email"], "action": "warn"}), "/action"),
        (
            json!({"detect": ["email"], "action": {"approve": {}}}),
            "/action/approve",
        ),
        (
            json!({"detect": ["email"], "action": {"approve": {"reviewers": []}}}),
            "/action/approve/reviewers",
        ),
        (
            json!({"detect": ["email"], "action": {"ask": 1}}),
            "/action",
        ),
        (json!({"detect": ["nobody"]}), "/detect/0"),
        (json!({"detect": [{"is": "nobody"}]}), "/detect/0/is"),
        (json!({"detect": [{"style": "stars"}]}), "/detect/0"),
        (
            json!({"detect": [{"is": "email", "stile": "stars"}]}),
            "/detect/0/stile",
        ),
        (
            json!({"detect": [{"is": "email", "style": 1}]}),
            "/detect/0/style",
        ),
        (json!({"detect": [7]}), "/detect/0"),
        (json!({"detect": []}), "/detect"),
        (json!({"style": "label"}), ""),
        (json!({"detect": ["email"], "keys": 1}), "/keys"),
        (json!({"detect": ["email"], "base64": "yes"}), "/base64"),
        (
            json!({"detect": ["email"], "partial_content": true}),
            "/partial_content",
        ),
        (json!({"detect": ["email"], "fields": []}), "/fields"),
        (json!({"detect": ["email"], "on": ["request"]}), "/on"),
    ] {
        let found = paths(&json!({"masks": {"m": mask}}));
        assert!(
            found.contains(&format!("/masks/m{path}")),
            "{mask}: {found:?}"
        );
    }
    let found = paths(&json!({
        "approvals": null,
        "masks": {"m": {"detect": ["email"], "action": {"approve": {"reviewers": ["a"]}}}},
    }));
    assert_eq!(found, ["/masks/m/action"]);
}

#[test]
fn a_request_s_masks_stand_beside_the_response_s() {
    let masks = json!({
        "m": {"detect": ["email"]},
        "p": {"detect": ["email"], "style": "pseudonym"},
        "g": {"detect": ["email"], "action": {"approve": {"reviewers": ["a"]}}},
    });
    let rule = |members: Value| {
        let mut rule = json!({"name": "all", "then": "allow"});
        let more = members.as_object().unwrap().clone();
        rule.as_object_mut().unwrap().extend(more);
        json!({"masks": masks, "rules": [rule]})
    };
    let policy = read(&rule(
        json!({"mask": ["m"], "mask_request": ["p"], "restore": true}),
    ))
    .unwrap();
    let Then::Allow { mask, request, .. } = &policy.rules[0].then else {
        panic!("{:?}", policy.rules[0]);
    };
    let request = request.unwrap();
    assert_eq!((*mask, request.plan, request.restore), (Some(0), 1, true));
    for (members, path) in [
        (json!({"restore": true}), "/rules/0/restore"),
        (
            json!({"mask_request": ["m"], "restore": true}),
            "/rules/0/restore",
        ),
        (
            json!({"mask_request": ["p"], "restore": 1}),
            "/rules/0/restore",
        ),
        (json!({"mask_request": ["g"]}), "/rules/0/mask_request"),
        (json!({"mask_request": ["x"]}), "/rules/0/mask_request/0"),
        (
            json!({"then": "deny", "mask_request": ["m"]}),
            "/rules/0/mask_request",
        ),
    ] {
        let found = paths(&rule(members.clone()));
        assert!(found.contains(&path.to_owned()), "{members}: {found:?}");
    }
}

#[test]
fn a_key_of_pseudonyms_is_long_and_never_shown() {
    let with = |key: &str| {
        json!({
            "masks": {"m": {"detect": ["email"], "style": "pseudonym"}},
            "pseudonyms": {"key": key},
        })
    };
    let policy = read(&with("${LONG}")).unwrap();
    assert_eq!(policy.pseudonym_key.as_ref().unwrap().bytes(), [b'k'; 32]);
    assert!(!format!("{policy:?}").contains("kkk"));
    for wrong in ["${SHORT}", "${NOBODY}"] {
        let problems = read(&with(wrong)).unwrap_err();
        assert_eq!(problems[0].path, "/pseudonyms/key");
        assert!(!problems[0].to_string().contains("s3cret"));
    }
    assert_eq!(
        paths(&json!({"masks": {"m": {"detect": ["ip"]}}, "pseudonyms": {}})),
        ["/pseudonyms"]
    );
}

#[test]
fn a_mask_without_an_action_masks() {
    assert_eq!(Action::default(), Action::Mask);
    let plan = plan(&json!({"detect": ["email"]}));
    assert!(plan.cuts.is_empty() && plan.alerts.is_empty());
}
