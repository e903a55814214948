//! A PostgreSQL of a test's own, from Debian's package.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::harness::Folder;

/// A server with its data and its socket in a folder.
pub struct Cluster {
    folder: Folder,
    programs: PathBuf,
    server: Option<Child>,
}

/// Where Debian has the programs of the newest version.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    folders
        .filter(|folder| folder.join("initdb").exists())
        .max()
}

/// The number of a user who isn't root: the server starts for nobody else.
fn other_user() -> Option<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let number = |name: &str| {
        let line = users.lines().find(|line| line.starts_with(name))?;
        let mut parts = line.split(':').skip(2);
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    };
    number("postgres:").or_else(|| number("nobody:"))
}

fn is_root() -> bool {
    let out = Command::new("id").arg("-u").output().unwrap();
    out.stdout.starts_with(b"0\n")
}

impl Cluster {
    /// A new one; `None`, and a word why, where PostgreSQL isn't installed.
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!("skipped: found no /usr/lib/postgresql/*/bin, Debian's package postgresql");
            return None;
        };
        let mut cluster = Self {
            folder: Folder::new(),
            programs,
            server: None,
        };
        if is_root() {
            let (user, group) = other_user().unwrap();
            chown(cluster.folder.path(), Some(user), Some(group)).unwrap();
        }
        let data = cluster.folder.file("data");
        let made = cluster
            .command("initdb")
            .args([
                "-U",
                "desk",
                "--auth=trust",
                "--no-sync",
                "-E",
                "UTF8",
                "--locale=C",
                "-D",
            ])
            .arg(&data)
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        cluster.serve();
        Some(cluster)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(self.folder.path()).env("LC_ALL", "C");
        if is_root() {
            let (user, group) = other_user().unwrap();
            command.uid(user).gid(group);
        }
        command
    }

    /// Starts the server, and waits until it takes connections.
    pub fn serve(&mut self) {
        let mut server = self
            .command("postgres")
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-k"])
            .arg(self.folder.path())
            .arg("-D")
            .arg(self.folder.file("data"))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(server.stderr.take().unwrap());
        let mut log = String::new();
        while !log.contains("ready to accept connections") {
            assert_ne!(said.read_line(&mut log).unwrap(), 0, "no server: {log}");
        }
        std::thread::spawn(move || said.lines().for_each(drop));
        self.server = Some(server);
    }

    /// Stops it at once; what was committed is there when it is started again.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let id = server.id().to_string();
            let _ = Command::new("kill").args(["-QUIT", &id]).status();
            let _ = server.wait();
        }
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The section `store` of a desk's configuration.
    pub fn store(&self) -> Value {
        let path = self.path().display();
        json!({ "postgres": format!("host={path} user=desk dbname=postgres") })
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop();
    }
}
