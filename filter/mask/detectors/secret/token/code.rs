//! Forges, package registries and build services.

use super::row::{Form, Length, Row, hexadecimal, lower_or_digit, upper_or_digit, word};
use crate::detectors::detect::{alphanumeric, base64url};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "secret.github_token",
        label: "GITHUB_TOKEN",
        forms: &[
            // "Authenticating to GitHub", token formats. The longer ones of apps hold a JWT.
            Form {
                prefixes: &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
                class: word,
                length: Length::From(36, b"-."),
            },
            Form {
                prefixes: &["github_pat_"],
                class: word,
                length: Length::From(22, b""),
            },
        ],
    },
    Row {
        name: "secret.gitlab_token",
        label: "GITLAB_TOKEN",
        forms: &[
            // "Token overview", token prefixes. Routable tokens have parts with dots between.
            Form {
                prefixes: &[
                    "glpat-", "gloas-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glimt-",
                    "glagent-", "glsoat-", "glffct-",
                ],
                class: base64url,
                length: Length::From(20, b"."),
            },
        ],
    },
    Row {
        name: "secret.package_token",
        label: "PACKAGE_TOKEN",
        forms: &[
            // npm, RubyGems, crates.io, Docker Hub.
            Form {
                prefixes: &["npm_"],
                class: alphanumeric,
                length: Length::From(36, b""),
            },
            Form {
                prefixes: &["rubygems_"],
                class: hexadecimal,
                length: Length::From(48, b""),
            },
            Form {
                prefixes: &["cio"],
                class: alphanumeric,
                length: Length::Exactly(32),
            },
            Form {
                prefixes: &["dckr_pat_", "dckr_oat_"],
                class: base64url,
                length: Length::From(20, b""),
            },
            // PyPI: a macaroon in base64url. Clojars. Artifactory. NuGet.
            Form {
                prefixes: &["pypi-"],
                class: base64url,
                length: Length::From(50, b""),
            },
            Form {
                prefixes: &["CLOJARS_"],
                class: alphanumeric,
                length: Length::From(60, b""),
            },
            Form {
                prefixes: &["AKCp", "cmVmd"],
                class: alphanumeric,
                length: Length::From(59, b""),
            },
            Form {
                prefixes: &["oy2"],
                class: lower_or_digit,
                length: Length::Exactly(43),
            },
        ],
    },
    Row {
        name: "secret.build_token",
        label: "BUILD_TOKEN",
        forms: &[
            // Bitbucket, Atlassian: API tokens.
            Form {
                prefixes: &["ATATT3", "ATCTT3", "ATBB"],
                class: base64url,
                length: Length::From(32, b"="),
            },
            // Buildkite, CircleCI, Codecov, Snyk, SonarQube, Sourcegraph.
            Form {
                prefixes: &["bkua_", "bkpi_"],
                class: hexadecimal,
                length: Length::From(40, b""),
            },
            Form {
                prefixes: &["CCIPAT_", "CCIPRJ_"],
                class: word,
                length: Length::From(30, b""),
            },
            Form {
                prefixes: &["squ_", "sqp_", "sqa_"],
                class: hexadecimal,
                length: Length::From(40, b""),
            },
            Form {
                prefixes: &["sgp_"],
                class: word,
                length: Length::From(40, b""),
            },
            // Pulumi, Octopus Deploy, Harness, Prefect, Infracost.
            Form {
                prefixes: &["pul-"],
                class: hexadecimal,
                length: Length::From(40, b""),
            },
            Form {
                prefixes: &["API-"],
                class: upper_or_digit,
                length: Length::Exactly(26),
            },
            Form {
                prefixes: &["pnu_"],
                class: alphanumeric,
                length: Length::From(36, b""),
            },
            Form {
                prefixes: &["ico-"],
                class: alphanumeric,
                length: Length::Exactly(32),
            },
        ],
    },
];

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    (
        concat!("ghp_", "16C7e42F292c6912E7710c838347Ae178B4a gho_x"),
        "[GITHUB_TOKEN] gho_x",
    ),
    (
        concat!(
            "github_",
            "pat_11ABCDEFG0123456789abc_defghijklmnopqrstuvwxyz0123456789."
        ),
        "[GITHUB_TOKEN].",
    ),
    (
        concat!("ghs_", "16C7e42F292c6912E7710c838347Ae178B4a.eyJh.b-c!"),
        "[GITHUB_TOKEN]!",
    ),
    (
        concat!("\\nghp_", "16C7e42F292c6912E7710c838347Ae178B4a"),
        "\\n[GITHUB_TOKEN]",
    ),
    (concat!("glpat-", "0123456789_abcdefghi-"), "[GITLAB_TOKEN]"),
    (
        concat!("glrt-", "0123456789abcdefghijklmno.01.0x2y3z4, "),
        "[GITLAB_TOKEN], ",
    ),
    (
        concat!("npm_", "0123456789abcdefghijABCDEFGHIJ0123456789"),
        "[PACKAGE_TOKEN]",
    ),
    (
        concat!(
            "pypi-",
            "AgEIcHlwaS5vcmc0123456789abcdefghijABCDEFGHIJ0123456789-_."
        ),
        "[PACKAGE_TOKEN].",
    ),
    (
        concat!("dckr_pat_", "0123456789abcdefghij-_klmno"),
        "[PACKAGE_TOKEN]",
    ),
    (
        concat!(
            "ATATT3",
            "xFfGF00123456789abcdefghijABCDEFGHIJ0123456789=0123"
        ),
        "[BUILD_TOKEN]",
    ),
    (
        concat!("pul-", "0123456789abcdef0123456789abcdef01234567"),
        "[BUILD_TOKEN]",
    ),
    (concat!("ghp_", "16C7e42F"), concat!("ghp_", "16C7e42F")),
    (
        concat!("xghp_", "16C7e42F292c6912E7710c838347Ae178B4a"),
        concat!("xghp_", "16C7e42F292c6912E7710c838347Ae178B4a"),
    ),
    (concat!("glpat-", "short"), concat!("glpat-", "short")),
    ("npm_config_registry", "npm_config_registry"),
    (
        "npm_lifecycle_event and npm_package_name",
        "npm_lifecycle_event and npm_package_name",
    ),
    ("pypi-simple-server", "pypi-simple-server"),
    ("cio0123456789", "cio0123456789"),
    ("API-KEY", "API-KEY"),
];
