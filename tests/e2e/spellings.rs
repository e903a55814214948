//! One request in many spellings, byte by byte through real Envoys: whatever some server takes for it
//! never comes to the model server where it is denied, whether or not Envoy changes paths before the
//! filter sees them.

use std::collections::BTreeMap;
use std::thread;

use serde_json::json;
use testbed::http::Response;
use testbed::http::raw::Connection;
use testbed::model::Received;
use testbed::spellings::{
    self, CLAIMS, EXACT, Fate, KEPT_OUT, LET_IN, NOT, Place, REST, Spelling, THINGS, Thing,
};

use crate::support::{Guarded, idp, policy};
use crate::versions::in_each_envoy;

in_each_envoy!(
    no_spelling_comes_through_with_paths_as_they_are,
    no_spelling_comes_through_with_normal_paths,
    no_spelling_comes_through_with_slashes_unescaped,
    plain_spellings_come_through,
);

/// By which a request at the model server is found among the spellings.
const PLACE: &str = "x-spelling";

/// Of how many spellings one is sent: an exchange is tried with all of them (`tests/spellings.rs`), and
/// Envoys with other ones each. No list of spellings is as long as a multiple of it.
const ONE_OF: usize = 7;

/// How many connections there are at a time.
const CONNECTIONS: usize = 8;

fn no_spelling_comes_through_with_paths_as_they_are(version: &str) {
    no_spelling_comes_through(version, None, 0);
}

fn no_spelling_comes_through_with_normal_paths(version: &str) {
    no_spelling_comes_through(version, Some("KEEP_UNCHANGED"), 2);
}

fn no_spelling_comes_through_with_slashes_unescaped(version: &str) {
    no_spelling_comes_through(version, Some("UNESCAPE_AND_FORWARD"), 4);
}

/// One of [`ONE_OF`] spellings; which ones differs between two versions of Envoy too.
fn chosen(version: &str, from: usize) -> impl Iterator<Item = Spelling> {
    let from = from + usize::from(version == testbed::envoy::OLDEST);
    spellings::all().into_iter().skip(from).step_by(ONE_OF)
}

/// A listener for each thing, with the policy that is about it.
fn guarded(version: &str, escaped_slashes: Option<&'static str>) -> Guarded {
    Guarded::start_with(version, &policy(&json!({})), |builder| {
        let builder = match escaped_slashes {
            Some(action) => builder.normal_paths(action),
            None => builder,
        };
        THINGS.iter().fold(builder, |builder, thing| {
            builder.listener(thing.name, policy(&thing.sections()))
        })
    })
}

fn no_spelling_comes_through(version: &str, escaped_slashes: Option<&'static str>, from: usize) {
    let guarded = guarded(version, escaped_slashes);
    let unescaped = escaped_slashes == Some("UNESCAPE_AND_FORWARD");
    let all: Vec<Spelling> = chosen(version, from)
        // There, Envoy makes another request of these before anybody can judge them.
        .filter(|one| !(unescaped && one.thing.path.contains("%2F")))
        .filter(|one| escaped_slashes.is_none() || !climbs(one))
        .collect();
    assert!(all.len() >= 800, "{}", all.len());
    let answers = send_all(&guarded, &all, KEPT_OUT);
    let mut wrong = Vec::new();
    let mut disarmed = 0;
    let received = received(&guarded, &all);
    for (index, spelling) in all.iter().enumerate() {
        let came = received.get(&index);
        let why = match (spelling.fate, came) {
            (Fate::Disarmed, Some(request)) => {
                disarmed += 1;
                claims(request).map(|claim| format!("came with {claim}"))
            }
            (Fate::Disarmed, None) => Some("did not come".to_owned()),
            (_, Some(request)) => Some(format!("came as {} {}", request.method, request.path)),
            (_, None) => answers[index].clone(),
        };
        wrong.extend(why.map(|why| told(spelling, &why)));
    }
    assert_none(&wrong, all.len());
    assert_eq!(guarded.model.begun(), disarmed, "something else came");

    // What a rule denied was judged as what that rule denies.
    let records = guarded.mesh.sessions(all.len() / 2).unwrap();
    let mut denied = 0;
    for record in &records {
        let (request, verdict) = (&record["request"], &record["verdict"]);
        let rule = verdict["rule"].as_str().unwrap_or_default();
        if verdict["code"] != "denied" {
            assert!(rule.is_empty() || rule == REST, "{record}");
            continue;
        }
        denied += 1;
        let of = |thing: &&Thing| rule.strip_prefix(NOT) == Some(thing.name);
        let thing = THINGS.iter().find(of).unwrap_or_else(|| panic!("{record}"));
        if thing.place != Place::Host {
            assert_eq!(request["operation"], thing.operation, "{record}");
            assert_eq!(request["model"], json!(thing.model), "{record}");
        }
    }
    let plain = all.iter().filter(|one| one.fate == Fate::Plain).count();
    assert!(
        denied >= plain,
        "{denied} were denied, and {plain} are plain"
    );
}

/// Whether Envoy's own normalization leads to another path than what is read without it.
fn climbs(spelling: &Spelling) -> bool {
    let ways = ["\"/..;/\"", "\"/%2e%2e%2f\"", "\"/x//../\""];
    ways.iter().any(|way| spelling.name.contains(way))
}

fn plain_spellings_come_through(version: &str) {
    let guarded = guarded(version, None);
    let all: Vec<Spelling> = chosen(version, 5)
        .filter(|one| one.fate == Fate::Plain)
        .collect();
    send_all(&guarded, &all, LET_IN);
    let received = received(&guarded, &all);
    let mut wrong = Vec::new();
    for (index, spelling) in all.iter().enumerate() {
        let why = match received.get(&index) {
            None => Some("did not come".to_owned()),
            Some(request) => claims(request)
                .map(|claim| format!("came with {claim}"))
                .or_else(|| {
                    let path = request.path.split('?').next().unwrap_or_default();
                    let arrives = spelling.arrives.as_deref().unwrap_or(path);
                    (path != arrives).then(|| format!("came as {path}"))
                }),
        };
        wrong.extend(why.map(|why| told(spelling, &why)));
    }
    assert_none(&wrong, all.len());
    for record in guarded.mesh.sessions(all.len()).unwrap() {
        assert_eq!(record["verdict"]["rule"], EXACT, "{record}");
    }
}

fn told(spelling: &Spelling, why: &str) -> String {
    let (method, target) = (&spelling.method, &spelling.target);
    format!("{}: {why} ({method} {target})", spelling.name)
}

fn assert_none(wrong: &[String], of: usize) {
    assert!(
        wrong.is_empty(),
        "{} of {of} spellings:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// What the model server got, by places among the spellings.
fn received(guarded: &Guarded, all: &[Spelling]) -> BTreeMap<usize, Received> {
    let mut found: BTreeMap<usize, Received> = BTreeMap::new();
    for request in guarded.model.received() {
        let place = request
            .header(PLACE)
            .and_then(|text| text.parse::<usize>().ok());
        let place = place.unwrap_or_else(|| panic!("nobody sent {request:?}"));
        assert!(place < all.len(), "nobody sent {request:?}");
        assert!(
            found.insert(place, request).is_none(),
            "{} came twice",
            all[place].name
        );
    }
    found
}

/// What is left in a request by which a framework takes it for another one.
fn claims(request: &Received) -> Option<String> {
    let names = request
        .headers
        .iter()
        .map(|(name, _)| name.replace('_', "-"));
    let mut claims = names.filter(|name| CLAIMS.contains(&name.as_str()));
    let path = request.path.to_ascii_lowercase();
    let path = path.replace("%5f", "_").replace("%6d", "m");
    let query = || path.contains("_method").then(|| request.path.clone());
    claims.next().or_else(query)
}

/// Sends all on a few connections that are kept; gives of each what is wrong with its answer, if it
/// should be a refusal.
fn send_all(guarded: &Guarded, all: &[Spelling], group: &str) -> Vec<Option<String>> {
    let token = idp().good("ana", &[group]);
    let share = all.len().div_ceil(CONNECTIONS);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS)
            .map(|thread| {
                let token = &token;
                scope.spawn(move || {
                    let own = all.iter().enumerate().skip(thread * share).take(share);
                    let mut sender = Sender::new(guarded, token);
                    own.map(|(place, spelling)| sender.send(place, spelling))
                        .collect::<Vec<Option<String>>>()
                })
            })
            .collect();
        let answers = threads.into_iter().flat_map(|one| one.join().unwrap());
        answers.collect()
    })
}

/// Sends spellings one after another.
struct Sender<'a> {
    guarded: &'a Guarded,
    token: &'a str,
    /// The connection that is open, and to which listener.
    open: Option<(&'static str, Connection)>,
}

impl<'a> Sender<'a> {
    fn new(guarded: &'a Guarded, token: &'a str) -> Self {
        Self {
            guarded,
            token,
            open: None,
        }
    }

    /// Gives what is wrong with the answer, if it should be a refusal.
    fn send(&mut self, place: usize, spelling: &Spelling) -> Option<String> {
        let listener = spelling.thing.name;
        // Nothing follows the head of an answer to HEAD, whatever its length says.
        let alone = spelling.method.eq_ignore_ascii_case("HEAD");
        let kept = self
            .open
            .take()
            .filter(|(own, _)| *own == listener && !alone);
        let bytes = bytes(place, spelling, self.token, alone);
        let answer = match kept {
            Some((_, mut kept)) => exchange(&mut kept, &bytes).map(|answer| (answer, kept)),
            None => Err(String::new()),
        };
        // Envoy may have closed a connection that was kept, before it read this from it.
        let answer = answer.or_else(|_| {
            let mut fresh = Connection::open(self.guarded.mesh.port_of(listener).unwrap()).unwrap();
            exchange(&mut fresh, &bytes).map(|answer| (answer, fresh))
        });
        // Some heads make Envoy hang up without a word.
        let (answer, connection) = answer.ok()?;
        let closes = answer.header("connection") == Some("close") || answer.broken.is_some();
        if !closes && !alone {
            self.open = Some((listener, connection));
        }
        // A refusal of what says that it is gRPC has its status in a header.
        let refused = match answer.header("grpc-status") {
            Some(status) => status != "0",
            None => matches!(answer.status, 400..=499),
        };
        (!refused).then(|| format!("was answered with {}", answer.status))
    }
}

fn exchange(connection: &mut Connection, bytes: &[u8]) -> Result<Response, String> {
    connection.send(bytes)?;
    connection.response()
}

/// A spelling as it is sent.
fn bytes(place: usize, spelling: &Spelling, token: &str, close: bool) -> Vec<u8> {
    let mut head = format!(
        "{} {} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n{PLACE}: {place}\r\n",
        spelling.method, spelling.target, spelling.host,
    );
    for (name, value) in &spelling.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(body) = &spelling.body {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    if close {
        head.push_str("connection: close\r\n");
    }
    head.push_str("\r\n");
    let body = spelling.body.as_deref().unwrap_or_default();
    [head.as_bytes(), body].concat()
}
