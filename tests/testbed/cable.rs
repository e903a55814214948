//! A way between two ports that a test can cut.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::serve::runtime;

/// Carries connections from a port of the loopback interface to another one, until it is cut.
/// Dropping it cuts it for good.
#[derive(Debug)]
pub struct Cable {
    runtime: Option<Runtime>,
    port: u16,
    whole: watch::Sender<bool>,
}

impl Cable {
    /// A cable to a port, whether something listens there already or not.
    ///
    /// # Errors
    /// When there is no port for its near end.
    pub fn to(target: u16) -> Result<Self, String> {
        let said = |error: std::io::Error| format!("the cable to port {target}: {error}");
        let runtime = runtime("cable")?;
        let listener = runtime
            .block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .map_err(said)?;
        let port = listener.local_addr().map_err(said)?.port();
        let (whole, seen) = watch::channel(true);
        runtime.spawn(carry(listener, target, seen));
        Ok(Self {
            runtime: Some(runtime),
            port,
            whole,
        })
    }

    /// The port of its near end.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Breaks every connection off. Those that follow are closed at once.
    pub fn cut(&self) {
        self.whole.send_replace(false);
    }

    /// Carries connections again.
    pub fn mend(&self) {
        self.whole.send_replace(true);
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(5));
        }
    }
}

async fn carry(listener: TcpListener, target: u16, whole: watch::Receiver<bool>) {
    loop {
        let Ok((mut near, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let mut whole = whole.clone();
        if !*whole.borrow_and_update() {
            continue;
        }
        tokio::spawn(async move {
            let Ok(mut far) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await else {
                return;
            };
            tokio::select! {
                // Whichever end closes it, nobody is left to tell.
                _ = copy_bidirectional(&mut near, &mut far) => {}
                _ = whole.wait_for(|whole| !whole) => {}
            }
        });
    }
}
