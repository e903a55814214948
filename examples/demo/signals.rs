//! Being asked to stop. A signal is only noted: whoever works looks at the note between two
//! steps and returns, so that everything that was started is dropped in its order.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

/// What a person is told who stopped the demo.
pub const STOPPED: &str = "stopped; nothing is left running";

/// How often a waiting demo looks at the note.
const GLANCE: Duration = Duration::from_millis(50);

/// Whether somebody asked to stop.
#[derive(Clone)]
pub struct Signals(Arc<AtomicBool>);

impl Signals {
    /// Notes ctrl-c, a closed terminal and a polite kill from now on. The second one ends the
    /// process at once.
    pub fn watch() -> Result<Self, String> {
        let seen = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            flag::register_conditional_shutdown(signal, 1, Arc::clone(&seen))
                .and_then(|_| flag::register(signal, Arc::clone(&seen)))
                .map_err(|error| format!("signals cannot be watched: {error}"))?;
        }
        Ok(Self(seen))
    }

    /// Whether one came.
    pub fn seen(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// An error once one came.
    pub fn check(&self) -> Result<(), String> {
        match self.seen() {
            true => Err(STOPPED.to_owned()),
            false => Ok(()),
        }
    }

    /// Waits for Enter or a signal; where nobody can press Enter, for a signal.
    pub fn wait_for_enter(&self) {
        let (pressed, presses) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            if io::stdin()
                .read_line(&mut line)
                .is_ok_and(|bytes| bytes > 0)
            {
                // The demo may have stopped by itself, and hear nothing more.
                let _ = pressed.send(());
            } else {
                // The end of the input is no Enter: the channel stays open.
                thread::park();
            }
        });
        while !self.seen() && presses.recv_timeout(GLANCE) == Err(RecvTimeoutError::Timeout) {}
    }
}
