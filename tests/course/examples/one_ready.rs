//! What it costs to find the one connection that is ready among many that aren't:
//! with poll, with what the system has in its place (epoll, kqueue), and by a read
//! from each.
//!
//! `cargo run --release -q -p course --example one_ready` prints a table. Each number
//! is the fastest of many times, in microseconds, so that other programs don't count.
//! How many connections there can be depends on `ulimit -n`: each takes two
//! descriptors here.

use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

#[allow(dead_code, unused_imports, reason = "not all of it is used here")]
#[path = "../../../solutions/17-readiness/src"]
mod solution {
    pub mod sys;
}

use solution::sys;
use solution::sys::{Event, Interest};

/// How many connections.
const SIZES: [usize; 8] = [1, 10, 100, 500, 1_000, 2_500, 5_000, 9_000];
/// How long each number is measured.
const SPAN: Duration = Duration::from_millis(400);
/// Nothing may take longer than this.
const DEADLINE: Duration = Duration::from_secs(10);

fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let addr = listener.local_addr()?;
    println!(
        "{:>11} {:>9} {:>9} {:>9}",
        "connections", "reads", "poll", "best"
    );
    let mut pairs: Vec<(TcpStream, TcpStream)> = Vec::new();
    for size in SIZES {
        while pairs.len() < size {
            let accepted = TcpStream::connect(addr)
                .and_then(|client| Ok((listener.accept()?.0, client)));
            match accepted {
                Ok((server, client)) => {
                    server.set_nonblocking(true)?;
                    pairs.push((server, client));
                }
                Err(error) => {
                    println!("no more than {}: {error}", pairs.len());
                    return Ok(());
                }
            }
        }
        let reads = reads(&mut pairs)?;
        let poll = sys::poll::Poller::new()?;
        for (token, (server, _)) in (0..).zip(&pairs) {
            poll.register(server, token, Interest::READ)?;
        }
        let poll = waits(&mut pairs, |events| poll.wait(events, Some(DEADLINE)))?;
        let best = sys::Poller::new()?;
        for (token, (server, _)) in (0..).zip(&pairs) {
            best.register(server, token, Interest::READ)?;
        }
        let best = waits(&mut pairs, |events| best.wait(events, Some(DEADLINE)))?;
        println!("{size:>11} {reads:>9.2} {poll:>9.2} {best:>9.2}");
    }
    Ok(())
}

/// How long it takes to read from every connection, until one has something.
fn reads(pairs: &mut [(TcpStream, TcpStream)]) -> Result<f64, Box<dyn Error>> {
    fastest(pairs, |pairs, _| {
        let begin = Instant::now();
        for (server, _) in pairs.iter_mut() {
            match server.read(&mut [0; 64]) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                outcome => drop(outcome?),
            }
        }
        Ok(begin.elapsed())
    })
}

/// How long it takes to wait for the one that has something.
fn waits(
    pairs: &mut [(TcpStream, TcpStream)],
    wait: impl Fn(&mut Vec<Event>) -> io::Result<()>,
) -> Result<f64, Box<dyn Error>> {
    let mut events = Vec::new();
    fastest(pairs, |pairs, ready| {
        let begin = Instant::now();
        wait(&mut events)?;
        let took = begin.elapsed();
        let [event] = &events[..] else {
            return Err(format!("one is ready, not {}", events.len()).into());
        };
        if event.token as usize != ready {
            return Err("another one is ready".into());
        }
        pairs[ready].0.read_exact(&mut [0])?;
        Ok(took)
    })
}

/// Has one client after another send a byte, here and there, and measures each time.
fn fastest(
    pairs: &mut [(TcpStream, TcpStream)],
    mut measure: impl FnMut(
        &mut [(TcpStream, TcpStream)],
        usize,
    ) -> Result<Duration, Box<dyn Error>>,
) -> Result<f64, Box<dyn Error>> {
    let mut times = Vec::new();
    let (begin, mut ready) = (Instant::now(), 0);
    while begin.elapsed() < SPAN || times.len() < 9 {
        ready = (ready + 7_919) % pairs.len();
        pairs[ready].1.write_all(b"x")?;
        times.push(measure(pairs, ready)?);
    }
    let fastest = times.iter().min().ok_or("there is none")?;
    Ok(fastest.as_secs_f64() * 1e6)
}
