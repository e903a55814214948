//! Passwords in the addresses of services and databases.
//!
//! Source: RFC 3986, 3.2 (user information in front of the host), and each database's
//! description of its connection strings.
//!
//! Validation, of `secret.url_credentials`: what stands between `://` and the last `@` of the
//! authority, with a colon and something behind it, or of 16 characters and more with a digit.
//! Of `secret.database_url`: the scheme of a database or queue, user information with a
//! password, and then the whole address, as a host's name is worth hiding too.
//! Whole: no letter or digit in front of the scheme.
//!
//! Bound: user information of 256 bytes, a host of the same length, and one byte. The rest of a
//! database's address is masked as it arrives.

use crate::detectors::detect::{Detect, Hit, Miss, Start, Tail, Window, hit};

const MAX_PART_BYTES: usize = 256;
/// A scheme, `://`, a colon and a password, an at sign, a host.
const MIN_DATABASE_URL_BYTES: usize = 10;
const MIN_TOKEN_BYTES: usize = 16;
/// A colon, a password, and an at sign behind them.
const MIN_USER_BYTES: usize = 3;

pub(super) struct UrlCredentials;

pub(super) struct DatabaseUrl;

/// The schemes of databases and queues, with what stands behind them.
const DATABASES: &[&str] = &[
    "postgres://",
    "postgresql://",
    "postgresql+",
    "mysql://",
    "mysql+",
    "mariadb://",
    "mongodb://",
    "mongodb+srv://",
    "redis://",
    "rediss://",
    "amqp://",
    "amqps://",
    "mssql://",
    "mssql+",
    "sqlserver://",
    "oracle://",
    "oracle+",
    "clickhouse://",
    "cockroachdb://",
    "cassandra://",
    "neo4j://",
    "neo4j+s://",
    "bolt://",
    "couchbase://",
    "couchbases://",
    "snowflake://",
    "redshift://",
    "memcached://",
    "nats://",
    "kafka://",
    "valkey://",
    "ldap://",
    "ldaps://",
];

/// The longest driver behind a plus sign.
const MAX_DRIVER_BYTES: usize = 24;

/// The rest of a database's address.
const REST: Tail = Tail::Run {
    class: |byte| byte.is_ascii_alphanumeric() || b"/-_%=&~+@#$*".contains(&byte),
    joiners: b".,?;:!",
};

/// What user information and hosts are written with.
fn authority(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:@".contains(&byte)
}

/// How long the user information at `from` is, its at sign not counted, if there is one.
fn user_information(window: &Window<'_>, from: usize) -> Result<Option<usize>, Miss> {
    // Most addresses have none, and their hosts are short.
    let run = window.run(from, MAX_PART_BYTES + 1, authority)?;
    let text = window.slice(from, run);
    Ok(text.iter().rposition(|byte| *byte == b'@'))
}

/// Whether there is a password among the bytes.
fn password(user: &[u8]) -> bool {
    let colon = user.iter().position(|byte| *byte == b':');
    colon.is_some_and(|at| at + 1 < user.len())
}

impl Detect for UrlCredentials {
    fn starts(&self, first: u8) -> Start {
        if authority(first) && first != b'@' {
            Start::Edge
        } else {
            Start::Never
        }
    }

    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        let authority = window.behind.byte() == Some(b'/');
        if !authority || !window.behind.backwards().take(3).eq(*b"//:") {
            return Err(Miss::No);
        }
        let len = user_information(window, 0)?.ok_or(Miss::No)?;
        let user = window.slice(0, len);
        let token =
            len >= MIN_TOKEN_BYTES && user.iter().any(u8::is_ascii_digit) && !user.contains(&b'.');
        if password(user) || token {
            Ok(hit(len))
        } else {
            Err(Miss::No)
        }
    }

    fn run(&self) -> usize {
        MIN_USER_BYTES
    }

    fn bound(&self) -> usize {
        MAX_PART_BYTES + 1
    }
}

impl Detect for DatabaseUrl {
    fn starts(&self, first: u8) -> Start {
        let mut schemes = DATABASES.iter();
        if schemes.any(|scheme| scheme.as_bytes().first() == Some(&first)) {
            Start::Edge
        } else {
            Start::Never
        }
    }

    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        let mut from = None;
        for scheme in DATABASES {
            if window.literal(0, scheme.as_bytes())? {
                from = Some(scheme.len());
                break;
            }
        }
        let mut from = from.ok_or(Miss::No)?;
        if window.slice(0, from).ends_with(b"+") {
            from += window.run(from, MAX_DRIVER_BYTES, |b| {
                b.is_ascii_alphanumeric() || b == b'_'
            })?;
            if !window.literal(from, b"://")? {
                return Err(Miss::No);
            }
            from += 3;
        }
        let len = user_information(window, from)?.ok_or(Miss::No)?;
        if !password(window.slice(from, len)) {
            return Err(Miss::No);
        }
        Ok(Hit {
            len: from + len + 1,
            tail: Some(REST),
        })
    }

    fn run(&self) -> usize {
        MIN_DATABASE_URL_BYTES
    }

    fn bound(&self) -> usize {
        MAX_DRIVER_BYTES + 20 + MAX_PART_BYTES + 1
    }
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    (
        "https://jane:pa55@example.com/x",
        "https://[URL_CREDENTIALS]@example.com/x",
    ),
    ("ftp://:p@host/", "ftp://[URL_CREDENTIALS]@host/"),
    (
        "git clone https://0123456789abcdefghij@example.com",
        "git clone https://[URL_CREDENTIALS]@example.com",
    ),
    ("http://a:p@ss:w0rd@b", "http://[URL_CREDENTIALS]@b"),
    (
        "postgres://app:pa55@db.internal:5432/app?sslmode=require.",
        "[DATABASE_URL].",
    ),
    (
        "url=mongodb+srv://u:p%40@a.example,b.example/x&y",
        "url=[DATABASE_URL]",
    ),
    ("redis://:secret@cache \n", "[DATABASE_URL] \n"),
    ("\"mysql+pymysql://u:p@h/d\"", "\"[DATABASE_URL]\""),
    ("jdbc:postgresql://u:p@h", "jdbc:[DATABASE_URL]"),
    (
        "https://example.com:80/a:b@c",
        "https://example.com:80/a:b@c",
    ),
    ("https://jane@b", "https://jane@b"),
    ("https://jane:@b", "https://jane:@b"),
    ("https://${USER}:${PASS}@b", "https://${USER}:${PASS}@b"),
    ("postgres://db.internal/app", "postgres://db.internal/app"),
    ("postgres://app@db/app", "postgres://app@db/app"),
    ("mysql+", "mysql+"),
    ("//a:b@c", "//a:b@c"),
];
