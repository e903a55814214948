use super::super::{Case, LeftOut, Source};
use super::Report;

/// What is wrong with one case that got this verdict.
fn wrong(case: Case, verdict: Result<(), &str>) -> Vec<String> {
    Report::of(&[case], |_| verdict.map_err(str::to_owned)).wrong
}

fn case(valid: bool) -> Case {
    Case {
        source: Source::Signatures,
        name: "1".to_owned(),
        keys: Vec::new(),
        token: String::new(),
        valid,
        because: None,
        left_out: None,
    }
}

#[test]
fn a_verdict_that_is_not_the_expected_one_is_wrong() {
    assert!(wrong(case(true), Ok(())).is_empty());
    assert!(wrong(case(false), Err("token_malformed")).is_empty());
    assert_eq!(wrong(case(true), Err("token_malformed")).len(), 1);
    assert_eq!(wrong(case(false), Ok(())).len(), 1);
}

#[test]
fn a_case_that_is_left_out_must_be_judged_otherwise() {
    let left_out = |valid| Case {
        left_out: Some(LeftOut::Algorithm),
        ..case(valid)
    };
    assert!(wrong(left_out(true), Err("algorithm_not_allowed")).is_empty());
    assert_eq!(wrong(left_out(true), Ok(())).len(), 1);
    assert_eq!(wrong(left_out(false), Err("signature_invalid")).len(), 1);
}

#[test]
fn a_refusal_has_the_reason_that_is_expected() {
    let because = |text| Case {
        because: Some(text),
        ..case(false)
    };
    assert!(wrong(because("short"), Err("keys: too short")).is_empty());
    assert_eq!(wrong(because("short"), Err("keys: too long")).len(), 1);
    assert_eq!(wrong(case(false), Err("keys: too short")).len(), 1);
}

#[test]
fn a_report_without_its_cases_is_not_right() {
    let report = Report::of(&[case(true)], |_| Ok(()));
    let error = report.check().unwrap_err();
    assert!(error.contains("(1, 0)"), "{error}");
}
