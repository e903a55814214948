//! Envoys that serve one mesh after another. What an Envoy does longest at its start is to compile
//! the module: seconds of all processors. Here a listener that nobody uses keeps the compiled code,
//! and each mesh has listeners, clusters, virtual machines and shared memory of its own, which come
//! and go over Envoy's discovery from files. An Envoy serves one mesh at a time; its counters start
//! from zero for each.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::config::Config;
use super::view;
use crate::http::{self, Request};
use crate::lock;
use crate::process::{self, Process};

/// The name of the listener that keeps the compiled module, and of its virtual machines.
const KEEPER: &str = "keeper";

/// How long Envoy may take to change its listeners, or to be rid of them.
const CHANGING: Duration = Duration::from_secs(30);

/// Those that serve no mesh now.
static IDLE: Mutex<Vec<Host>> = Mutex::new(Vec::new());

/// An Envoy, and the mesh that it serves.
#[derive(Debug)]
pub(super) struct Lease {
    /// Gone only while it is given back.
    host: Option<Host>,
    pub(super) admin_port: u16,
    /// Names and ports, in the configuration's order.
    pub(super) listeners: Vec<(String, u16)>,
    /// Whether others may be served afterwards.
    again: bool,
    folder: TempDir,
    config: Config,
    /// How long the log was when this mesh began.
    from: usize,
}

#[derive(Debug)]
struct Host {
    kind: Kind,
    process: Process,
    admin_port: u16,
    /// How many virtual machines there are without a mesh.
    machines: u64,
    /// The number of the last change that discovery was given.
    change: u64,
}

/// What an Envoy can't change once it runs.
#[derive(Debug, Clone)]
pub(super) struct Kind {
    pub(super) version: Option<String>,
    pub(super) workers: u32,
    /// Its environment. A mesh sees those that it asks for, so more do no harm.
    pub(super) variables: Vec<(String, String)>,
}

impl Kind {
    fn serves(&self, wanted: &Self) -> bool {
        let has = |variable| self.variables.contains(variable);
        (&self.version, self.workers) == (&wanted.version, wanted.workers)
            && wanted.variables.iter().all(has)
    }
}

/// A mesh that an Envoy of this kind serves, with the listeners and clusters of a whole
/// configuration. `start` starts such an Envoy in a folder with a bootstrap, which is made of
/// `keeper`.
pub(super) fn lease(
    kind: &Kind,
    keeper: Config,
    start: impl FnOnce(TempDir, &Value) -> Result<Process, String>,
    folder: TempDir,
    config: Config,
) -> Result<Lease, String> {
    let host = match idle(kind) {
        Some(host) => host,
        None => Host::start(kind, keeper, start)?,
    };
    Lease::begin(host, folder, config, true)
}

/// As [`lease`], by an Envoy that starts for this mesh and serves no other.
pub(super) fn lease_of_own(
    kind: &Kind,
    keeper: Config,
    start: impl FnOnce(TempDir, &Value) -> Result<Process, String>,
    folder: TempDir,
    config: Config,
) -> Result<Lease, String> {
    Lease::begin(Host::start(kind, keeper, start)?, folder, config, false)
}

fn idle(kind: &Kind) -> Option<Host> {
    let mut all = lock(&IDLE);
    let found = all.iter_mut().position(|host| host.is(kind))?;
    Some(all.swap_remove(found))
}

impl Lease {
    fn begin(mut host: Host, folder: TempDir, config: Config, again: bool) -> Result<Self, String> {
        let from = host.process.log().len();
        let listeners = host.serve(config.value(), None)?;
        Ok(Self {
            admin_port: host.admin_port,
            listeners,
            host: Some(host),
            again,
            folder,
            config,
            from,
        })
    }

    /// Gives the first listener another policy, and waits until every worker has it.
    pub(super) fn update(&mut self, policy: &str) -> Result<(), String> {
        self.config.policy(policy)?;
        let host = self.host.as_mut().ok_or("the Envoy was given back")?;
        host.serve(self.config.value(), Some(1))?;
        Ok(())
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn id(&self) -> u32 {
        // There is a host as long as anybody can ask.
        self.host.as_ref().map_or(0, |host| host.process.id())
    }

    pub(super) fn log(&self) -> String {
        let log = self.host.as_ref().map(|host| host.process.log());
        let log = log.unwrap_or_default();
        log.get(self.from..).unwrap_or_default().to_owned()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // After a test that failed nothing is known of an Envoy: it ends with the test.
        if let Some(mut host) = self.host.take()
            && self.again
            && !thread::panicking()
        {
            match host.clear() {
                Ok(()) => lock(&IDLE).push(host),
                Err(why) => eprintln!("an Envoy is not used again: {why}"),
            }
        }
    }
}

impl Host {
    fn start(
        kind: &Kind,
        mut keeper: Config,
        start: impl FnOnce(TempDir, &Value) -> Result<Process, String>,
    ) -> Result<Self, String> {
        let folder = process::folder()?;
        keeper.keeps_the_module(KEEPER)?;
        let mut bootstrap = keeper.into_value();
        let discovery = |file: &str| {
            let path = folder.path().join(file);
            json!({"path_config_source": {"path": path}, "resource_api_version": "V3"})
        };
        let dynamic = json!({"lds_config": discovery("lds"), "cds_config": discovery("cds")});
        let fields = bootstrap.as_object_mut();
        let fields = fields.ok_or("the shipped envoy.yaml is no object")?;
        fields.insert("dynamic_resources".to_owned(), dynamic);
        fields.insert(
            "node".to_owned(),
            json!({"id": "testbed", "cluster": "testbed"}),
        );
        for name in ["lds", "cds"] {
            change(folder.path(), name, 0, Vec::new())?;
        }
        let mut process = start(folder, &bootstrap)?;
        ends_with_this_process(&process)?;
        let admin_port = view::serving(&mut process)?;
        let mut host = Self {
            kind: kind.clone(),
            process,
            admin_port,
            machines: 0,
            change: 0,
        };
        host.until_created(1)?;
        host.machines = host.stat("wasm.envoy.wasm.runtime.v8.active")?;
        Ok(host)
    }

    fn is(&mut self, kind: &Kind) -> bool {
        self.kind.serves(kind) && self.process.exited().is_none()
    }

    /// Serves the listeners and clusters of a configuration, of which so many listeners are new or
    /// changed; all without a number.
    fn serve(
        &mut self,
        config: &Value,
        changed: Option<u64>,
    ) -> Result<Vec<(String, u16)>, String> {
        let reset = http::send(self.admin_port, Request::post("/reset_counters"))?;
        if reset.status != 200 {
            return Err(format!("Envoy's counters are not reset: {}", reset.status));
        }
        let list = |path: &str, kind: &str| -> Vec<Value> {
            let all = config.pointer(path).and_then(Value::as_array);
            let typed = all.into_iter().flatten().cloned().map(|mut one| {
                let fields = one.as_object_mut();
                fields.map(|all| {
                    all.insert(
                        "@type".to_owned(),
                        json!(format!("type.googleapis.com/{kind}")),
                    )
                });
                one
            });
            typed.collect()
        };
        let clusters = list(
            "/static_resources/clusters",
            "envoy.config.cluster.v3.Cluster",
        );
        let listeners = list(
            "/static_resources/listeners",
            "envoy.config.listener.v3.Listener",
        );
        let all = u64::try_from(listeners.len()).unwrap_or(u64::MAX);
        let count = changed.unwrap_or(all);
        self.change("cds", clusters)?;
        self.until_stat("cluster_manager.warming_clusters", |count| count == 0)?;
        self.change("lds", listeners)?;
        // Once each worker has a listener, it has the virtual machine of it too.
        self.until_created(count)?;
        let mut found = view::listeners(self.admin_port)?;
        found.retain(|(name, _)| name != KEEPER);
        Ok(found)
    }

    /// Takes the mesh away, with all that it had.
    fn clear(&mut self) -> Result<(), String> {
        self.change("lds", Vec::new())?;
        self.change("cds", Vec::new())?;
        let machines = self.machines;
        self.until_stat("listener_manager.total_listeners_draining", |count| {
            count == 0
        })?;
        self.until_stat("wasm.envoy.wasm.runtime.v8.active", |count| {
            count == machines
        })
    }

    /// Gives discovery a new list, and waits until Envoy has taken it.
    fn change(&mut self, discovery: &str, resources: Vec<Value>) -> Result<(), String> {
        self.change += 1;
        let manager = match discovery {
            "cds" => "cluster_manager",
            _ => "listener_manager",
        };
        let folder = self.process.file("");
        change(&folder, discovery, self.change, resources)?;
        let taken = format!("{manager}.{discovery}.version_text: \"{}\"", self.change);
        let (port, mut refused) = (self.admin_port, false);
        let rejections = format!("{manager}.{discovery}.update_rejected");
        self.process.until(&taken, CHANGING, || {
            let texts = view::admin(port, "/stats?filter=version_text").unwrap_or_default();
            refused = stat(port, &rejections).is_ok_and(|count| count > 0);
            refused || texts.contains(&taken)
        })?;
        match refused {
            false => Ok(()),
            true => Err(format!(
                "Envoy refuses the configuration\n--- end of its log\n{}",
                self.process.log_tail()
            )),
        }
    }

    fn until_created(&mut self, listeners: u64) -> Result<(), String> {
        let all = listeners.saturating_mul(u64::from(self.kind.workers));
        self.until_stat("listener_manager.listener_create_success", |count| {
            count >= all
        })
    }

    fn until_stat(&mut self, name: &str, holds: impl Fn(u64) -> bool) -> Result<(), String> {
        let port = self.admin_port;
        self.process
            .until(name, CHANGING, || stat(port, name).is_ok_and(&holds))
    }

    fn stat(&self, name: &str) -> Result<u64, String> {
        stat(self.admin_port, name)
    }
}

/// One counter or gauge, by its whole name; 0 if there is none.
fn stat(port: u16, name: &str) -> Result<u64, String> {
    let all = view::stats(port, name)?;
    Ok(all.get(name).copied().unwrap_or(0))
}

/// Writes a list for discovery. Envoy looks when a file is moved into place.
fn change(folder: &Path, name: &str, number: u64, resources: Vec<Value>) -> Result<(), String> {
    let list = json!({"version_info": number.to_string(), "resources": resources});
    let next = folder.join(format!("{name}.next"));
    fs::write(&next, list.to_string())
        .and_then(|()| fs::rename(&next, folder.join(name)))
        .map_err(|error| format!("cannot write {}: {error}", next.display()))
}

/// No value is dropped at a process's end that belongs to no function: a shell waits for that end,
/// which closes its input, and then ends these Envoys and removes their folders.
fn ends_with_this_process(envoy: &Process) -> Result<(), String> {
    static WARDEN: Mutex<Option<Child>> = Mutex::new(None);
    const WAIT: &str = r#"
        while read -r pid folder; do set -- "$@" "$pid" "$folder"; done
        while [ $# -gt 1 ]; do
            # Another process may have its number by now.
            [ "$(readlink "/proc/$1/cwd")" != "$2" ] || kill "$1"
            rm -rf -- "$2"
            shift 2
        done"#;
    let said = |error: std::io::Error| format!("no shell waits for this process's end: {error}");
    let mut warden = lock(&WARDEN);
    if warden.is_none() {
        let mut shell = Command::new("sh");
        shell.args(["-c", WAIT, "warden"]).stdin(Stdio::piped());
        let shell = shell.stdout(Stdio::null()).stderr(Stdio::null());
        *warden = Some(shell.spawn().map_err(said)?);
    }
    let folder = envoy.file("").canonicalize().map_err(said)?;
    let input = warden.as_mut().and_then(|shell| shell.stdin.as_mut());
    let input = input.ok_or("a shell without an input")?;
    writeln!(input, "{} {}", envoy.id(), folder.display()).map_err(said)
}
