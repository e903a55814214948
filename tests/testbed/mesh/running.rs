//! A mesh that runs, and what can be asked of it.

use serde_json::Value;

use super::shared::Lease;
use super::view::{self, Stats};
use crate::nested;
use crate::process::Process;

/// Who serves a mesh.
#[derive(Debug)]
pub(super) enum Running {
    Alone(Process),
    Shared(Lease),
}

/// A running Envoy. Dropping it stops it, or what it did for this mesh.
#[derive(Debug)]
pub struct Mesh {
    pub(super) envoy: Running,
    pub(super) admin_port: u16,
    pub(super) listeners: Vec<(String, u16)>,
}

impl Mesh {
    /// The port of the shipped listener.
    #[must_use]
    pub fn port(&self) -> u16 {
        // Envoy lists them in the configuration's order.
        self.listeners.first().map_or(0, |(_, port)| *port)
    }

    /// The port of a listener that was added, if there is one of that name.
    #[must_use]
    pub fn port_of(&self, listener: &str) -> Option<u16> {
        let mut all = self.listeners.iter();
        all.find(|(name, _)| name == listener)
            .map(|(_, port)| *port)
    }

    /// `http://127.0.0.1:...` of the shipped listener, with no slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// The port of Envoy's admin interface.
    #[must_use]
    pub fn admin_port(&self) -> u16 {
        self.admin_port
    }

    /// What Envoy's admin interface answers to a GET.
    ///
    /// # Errors
    /// When it does not answer 200.
    pub fn admin(&self, path: &str) -> Result<String, String> {
        view::admin(self.admin_port, path)
    }

    /// The counters and gauges whose names contain `part`.
    ///
    /// # Errors
    /// When Envoy does not answer.
    pub fn stats(&self, part: &str) -> Result<Stats, String> {
        view::stats(self.admin_port, part)
    }

    /// What Prometheus would be told of the filter.
    ///
    /// # Errors
    /// When Envoy does not answer.
    pub fn prometheus(&self) -> Result<String, String> {
        view::admin(self.admin_port, "/stats/prometheus?filter=portcullis")
    }

    /// Waits for at least `count` lines of the access log, of exchanges that are over; gives all
    /// there are.
    ///
    /// # Errors
    /// When there are fewer after half a minute, or a line is not JSON.
    pub fn access_log(&self, count: usize) -> Result<Vec<Value>, String> {
        view::access_log(&self.file("access.log"), count)
    }

    /// The lines of exchanges that went on, which Envoy's log has from time to time: what stood in the
    /// place of their records.
    ///
    /// # Errors
    /// When a line is not JSON.
    pub fn running(&self) -> Result<Vec<Value>, String> {
        view::running(&self.file("access.log"))
    }

    /// Waits for at least `count` session records in the access log; gives all
    /// there are. Exchanges without a record are left out.
    ///
    /// # Errors
    /// When there are fewer after half a minute, or one is not JSON.
    pub fn sessions(&self, count: usize) -> Result<Vec<Value>, String> {
        view::sessions(&self.file("access.log"), count)
    }

    /// A file of Envoy's folder: `access.log` is one.
    #[must_use]
    pub fn file(&self, name: &str) -> std::path::PathBuf {
        match &self.envoy {
            Running::Alone(process) => process.file(name),
            Running::Shared(lease) => lease.folder().join(name),
        }
    }

    /// What Envoy has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        match &self.envoy {
            Running::Alone(process) => process.log(),
            Running::Shared(lease) => lease.log(),
        }
    }

    /// The end of [`Mesh::log`], for a message.
    #[must_use]
    pub fn log_tail(&self) -> String {
        nested::tail(&self.log(), 40)
    }

    /// Ends an Envoy of this mesh's own without a warning; what it has written stays until the mesh
    /// is dropped.
    ///
    /// # Errors
    /// When others share it.
    pub fn kill(&mut self) -> Result<(), String> {
        match &mut self.envoy {
            Running::Alone(process) => {
                process.kill();
                Ok(())
            }
            Running::Shared(_) => Err("others share this Envoy".to_owned()),
        }
    }

    /// Gives the shipped listener another policy while Envoy runs, as operators do, and waits until every
    /// worker has it.
    ///
    /// # Errors
    /// When Envoy refuses it, or was not started for that ([`super::Builder::updatable`]).
    pub fn update(&mut self, policy: impl ToString) -> Result<(), String> {
        match &mut self.envoy {
            Running::Shared(lease) => lease.update(&policy.to_string()),
            Running::Alone(_) => Err("this Envoy takes no other policy while it runs".to_owned()),
        }
    }

    /// Envoy's process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        match &self.envoy {
            Running::Alone(process) => process.id(),
            Running::Shared(lease) => lease.id(),
        }
    }
}
