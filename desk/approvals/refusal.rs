//! How troubles are told over HTTP.

use axum::http::StatusCode;

use super::machine::Trouble;
use crate::http::Refusal;

/// A trouble of a command.
pub(super) fn of(trouble: Trouble) -> Refusal {
    let (status, code, message) = match trouble {
        Trouble::Unknown => return Refusal::not_found("approval"),
        Trouble::GivenBack => (
            StatusCode::CONFLICT,
            "given_back",
            "This claim was given back.",
        ),
        Trouble::NotCovered => (
            StatusCode::CONFLICT,
            "not_covered",
            "The approval is for another request.",
        ),
        Trouble::NotYourGroup => (
            StatusCode::FORBIDDEN,
            "not_your_group",
            "You are in none of the groups that may decide on this.",
        ),
        Trouble::OwnRequest => (
            StatusCode::FORBIDDEN,
            "own_request",
            "Nobody decides on a request of their own.",
        ),
        Trouble::AlreadyApproved => (
            StatusCode::CONFLICT,
            "already_approved_by_you",
            "You have approved this already, or somebody has for you: another person must.",
        ),
        Trouble::AlreadyDecided => (
            StatusCode::CONFLICT,
            "already_decided",
            "This has been decided already.",
        ),
        Trouble::NotDecided => (
            StatusCode::CONFLICT,
            "not_decided",
            "This has not been approved, so that it can't be taken back: deny it.",
        ),
        Trouble::Used => (
            StatusCode::CONFLICT,
            "used",
            "This is used up, so that it can't be taken back.",
        ),
        Trouble::Expired => (
            StatusCode::CONFLICT,
            "expired",
            "The time for this is over.",
        ),
        Trouble::ReasonRequired => (
            StatusCode::BAD_REQUEST,
            "reason_required",
            "This takes a \"reason\".",
        ),
        Trouble::NoBreakGlass => (
            StatusCode::FORBIDDEN,
            "no_break_glass",
            "You are not one of those who may set the rules aside.",
        ),
        Trouble::NoAnswer => (
            StatusCode::CONFLICT,
            "no_answer",
            "This is not about one answer.",
        ),
        Trouble::NotApproved => (
            StatusCode::CONFLICT,
            "not_approved",
            "This is not approved, or not any more.",
        ),
    };
    Refusal::new(status, code, message)
}

/// Too many of something.
pub(super) fn too_many(code: &'static str, message: &str) -> Refusal {
    Refusal::new(StatusCode::TOO_MANY_REQUESTS, code, message)
}

/// The recorder fails.
pub(super) fn not_entered() -> Refusal {
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "recorder_failing",
        "What happens to approvals is recorded, and this can't be stored now. Nothing has changed.",
    )
}

/// The desk can't take more, or its store fails.
pub(super) fn unavailable() -> Refusal {
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "store_unavailable",
        "The desk can't read or write its store.",
    )
}
