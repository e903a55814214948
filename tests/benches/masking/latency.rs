//! Token by token: sixteen streams at once, each of which the upstream adds a token to every ten
//! milliseconds; when does the client have them?
//!
//! A gap is the time between two events at the client. A filter that has to see what follows a
//! word holds its event back until the next token; that is in the times to the first text and in
//! the gaps, and it is the text's doing. What the filter itself takes is the way: the time between
//! the write that let an event go and its arrival.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use testbed::prose::Prose;

use crate::bodies::{self, Workload};
use crate::link::{Link, Script, Socket, chunk};
use crate::table::part;
use crate::variants::Variant;

const STREAMS: usize = 16;

/// How many tokens a stream has.
const TOKENS: usize = 200;

/// The time between two tokens of a stream.
const PACE: Duration = Duration::from_millis(10);

const PATIENCE: Duration = Duration::from_secs(60);

/// What was seen of a variant in one round, in milliseconds.
#[derive(Default)]
struct Seen {
    first_event: Vec<f64>,
    first_text: Vec<f64>,
    gaps: Vec<f64>,
    ways: Vec<f64>,
}

/// One stream, on both sides.
struct Stream {
    client: Socket,
    server: Option<Socket>,
    asked: Option<Instant>,
    /// When to ask, and then when the next token is due.
    due: Instant,
    sent: usize,
    written: Instant,
    arrived: Vec<(Instant, Duration)>,
    last: u8,
    tail: Vec<u8>,
    text: Option<Instant>,
    done: bool,
}

/// Measures and prints.
///
/// # Errors
/// When a stream fails.
pub fn measure(
    links: &mut [(Variant, Link)],
    request: &dyn Fn(usize) -> Vec<u8>,
    rounds: u32,
) -> Result<(), String> {
    let taking_part = [Variant::Bare, Variant::PassThrough, Variant::Portcullis];
    let mut seen: Vec<(Variant, Vec<Seen>)> = taking_part
        .into_iter()
        .map(|variant| (variant, Vec::new()))
        .collect();
    for (variant, link) in links.iter_mut() {
        if taking_part.contains(variant) {
            warm_up(link, request).map_err(|why| format!("{}: {why}", variant.name()))?;
        }
    }
    for round in 0..rounds {
        for (variant, rounds) in &mut seen {
            let Some((_, link)) = links.iter_mut().find(|(one, _)| one == variant) else {
                continue;
            };
            let streams = run(link, request, u64::from(round))
                .map_err(|why| format!("{}: {why}", variant.name()))?;
            let mut seen = Seen::default();
            for stream in streams {
                seen.add(&stream);
            }
            rounds.push(seen);
        }
    }
    print(&seen);
    Ok(())
}

/// V8 compiles twice: quickly, and better what is used often. An Envoy that has served for a while
/// is past that.
fn warm_up(link: &mut Link, request: &dyn Fn(usize) -> Vec<u8>) -> Result<(), String> {
    for (workload, times) in [(Workload::Nothing, 50), (Workload::EventByEvent, 1)] {
        let script = Script::new(&workload.body());
        for _ in 0..times {
            link.exchange(request, &script, STREAMS, false)?;
        }
    }
    Ok(())
}

fn print(seen: &[(Variant, Vec<Seen>)]) {
    println!(
        "\n{}: {STREAMS} streams of {TOKENS} tokens, one every {PACE:?}; milliseconds, p50 and p99 of \
         the quietest round; goal: 0.3 added to a p99",
        crate::TOKENS
    );
    let row = |name: &str, columns: [String; 4]| {
        let columns = columns.map(|column| format!("{column:>20}")).concat();
        println!("  {name:30}{columns}");
    };
    let titles = ["to the first event", "to the first text", "gaps", "way"];
    row("", titles.map(str::to_owned));
    let numbers: [fn(&Seen) -> &[f64]; 4] = [
        |seen| &seen.first_event,
        |seen| &seen.first_text,
        |seen| &seen.gaps,
        |seen| &seen.ways,
    ];
    for (variant, rounds) in seen {
        let pair = |of| format!("{:.2} {:.2}", least(rounds, of, 50), least(rounds, of, 99));
        row(variant.name(), numbers.map(pair));
    }
    let (Some((_, bare)), Some((_, own))) = (seen.first(), seen.last()) else {
        return;
    };
    let added = |of| format!("{:.2}", least(own, of, 99) - least(bare, of, 99));
    row("added to the p99 by portcullis", numbers.map(added));
}

/// The number that so many percent do not exceed, in the round where it is least: whatever else
/// runs on the machine only adds to it.
fn least(rounds: &[Seen], of: fn(&Seen) -> &[f64], percent: usize) -> f64 {
    let rounds = rounds.iter().map(|seen| part(of(seen), percent));
    rounds.fold(f64::INFINITY, f64::min)
}

impl Seen {
    fn add(&mut self, stream: &Stream) {
        let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
        let Some(asked) = stream.asked else { return };
        if let Some((first, _)) = stream.arrived.first() {
            self.first_event.push(milliseconds(*first - asked));
        }
        if let Some(text) = stream.text {
            self.first_text.push(milliseconds(text - asked));
        }
        for pair in stream.arrived.windows(2) {
            if let [(one, _), (two, _)] = pair {
                self.gaps.push(milliseconds(*two - *one));
            }
        }
        let ways = stream.arrived.iter().map(|(_, way)| milliseconds(*way));
        self.ways.extend(ways);
    }
}

/// The chunks of a stream: the one that says who speaks, the words, the end.
fn tokens(seed: u64) -> Vec<Vec<u8>> {
    let text = Prose::new(seed).take(TOKENS * 16);
    let mut tokens = vec![chunk(bodies::event("").as_bytes())];
    // A word comes with the space in front of it, as tokenizers cut.
    let starts: Vec<usize> = text.match_indices(' ').map(|(at, _)| at).collect();
    let mut from = 0;
    for at in starts.into_iter().take(TOKENS) {
        let word = text.get(from..at).unwrap_or_default();
        tokens.push(chunk(bodies::event(word).as_bytes()));
        from = at;
    }
    tokens.push([chunk(b"data: [DONE]\n\n").as_slice(), b"0\r\n\r\n"].concat());
    tokens
}

fn run(
    link: &mut Link,
    request: &dyn Fn(usize) -> Vec<u8>,
    round: u64,
) -> Result<Vec<Stream>, String> {
    let said = |error: std::io::Error| format!("a connection failed: {error}");
    let port = link.mesh.port();
    let scripts: Vec<Vec<Vec<u8>>> = (0..STREAMS as u64)
        .map(|stream| tokens(round * STREAMS as u64 + stream))
        .collect();
    let begin = Instant::now() + Duration::from_millis(5);
    let mut streams = Vec::new();
    for stream in 0..u32::try_from(STREAMS).unwrap_or(0) {
        streams.push(Stream {
            client: Socket::connect(port).map_err(said)?,
            server: None,
            asked: None,
            due: begin + PACE * stream / u32::try_from(STREAMS).unwrap_or(1),
            sent: 0,
            written: begin,
            arrived: Vec::new(),
            last: 0,
            tail: Vec::new(),
            text: None,
            done: false,
        });
    }
    link.forget_servers();
    let mut strangers: Vec<(Socket, Vec<u8>)> = Vec::new();
    let mut room = vec![0; 64 << 10];
    while streams.iter().any(|stream| !stream.done) {
        greet(link.accepting(), &mut strangers, &mut streams, &mut room).map_err(said)?;
        for (index, stream) in streams.iter_mut().enumerate() {
            let script = scripts.get(index).map_or(&[][..], Vec::as_slice);
            stream.advance(&request(index), script, &mut room)?;
        }
        if begin.elapsed() > PATIENCE {
            let log = link.mesh.log_tail();
            return Err(format!("the streams do not end\n{log}"));
        }
    }
    Ok(streams)
}

/// Takes Envoy's connections, and finds out whose they are.
fn greet(
    listener: &TcpListener,
    strangers: &mut Vec<(Socket, Vec<u8>)>,
    streams: &mut [Stream],
    room: &mut [u8],
) -> std::io::Result<()> {
    match listener.accept() {
        Ok((stream, _)) => strangers.push((Socket::new(stream)?, Vec::new())),
        Err(error) if error.kind() == ErrorKind::WouldBlock => {}
        Err(error) => return Err(error),
    }
    for index in (0..strangers.len()).rev() {
        let Some((socket, asked)) = strangers.get_mut(index) else {
            continue;
        };
        let count = socket.read(room)?;
        asked.extend_from_slice(room.get(..count).unwrap_or_default());
        let Some(client) = crate::link::asking(asked) else {
            continue;
        };
        let (mut socket, _) = strangers.swap_remove(index);
        socket.send(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
              connection: close\r\ntransfer-encoding: chunked\r\n\r\n",
        );
        socket.write()?;
        if let Some(stream) = streams.get_mut(client) {
            stream.server = Some(socket);
            stream.due = Instant::now();
        }
    }
    Ok(())
}

impl Stream {
    fn advance(
        &mut self,
        request: &[u8],
        script: &[Vec<u8>],
        room: &mut [u8],
    ) -> Result<(), String> {
        let said = |error: std::io::Error| format!("a connection failed: {error}");
        if self.asked.is_none() {
            if Instant::now() < self.due {
                return Ok(());
            }
            self.client.send(request);
            self.client.write().map_err(said)?;
            self.asked = Some(Instant::now());
        }
        if self.done {
            return Ok(());
        }
        let now = Instant::now();
        if let (Some(server), Some(token)) = (&mut self.server, script.get(self.sent))
            && now >= self.due
        {
            server.send(token);
            self.written = Instant::now();
            server.write().map_err(said)?;
            self.sent = self.sent.saturating_add(1);
            self.due += PACE;
        }
        let count = self.client.read(room).map_err(said)?;
        let now = Instant::now();
        for byte in room.get(..count).unwrap_or_default() {
            if self.last == b'\n' && *byte == b'\n' {
                let way = now.saturating_duration_since(self.written);
                self.arrived.push((now, way));
                if self.arrived.len() == 2 {
                    self.text = Some(now);
                }
            }
            self.last = *byte;
            self.tail.push(*byte);
        }
        if self.tail.ends_with(b"\r\n0\r\n\r\n") {
            let ok = self.tail.starts_with(b"HTTP/1.1 200 ");
            self.done = true;
            return match ok {
                true => Ok(()),
                false => Err(String::from_utf8_lossy(&self.tail).into_owned()),
            };
        }
        Ok(())
    }
}
