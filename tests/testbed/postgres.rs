//! A PostgreSQL of a test's own, from Debian's package.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use tempfile::TempDir;

use crate::authority::Issued;
use crate::{nested, port, process};

/// Where Debian has the programs, a folder for each version.
const PROGRAMS: &str = "/usr/lib/postgresql";

/// A server with its data and its socket in a folder. Dropping it stops it and removes the folder.
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    programs: PathBuf,
    server: Option<Child>,
}

impl Postgres {
    /// Makes a new database and serves it at a socket; `None`, and a word why, where PostgreSQL isn't
    /// installed.
    ///
    /// # Errors
    /// When it is installed and doesn't start.
    pub fn start() -> Result<Option<Self>, String> {
        let Some(programs) = programs() else {
            eprintln!("SKIPPED: found no {PROGRAMS}/*/bin: install Debian's package postgresql");
            return Ok(None);
        };
        let mut postgres = Self {
            folder: process::folder()?,
            programs,
            server: None,
        };
        postgres.give_away(postgres.path())?;
        let options = [
            "--username=desk",
            "--auth=trust",
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C",
        ];
        let mut initdb = postgres.command("initdb")?;
        initdb.args(options).arg("-D").arg(postgres.data());
        nested::run(&mut initdb)?;
        postgres.serve()?;
        Ok(Some(postgres))
    }

    /// Starts the server, and waits until it takes connections.
    ///
    /// # Errors
    /// When it doesn't start.
    pub fn serve(&mut self) -> Result<(), String> {
        self.serve_with(&["listen_addresses="])
    }

    /// Starts it with TLS on a port of the loopback interface, which is returned.
    ///
    /// # Errors
    /// When it doesn't start.
    pub fn serve_with_tls(&mut self, issued: &Issued) -> Result<u16, String> {
        let port = port::free()?;
        for (name, text) in [
            ("server.crt", &issued.certificate),
            ("server.key", &issued.key),
        ] {
            let path = self.data().join(name);
            let readable = Permissions::from_mode(0o600);
            fs::write(&path, text)
                .and_then(|()| fs::set_permissions(&path, readable))
                .map_err(|error| format!("{}: {error}", path.display()))?;
            self.give_away(&path)?;
        }
        let port_is = format!("port={port}");
        self.serve_with(&["listen_addresses=127.0.0.1", &port_is, "ssl=on"])?;
        Ok(port)
    }

    /// Stops it at once; what was committed is there when it is started again.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let id = server.id().to_string();
            // One that has ended needs nothing.
            let _ = Command::new("kill").args(["-QUIT", &id]).status();
            let _ = server.wait();
        }
    }

    /// Its folder, which has the socket.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// How clients find the database, through the socket.
    #[must_use]
    pub fn url(&self) -> String {
        format!("host={} user=desk dbname=postgres", self.path().display())
    }

    fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    fn serve_with(&mut self, settings: &[&str]) -> Result<(), String> {
        let said = |error: std::io::Error| format!("PostgreSQL can't be started: {error}");
        let mut server = self
            .command("postgres")?
            .args(settings.iter().flat_map(|setting| ["-c", setting]))
            .args(["-c", "fsync=off", "-k"])
            .arg(self.path())
            .arg("-D")
            .arg(self.data())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(said)?;
        let errors = server.stderr.take();
        self.server = Some(server);
        let mut lines = BufReader::new(errors.ok_or("PostgreSQL has no output")?);
        let mut log = String::new();
        while !log.contains("ready to accept connections") {
            if lines.read_line(&mut log).map_err(said)? == 0 {
                return Err(format!("PostgreSQL doesn't start: {log}"));
            }
        }
        // A server whose output nobody reads stops when the pipe is full.
        thread::spawn(move || lines.lines().for_each(drop));
        Ok(())
    }

    fn command(&self, program: &str) -> Result<Command, String> {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(self.path()).env("LC_ALL", "C");
        if let Some((user, group)) = owner()? {
            command.uid(user).gid(group);
        }
        Ok(command)
    }

    /// Gives a file to whom the server runs as.
    fn give_away(&self, path: &Path) -> Result<(), String> {
        match owner()? {
            None => Ok(()),
            Some((user, group)) => chown(path, Some(user), Some(group))
                .map_err(|error| format!("{}: {error}", path.display())),
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The programs of the newest version.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir(PROGRAMS).ok()?;
    let folders = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    folders
        .filter(|folder| folder.join("initdb").exists())
        .max()
}

/// Who the server must run as, where this process is root's: it starts for anybody else.
fn owner() -> Result<Option<(u32, u32)>, String> {
    if !rustix::process::getuid().is_root() {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").map_err(|error| error.to_string())?;
    let numbers = |name: &str| {
        let line = users.lines().find(|line| line.starts_with(name))?;
        let mut parts = line.split(':').skip(2);
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    };
    let found = numbers("postgres:").or_else(|| numbers("nobody:"));
    let found = found.ok_or("PostgreSQL doesn't run as root, and there is no other user")?;
    Ok(Some(found))
}
