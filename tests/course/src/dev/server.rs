//! A solution's program under load: started, stopped, and killed when dropped.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;

/// A running program. It is killed when this value is dropped.
pub struct Server {
    /// Its process.
    pub child: Child,
    /// Where it says that it listens.
    pub addr: SocketAddr,
}

impl Server {
    /// Runs a program that need not say where it listens.
    pub fn spawn(command: &mut Command) -> Result<Server> {
        let child = command.spawn();
        Ok(Server {
            child: child
                .map_err(|e| format!("{command:?} cannot be started: {e}"))?,
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
        })
    }

    /// Runs a program up to the line in which it says where it listens. Nobody reads
    /// on after that.
    pub fn start(command: &mut Command) -> Result<Server> {
        let mut server = Server::spawn(command.stdout(Stdio::piped()))?;
        let mut line = String::new();
        if let Some(stdout) = server.child.stdout.take() {
            let read = BufReader::new(stdout).read_line(&mut line);
            read.map_err(|e| format!("its first line cannot be read: {e}"))?;
        }
        let addr = line.trim_end().strip_prefix("listening on http://");
        let addr = addr.and_then(|addr| addr.parse().ok());
        server.addr = addr.ok_or_else(|| {
            format!("the program says {line:?}, not where it listens")
        })?;
        Ok(server)
    }

    /// Sends it a signal, on Unix: `TERM`.
    pub fn signal(&self, name: &str) -> Result<()> {
        let command = format!("kill -{name} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &command]).status();
        sent.map(drop).map_err(|e| format!("cannot run sh: {e}"))
    }

    /// Waits until it has ended by itself.
    pub fn wait(&mut self, until: Instant) -> Result<ExitStatus> {
        while Instant::now() < until {
            let ended = self.child.try_wait();
            if let Some(status) = ended.map_err(|e| e.to_string())? {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(1));
        }
        Err("the program did not end".into())
    }

    /// Ends it.
    pub fn kill(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
