//! Known answers, to find out what the host's cryptography can do before a token depends on it.
//!
//! The keys were made for this, and their private halves thrown away. All signatures are over
//! [`MESSAGE`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::exchange::Algorithm;

/// What is signed.
const MESSAGE: &[u8] = b"portcullis";

const RSA: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAtuBSXQFx4AmdlE/rCtVIkKRj0Ihw5dcMhZUE3Ipb/HUms5y8fSrWFVufHaCvV7yHV/b5OZKrVHM2bvEvOc+B46jn3mpCIGnsIUEPt5S3mgqtsBL+C4fn2krtsYmdhXCA0Kr+GVFOY5ND5IvScbYvw4Fgep8Q7MRMYez4zkm/58cWehc+d7/O1bJpdLhkcz5vp+ELus8npO5Qvp++kX8M2+2/IOIqGGfgFOa4+z8yApJJng5aZKIy2/YxpI6K55i4tF7mo/1LozHtC9LYNJ1XD2qXCZZuTpwSpUwZQvbyZSO9UJOwCTx9khMt1SiO+wfd5qqSmov0qrJ7L7I/9BhQlwIDAQAB";

const P256: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE0XuRCH57zMjzxNA37QRP6sACYSaMMuZCsElZlhSjQ5Xgb/z/ZoKSh4yJFMen/RJVniTvwRJQ0rDnglCWW1COHA==";

const P384: &str = "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEkVNwlREM501cI5u5VCOM0t4n8583sJAZ+zW+rIgvyvOHZR1AEiOgZ8HScA0JBsZcq/WSu/Au0oY37AdcwkjKo+cFWy46J+6ksEjJ09O72Cxu7DGH/UTg1E5nxezQokl+";

const ANSWERS: [(Algorithm, &str, &str); 5] = [
    (
        Algorithm::Rs256,
        RSA,
        "j97if1VPkvl+B7zoWyAZeXSMTf7wfNbOsIPzhHzpMVHHT2kaetVzeES3SPh0qTLqh8XSM0+0CHEBPp6HDnGXw2OLeJKDoFJaXZ8OQoXQYjh71601AMXe99EVOvn2O6g8lfnG3iZm+fXEd+nPwrS/xgbEXN1Tf9ODI+AA7tshKIu+ud12t9mc05ciig23OmvRQM5d2F2TC4DvOIiQVWZ3VrYY9OYYB8Jc7541rbPh+VP5Aj+OAJobdiWT5ObTpBYrIXFGDc4sClyf2Wo3GIJHZ0vujvXIXve4+Z7pl+edGD57vCLbHkloE7Ol4qmkSeKctOe1sqTSnETda2kAuLL+sQ==",
    ),
    (
        Algorithm::Rs384,
        RSA,
        "OXzHDX1A9IyVWI2w8o/yI3HX0le+ESvDMkjnlN/2x6J/UkMfLtn6bEJ8dYz/AJOJN7izH5DSXkpWu970nU2K2mSUkKTiqVJBGg+qwY4x8m/1lAAIx1ZtvA9Qy0sNNYBmq5OqhndtFl6IFlItaRc5H8omQ691wyQUikd92a55PyeyAag4lblaM/10iYB0I9HRVAWB/nLIkgID76yDQdSRM+w/EbRB3TBZtpZmjLK+0OoTHsG1Sc24/7RQQOJTXPeJB95LVcIX3eq6CW1BWz5ZE+PfQ0Jz0qawCUCCJFUgIhnAz1Dq06M9TMQCf8UbAUpMBUhxR8o94pTUZZPL+YU7vg==",
    ),
    (
        Algorithm::Rs512,
        RSA,
        "Yi4L15flZ8fgDroYgtppFuzHJHrdD+TvOArsk6TUoM4WCCDB/sV7isEgLNHyRlETnHHvw2VIMRfkIjSLJlrc+8ALwlIWI55MqZdeRuLVfIYwrhwkv6+Vy5P/p4vFd3kFSYeK1eO2c8QXOcPLJ2lFACqcit0wEwj/km5TXggwCSDkrFexDpjeDJuHDB6qsDBQJ2N4Djxp3u7Kx8Cvu/PRfcGbXBo8hTt/A3OtqCDZ59MRrHqG1cq8bB/XLZ9qy4kHFZM27h+U4niAIc3VV6pk5d1HXV7ufNUF36KZmoTuHdCWN3yW6gkljAxDQpx3VN2Zli6uVPjO/tkk3q1roifQeQ==",
    ),
    (
        Algorithm::Es256,
        P256,
        "MEYCIQCTV4EfZ6gMBnEdiGbhqsgpSPSDQZ+0B2Fjkq7N3IkplAIhALOPhwvkV3ck0b1ZUyeSJFEYVrYeFJlE7r8EfZWCumDP",
    ),
    (
        Algorithm::Es384,
        P384,
        "MGUCMQCH9QcS2PlFPzp2ylPoeLBwW8W+AreDG3Jt/D0eG9XZtz2Xi1dee5dSRbvL5h3J7MgCMEO6mmHQFmT3+CISzCGGFpy5BtzXZa4JxJxZORGC6sOsaiWxEFtTdPhF+Js8Z1bCgA==",
    ),
];

/// The algorithms for which `verify` (algorithm, key, message, signature) takes a good signature
/// and refuses one over something else.
pub(super) fn covered(verify: impl Fn(Algorithm, &[u8], &[u8], &[u8]) -> bool) -> Vec<Algorithm> {
    ANSWERS
        .iter()
        .filter(|(algorithm, key, signature)| {
            let (Ok(key), Ok(signature)) = (STANDARD.decode(key), STANDARD.decode(signature))
            else {
                return false;
            };
            verify(*algorithm, &key, MESSAGE, &signature)
                && !verify(*algorithm, &key, b"Portcullis", &signature)
        })
        .map(|(algorithm, ..)| *algorithm)
        .collect()
}
