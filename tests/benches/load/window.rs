//! One measurement: load on an Envoy for a while, and what the Envoy used for it.

use std::net::{Ipv4Addr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use testbed::mesh::Mesh;

use crate::cpu::Used;
use crate::peer::Peer;
use crate::upstream::Upstream;

/// How many requests are under way at once, each on a connection of its own.
const CONNECTIONS: usize = 16;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What one window showed.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Envoy's time on the processors for one request, in microseconds.
    pub cpu: f64,
    /// Requests that were answered in a second.
    pub rate: f64,
}

impl Sample {
    /// What the quietest tenth of some windows keeps to. Whatever else runs on the machine only
    /// adds to the time, and never to all windows alike.
    pub fn quiet(windows: &[Self]) -> Self {
        Self {
            cpu: tenth(windows.iter().map(|window| window.cpu)),
            rate: -tenth(windows.iter().map(|window| -window.rate)),
        }
    }
}

/// The number that a tenth of all do not exceed.
fn tenth(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = numbers.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 10).copied().unwrap_or(f64::NAN)
}

/// An Envoy under load, with what is on both sides of it.
pub struct Target {
    process: u32,
    mesh: Mesh,
    upstream: Upstream,
    clients: Vec<Peer>,
    sent: usize,
}

impl Target {
    /// Connects to an Envoy, which has this upstream.
    ///
    /// # Errors
    /// When Envoy does not take a connection.
    pub fn new(mesh: Mesh, upstream: Upstream) -> std::io::Result<Self> {
        let clients = (0..CONNECTIONS)
            .map(|_| Peer::new(TcpStream::connect((Ipv4Addr::LOCALHOST, mesh.port()))?))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            process: mesh.id(),
            mesh,
            upstream,
            clients,
            sent: 0,
        })
    }

    /// Sends requests in turn, on from where the last window ended, for as long as `length`.
    /// All connections are sent one each, and the next ones when all are answered: so Envoy
    /// finds the same number of requests waiting whatever it does with them.
    ///
    /// # Errors
    /// When an answer is missing or is not 200, or the time can't be read.
    pub fn window(&mut self, requests: &[Vec<u8>], length: Duration) -> Result<Sample, String> {
        let before = Used::now(self.process)?;
        let start = Instant::now();
        let mut count: u32 = 0;
        while start.elapsed() < length {
            self.batch(requests)?;
            count = count.saturating_add(u32::try_from(CONNECTIONS).unwrap_or(u32::MAX));
        }
        let elapsed = start.elapsed();
        let used = Used::now(self.process)?.since(&before)?;
        Ok(Sample {
            cpu: used.as_secs_f64() * 1e6 / f64::from(count),
            rate: f64::from(count) / elapsed.as_secs_f64(),
        })
    }

    /// The Envoy itself.
    #[allow(
        dead_code,
        reason = "one of the benches that share this asks Envoy what it counted"
    )]
    pub fn mesh(&self) -> &Mesh {
        &self.mesh
    }

    /// Sends each request once, and some of the first ones again where the last batch has room.
    ///
    /// # Errors
    /// When an answer is missing or is not 200.
    #[allow(
        dead_code,
        reason = "one of the benches that share this fills a table first"
    )]
    pub fn each(&mut self, requests: &[Vec<u8>]) -> Result<(), String> {
        self.sent = 0;
        for _ in 0..requests.len().div_ceil(CONNECTIONS) {
            self.batch(requests)?;
        }
        Ok(())
    }

    fn batch(&mut self, requests: &[Vec<u8>]) -> Result<(), String> {
        let said = |error: std::io::Error| format!("a connection failed: {error}");
        for client in &mut self.clients {
            let turn = self.sent.checked_rem(requests.len()).unwrap_or(0);
            let request = requests.get(turn).ok_or("there are no requests to send")?;
            client.send(request).map_err(said)?;
            self.sent = turn.saturating_add(1);
        }
        let start = Instant::now();
        let mut waiting: Vec<&mut Peer> = self.clients.iter_mut().collect();
        while !waiting.is_empty() {
            self.upstream.serve().map_err(said)?;
            let mut unanswered = Vec::with_capacity(waiting.len());
            for client in waiting {
                match client.message().map_err(said)? {
                    Some(answer) if answer.starts_with(b"HTTP/1.1 200 ") => {}
                    Some(answer) => {
                        let answer = String::from_utf8_lossy(&answer);
                        return Err(format!("{answer}\n{}", self.mesh.log_tail()));
                    }
                    None => unanswered.push(client),
                }
            }
            waiting = unanswered;
            if start.elapsed() > PATIENCE {
                let log = self.mesh.log_tail();
                return Err(format!("no answer for {PATIENCE:?}\n{log}"));
            }
            thread::yield_now();
        }
        Ok(())
    }
}
