//! Servers in Python that stand behind the filter.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use testbed::http;
use testbed::process::{self, Process};
use testbed::{port, wait};

use crate::installed::command;

/// How long a server may take until it answers.
const STARTING: Duration = Duration::from_secs(90);

/// A running server. Dropping it stops it.
pub struct Server {
    process: Process,
    ports: Vec<u16>,
}

impl Server {
    /// Starts a script with a folder of its own, so many free ports, and these arguments; waits until
    /// all ports are listened on and a GET of `ready` at the first gives 200.
    pub fn start(
        python: &Path,
        script: &str,
        ports: usize,
        arguments: &[&str],
        ready: &str,
    ) -> Self {
        let ports: Vec<u16> = (0..ports).map(|_| port::free().unwrap()).collect();
        let folder = process::folder().unwrap();
        let mut command = command(python, &format!("real/servers/{script}"));
        command
            .arg(folder.path())
            .args(ports.iter().map(u16::to_string))
            .args(arguments);
        let mut process = Process::spawn_in(script, folder, command).unwrap();
        process
            .until(&format!("{script} to be ready"), STARTING, || {
                let listens = |port: &u16| wait::port(*port, Duration::ZERO).is_ok();
                ports.iter().all(listens)
                    && http::get(ports[0], ready).is_ok_and(|answer| answer.status == 200)
            })
            .unwrap();
        Self { process, ports }
    }

    /// Where it listens.
    pub fn port(&self, index: usize) -> u16 {
        self.ports[index]
    }

    /// How many requests it says came to it.
    pub fn read(&self) -> u64 {
        let answer = http::get(self.port(0), "/read").unwrap();
        answer.json()["read"].as_u64().unwrap()
    }

    /// What its models say they read, in order.
    pub fn models_read(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.process.file("read")).unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}
