//! What a mesh is started with, and its start.

use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use tempfile::TempDir;

use super::config::Config;
use super::running::{Mesh, Running};
use super::shared::{self, Kind};
use super::view::{self, STARTING, port_in};
use crate::process::{self, Process};
use crate::{dirs, envoy, port, wait, wasm};

/// The configuration that is shipped, below the workspace's root.
const SHIPPED: &str = "envoy/plain/envoy.yaml";

/// What a mesh is started with. Each method changes one thing.
#[derive(Debug, Clone)]
pub struct Builder {
    shipped: &'static str,
    whole: Option<Value>,
    version: Option<String>,
    policy: Option<String>,
    structure: Option<Value>,
    listeners: Vec<(String, String)>,
    variables: Vec<(String, String)>,
    clusters: Vec<Cluster>,
    secured: Option<(Vec<String>, Value)>,
    breakers: Vec<(String, u32)>,
    spread: Vec<(String, Vec<u16>, Value)>,
    missing: Vec<String>,
    routes: Vec<Value>,
    filters: Vec<Value>,
    logged: bool,
    buffer_limit: Option<u32>,
    escaped_slashes: Option<&'static str>,
    running_logged: Option<&'static str>,
    concurrency: u32,
    guarded: bool,
    stop_iteration: bool,
    module: Option<std::path::PathBuf>,
    shared: bool,
    drain_seconds: Option<u32>,
    port: u16,
    admin_port: u16,
}

/// A cluster of a mesh: one address on the loopback interface.
#[derive(Debug, Clone)]
struct Cluster {
    name: String,
    port: u16,
    http2: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            shipped: SHIPPED,
            whole: None,
            version: Some(envoy::CURRENT.to_owned()),
            policy: None,
            structure: None,
            listeners: Vec::new(),
            variables: Vec::new(),
            clusters: Vec::new(),
            secured: None,
            breakers: Vec::new(),
            spread: Vec::new(),
            missing: Vec::new(),
            routes: Vec::new(),
            filters: Vec::new(),
            logged: true,
            buffer_limit: None,
            escaped_slashes: None,
            running_logged: None,
            concurrency: 2,
            guarded: true,
            stop_iteration: true,
            module: None,
            shared: false,
            drain_seconds: None,
            port: 0,
            admin_port: 0,
        }
    }
}

impl Builder {
    /// Another of the configurations that are shipped, below the workspace's root.
    #[must_use]
    pub fn shipped(mut self, file: &'static str) -> Self {
        self.shipped = file;
        self
    }

    /// A whole configuration, of which nothing is changed but the admin interface's port: of the other methods only
    /// those have an effect that say which Envoy is started and with which variables. Paths in it are taken from
    /// the folder of [`Mesh::file`].
    #[must_use]
    pub fn as_it_stands(mut self, configuration: Value) -> Self {
        self.whole = Some(configuration);
        self
    }

    /// The Envoy to run, [`envoy::CURRENT`] if not said; `None` takes whichever
    /// is there.
    #[must_use]
    pub fn version(mut self, version: Option<&str>) -> Self {
        self.version = version.map(str::to_owned);
        self
    }

    /// The policy, as JSON text. Without it the shipped file's own is used.
    #[must_use]
    pub fn policy(mut self, json: impl ToString) -> Self {
        self.policy = Some(json.to_string());
        self
    }

    /// The policy as a `google.protobuf.Struct`, which the filter does not take.
    #[must_use]
    pub fn policy_as_struct(mut self, policy: &Value) -> Self {
        self.structure = Some(policy.clone());
        self
    }

    /// One more listener, the same but for its policy ([`Mesh::port_of`]).
    #[must_use]
    pub fn listener(mut self, name: &str, policy: impl ToString) -> Self {
        self.listeners.push((name.to_owned(), policy.to_string()));
        self
    }

    /// A variable of the filter's environment, that `${NAME}` in a policy means.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Points a cluster to a port where HTTP/1 is spoken; makes it if the shipped
    /// file has none of that name. Clusters that are never pointed anywhere
    /// refuse connections.
    #[must_use]
    pub fn cluster(self, name: &str, port: u16) -> Self {
        self.add_cluster(name, port, false)
    }

    /// As [`Builder::cluster`], where HTTP/2 is spoken.
    #[must_use]
    pub fn cluster_http2(self, name: &str, port: u16) -> Self {
        self.add_cluster(name, port, true)
    }

    fn add_cluster(mut self, name: &str, port: u16, http2: bool) -> Self {
        self.clusters.retain(|cluster| cluster.name != name);
        self.clusters.push(Cluster {
            name: name.to_owned(),
            port,
            http2,
        });
        self
    }

    /// The model server: HTTP/1 and, for gRPC, HTTP/2 on one port.
    #[must_use]
    pub fn model(self, port: u16) -> Self {
        self.cluster("models", port)
            .cluster_http2("models_grpc", port)
    }

    /// The model server, over HTTP/2 whatever is asked.
    #[must_use]
    pub fn model_http2(self, port: u16) -> Self {
        self.cluster_http2("models", port)
            .cluster_http2("models_grpc", port)
    }

    /// Has Envoy reach these clusters with a transport socket, such as one with a certificate that says who it is:
    /// its access loggers send no key.
    #[must_use]
    pub fn secured(mut self, clusters: &[&str], socket: Value) -> Self {
        let names = clusters.iter().map(|name| (*name).to_owned());
        self.secured = Some((names.collect(), socket));
        self
    }

    /// How many requests may be open at a cluster for which the shipped file bounds that.
    #[must_use]
    pub fn most_requests(mut self, cluster: &str, count: u32) -> Self {
        self.breakers.push((cluster.to_owned(), count));
        self
    }

    /// Gives a cluster several addresses, and further members of Envoy's configuration of it.
    #[must_use]
    pub fn spread(mut self, cluster: &str, ports: &[u16], members: &Value) -> Self {
        let one = (cluster.to_owned(), ports.to_vec(), members.clone());
        self.spread.push(one);
        self
    }

    /// Leaves a cluster of the shipped file out, and the access log that needs
    /// it.
    #[must_use]
    pub fn without_cluster(mut self, name: &str) -> Self {
        self.missing.push(name.to_owned());
        self
    }

    /// One more HTTP filter, as it stands in Envoy's configuration: behind the
    /// filter and those added before, in front of the router.
    #[must_use]
    pub fn http_filter(mut self, filter: Value) -> Self {
        self.filters.push(filter);
        self
    }

    /// A route in front of the others, as it stands in Envoy's configuration.
    #[must_use]
    pub fn route(mut self, route: Value) -> Self {
        self.routes.push(route);
        self
    }

    /// Leaves every access log out, so that nothing is written about an exchange.
    #[must_use]
    pub fn without_access_logs(mut self) -> Self {
        self.logged = false;
        self
    }

    /// How many bytes of a body Envoy holds.
    #[must_use]
    pub fn buffer_limit(mut self, bytes: u32) -> Self {
        self.buffer_limit = Some(bytes);
        self
    }

    /// Has Envoy bring paths into its own normal form before a filter sees them, slashes that stand
    /// together merged, and do with escaped slashes what a value of its
    /// `path_with_escaped_slashes_action` says.
    #[must_use]
    pub fn normal_paths(mut self, escaped_slashes: &'static str) -> Self {
        self.escaped_slashes = Some(escaped_slashes);
        self
    }

    /// Has Envoy log exchanges that go on, too, each time that this has passed.
    #[must_use]
    pub fn log_running(mut self, interval: &'static str) -> Self {
        self.running_logged = Some(interval);
        self
    }

    /// Envoy's worker threads; 2 if not said.
    #[must_use]
    pub fn concurrency(mut self, workers: u32) -> Self {
        self.concurrency = workers;
        self
    }

    /// Leaves the filter out: what Envoy does without it.
    #[must_use]
    pub fn unguarded(mut self) -> Self {
        self.guarded = false;
        self
    }

    /// Has Envoy keep bodies back while their heads wait, as it does unless it is told otherwise.
    #[must_use]
    pub fn without_stop_iteration(mut self) -> Self {
        self.stop_iteration = false;
        self
    }

    /// A module to load instead of the one that [`wasm::build`] gives.
    #[must_use]
    pub fn module(mut self, path: impl Into<std::path::PathBuf>) -> Self {
        self.module = Some(path.into());
        self
    }

    /// Lets an Envoy serve this mesh that has served others, one after another: it needs no start.
    /// The mesh still has listeners, virtual machines and shared memory of its own, and finds
    /// counters at zero. Where that is not enough an Envoy starts all the same: with a module, a
    /// number of workers or ports of its own, without the filter, and with a cluster for the access
    /// log's stream, of which Envoy keeps what it could not send.
    #[must_use]
    pub fn shared(mut self) -> Self {
        self.shared = true;
        self
    }

    /// An Envoy for this mesh alone, which starts with it and stops with it.
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.shared = false;
        self
    }

    /// An Envoy for this mesh alone that takes other policies while it runs ([`Mesh::update`]). What is
    /// under way under a policy that was replaced is ended after so many seconds.
    #[must_use]
    pub fn updatable(mut self, drain_seconds: u32) -> Self {
        self.drain_seconds = Some(drain_seconds);
        self
    }

    /// Fixed ports for the listener and for Envoy's admin interface instead of
    /// free ones, for people who want to find them again.
    #[must_use]
    pub fn ports(mut self, listener: u16, admin: u16) -> Self {
        self.port = listener;
        self.admin_port = admin;
        self
    }

    /// Starts Envoy and waits until it serves.
    ///
    /// # Errors
    /// When there is no Envoy or no module, a fixed port is taken, or Envoy does
    /// not start: with the end of its log.
    pub fn start(self) -> Result<Mesh, String> {
        for port in [self.port, self.admin_port] {
            if port != 0 {
                port::must_be_free(port)?;
            }
        }
        if self.drain_seconds.is_some() || self.may_share() {
            return self.lease();
        }
        let mut process = self.spawn()?;
        let admin_port = view::serving(&mut process)?;
        let listeners = view::listeners(admin_port)?;
        Ok(Mesh {
            envoy: Running::Alone(process),
            admin_port,
            listeners,
        })
    }

    /// Starts an Envoy that must refuse its configuration, and gives its log.
    ///
    /// # Errors
    /// When it starts all the same, or neither starts nor ends.
    pub fn refused(self) -> Result<String, String> {
        let mut process = self.spawn()?;
        let admin = process.file("admin");
        let mut ready = false;
        wait::until("Envoy to refuse its configuration", STARTING, || {
            let text = fs::read_to_string(&admin).unwrap_or_default();
            ready = port_in(&text).is_some_and(|port| {
                crate::http::get(port, "/ready").is_ok_and(|ready| ready.status == 200)
            });
            ready || process.exited().is_some()
        })?;
        match process.exited() {
            Some(status) if !status.success() => Ok(process.log()),
            Some(_) => Err("Envoy ended without an error".to_owned()),
            None => Err("Envoy took a configuration that it should refuse".to_owned()),
        }
    }

    fn may_share(&self) -> bool {
        let plain = Self::default();
        let ordinary = self.module.is_none()
            && self.guarded
            && self.shipped == plain.shipped
            && self.whole.is_none()
            && self.concurrency == plain.concurrency
            && (self.port, self.admin_port) == (plain.port, plain.admin_port);
        let streams_records = self.clusters.iter().any(|one| one.name == "desk_log");
        self.shared && ordinary && !streams_records
    }

    fn lease(&self) -> Result<Mesh, String> {
        static LEASES: AtomicU64 = AtomicU64::new(0);
        let folder = process::folder()?;
        let machine = format!("mesh-{}", LEASES.fetch_add(1, Ordering::Relaxed));
        let config = self.config(folder.path(), Some(&machine))?;
        let mut keeper = Config::read(&dirs::workspace().join(SHIPPED))?;
        keeper.admin(0)?;
        keeper.listener_port(0)?;
        keeper.module(&wasm::build()?)?;
        let kind = Kind {
            version: self.version.clone(),
            workers: self.concurrency,
            variables: self.variables.clone(),
        };
        let drain = self.drain_seconds.unwrap_or(0).to_string();
        let start = |folder: TempDir, bootstrap: &Value| {
            self.spawn_in(folder, bootstrap, &["--drain-time-s", &drain])
        };
        let lease = match self.drain_seconds {
            None => shared::lease(&kind, keeper, start, folder, config),
            Some(_) => shared::lease_of_own(&kind, keeper, start, folder, config),
        }?;
        Ok(Mesh {
            admin_port: lease.admin_port,
            listeners: lease.listeners.clone(),
            envoy: Running::Shared(lease),
        })
    }

    fn spawn(&self) -> Result<Process, String> {
        let folder = process::folder()?;
        let config = self.config(folder.path(), None)?.into_value();
        self.spawn_in(folder, &config, &[])
    }

    fn spawn_in(
        &self,
        folder: TempDir,
        config: &Value,
        arguments: &[&str],
    ) -> Result<Process, String> {
        let envoy = envoy::find(self.version.as_deref())?;
        let file = folder.path().join("envoy.json");
        fs::write(&file, config.to_string())
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        let mut command = Command::new(&envoy.path);
        command
            // With hot restart, Envoys on one host fight over an id, and Envoy
            // ends with the thread that started it.
            .arg("--disable-hot-restart")
            .args(["--concurrency", &self.concurrency.to_string()])
            .args(["--file-flush-interval-msec", "50"])
            .args(["--log-level", "info"])
            .args(arguments)
            .arg("--admin-address-path")
            .arg(folder.path().join("admin"))
            .arg("--config-path")
            .arg(&file)
            .current_dir(folder.path())
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        Process::spawn_in("Envoy", folder, command)
    }

    /// The shipped configuration with what was changed, and for virtual machines another id if one
    /// is given.
    fn config(&self, folder: &std::path::Path, machine: Option<&str>) -> Result<Config, String> {
        if let Some(whole) = &self.whole {
            let mut config = Config::of(whole.clone());
            config.admin(self.admin_port)?;
            return Ok(config);
        }
        let mut config = Config::read(&dirs::workspace().join(self.shipped))?;
        config.admin(self.admin_port)?;
        config.access_log(&folder.join("access.log"))?;
        config.listener_port(self.port)?;
        if let Some(limit) = self.buffer_limit {
            config.buffer_limit(limit)?;
        }
        if let Some(interval) = self.running_logged {
            config.log_running(interval)?;
        }
        if let Some(action) = self.escaped_slashes {
            config.normal_paths(action)?;
        }
        if self.guarded {
            let module = match &self.module {
                Some(module) => module.clone(),
                None => wasm::build()?,
            };
            config.module(&module)?;
            if let Some(id) = machine {
                config.machine(id)?;
                config.no_variables()?;
            }
            if let Some(policy) = &self.policy {
                config.policy(policy)?;
            }
            if let Some(policy) = &self.structure {
                config.policy_as_struct(policy)?;
            }
            config.variables(&self.variables)?;
            if !self.stop_iteration {
                config.without_stop_iteration()?;
            }
        }
        config.nobody_listens()?;
        for cluster in &self.clusters {
            config.cluster(&cluster.name, cluster.port, cluster.http2)?;
        }
        for (name, ports, members) in &self.spread {
            config.spread(name, ports, members)?;
        }
        for (name, count) in &self.breakers {
            config.most_requests(name, *count)?;
        }
        for name in &self.missing {
            config.without_cluster(name)?;
        }
        config.keys_of_loggers(&self.variables)?;
        if let Some((clusters, socket)) = &self.secured {
            config.secured(clusters, socket)?;
        }
        if !self.logged {
            config.without_access_logs()?;
        }
        for route in &self.routes {
            config.route(route)?;
        }
        for filter in &self.filters {
            config.http_filter(filter)?;
        }
        for (name, policy) in &self.listeners {
            config.another_listener(name, policy)?;
        }
        if !self.guarded {
            config.unguard()?;
        }
        Ok(config)
    }
}

impl Mesh {
    /// What to start, at first the shipped configuration with the built filter.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }
}
