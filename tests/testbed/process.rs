//! Processes that end with the value that started them.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Resource, Signal, getrlimit, kill_process, setrlimit};
pub use tempfile::TempDir;

use crate::{nested, wait};

/// How long a process may take to end after SIGTERM.
const PATIENCE: Duration = Duration::from_secs(5);

/// A process with a folder and a log of its own. Dropping it stops it, waits for
/// its end and removes the folder; if a test is panicking, the end of the log is
/// printed first.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    folder: TempDir,
    status: Option<ExitStatus>,
}

impl Process {
    /// Starts a command with its output in a log file. `name` is what messages
    /// call it.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn spawn(name: &str, command: Command) -> Result<Self, String> {
        Self::spawn_in(name, folder()?, command)
    }

    /// As [`Process::spawn`], in a folder that was made before, since the
    /// command's arguments name files in it.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn spawn_in(name: &str, folder: TempDir, mut command: Command) -> Result<Self, String> {
        let said = |error: std::io::Error| format!("{name} cannot be started: {error}");
        let log = File::create(folder.path().join("log")).map_err(said)?;
        let errors = log.try_clone().map_err(said)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(said)?;
        Ok(Self {
            name: name.to_owned(),
            child,
            folder,
            status: None,
        })
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// A file in its own folder, which is removed with it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What it has printed so far, on stdout and stderr.
    #[must_use]
    pub fn log(&self) -> String {
        match fs::read(self.file("log")) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => format!("(the log of {} cannot be read: {error})", self.name),
        }
    }

    /// The end of [`Process::log`], for a message.
    #[must_use]
    pub fn log_tail(&self) -> String {
        nested::tail(&self.log(), 40)
    }

    /// How it ended, or `None` while it runs.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            // An error means that there is no such child: it can't be running.
            self.status = self.child.try_wait().ok().flatten();
        }
        self.status
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it still runs after `timeout`.
    pub fn wait_exit(&mut self, timeout: Duration) -> Result<ExitStatus, String> {
        let what = format!("{} to end", self.name);
        wait::value(&what, timeout, || self.exited())
    }

    /// Waits for a condition that this process must bring about.
    ///
    /// # Errors
    /// When the process ends first, or at the timeout; with the end of its log.
    pub fn until(
        &mut self,
        what: &str,
        timeout: Duration,
        mut condition: impl FnMut() -> bool,
    ) -> Result<(), String> {
        let mut ended = None;
        let waited = wait::until(what, timeout, || {
            // Asked in this order, a process that did its work and ended is
            // still seen to have done it.
            ended = self.exited();
            condition() || ended.is_some()
        });
        let why = match (waited, ended) {
            (Ok(()), None) => return Ok(()),
            (Ok(()), Some(_)) if condition() => return Ok(()),
            (Ok(()), Some(status)) => format!("{} ended ({status}) before {what}", self.name),
            (Err(why), _) => why,
        };
        Err(format!(
            "{why}\n--- end of {}'s log\n{}",
            self.name,
            self.log_tail()
        ))
    }

    /// Has it stand still, as if its machine did.
    ///
    /// # Errors
    /// When it has ended.
    pub fn pause(&self) -> Result<(), String> {
        self.signal(Signal::STOP)
    }

    /// Has it go on after [`Process::pause`].
    ///
    /// # Errors
    /// When it has ended.
    pub fn resume(&self) -> Result<(), String> {
        self.signal(Signal::CONT)
    }

    /// Ends it without a warning, and waits for that.
    pub fn kill(&mut self) {
        // One that has ended needs nothing.
        let _ = self.child.kill();
        self.status = self.child.wait().ok();
    }

    fn signal(&self, signal: Signal) -> Result<(), String> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| format!("{} has no process id", self.name))?;
        kill_process(pid, signal).map_err(|error| format!("{}: {error}", self.name))
    }

    /// Asks it to end, makes it end if it doesn't, and waits for that.
    pub fn stop(&mut self) {
        if self.exited().is_some() {
            return;
        }
        // It may just have ended: nothing to do then.
        let _ = self.signal(Signal::TERM);
        if self.wait_exit(PATIENCE).is_err() {
            let _ = self.child.kill();
            self.status = self.child.wait().ok();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("--- end of {}'s log\n{}", self.name, self.log_tail());
        }
        self.stop();
    }
}

/// Lets this process have as many files open as the system allows, which may be more than at its start.
///
/// # Errors
/// When the system refuses it.
pub fn more_files() -> Result<(), String> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).map_err(|error| format!("no more open files: {error}"))
}

/// A folder for a process that is about to start.
///
/// # Errors
/// When the system's folder for temporary files cannot be written.
pub fn folder() -> Result<TempDir, String> {
    tempfile::Builder::new()
        .prefix("portcullis-")
        .tempdir()
        .map_err(|error| format!("no folder for temporary files: {error}"))
}
