//! How long does a heavy request take alone, and how long do eight of them?
//!
//! `cargo run --release -q -p course --example at_once -- 'PROGRAM ARGS' …` starts each
//! of these command lines and asks for one heavy picture, for eight one after the
//! other, and for eight at once, in turn, seven times. It says how long that took in
//! the middle of the seven, with the shortest in parentheses, because other programs
//! can only make it longer; and how much processor time the eight at once took.

use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use harness::{Check, Program};

const TIMES: usize = 7;
const MANY: usize = 8;
const PICTURE: &str = "/app/picture/600/250";

fn main() -> ExitCode {
    let lines: Vec<String> = std::env::args().skip(1).collect();
    if lines.is_empty() {
        eprintln!("usage: at_once 'PROGRAM ARGS'...");
        return ExitCode::from(2);
    }
    let start = |line: &String| {
        let mut words = line.split_whitespace();
        let program = Path::new(words.next().unwrap_or_default());
        let check = Check::new(program, "at_once", "pictures are painted");
        check.start(&words.collect::<Vec<_>>())
    };
    let servers: Vec<Program> = lines.iter().map(start).collect();
    let mut times = vec![[const { Vec::new() }; 4]; servers.len()];
    // In turn, so that a machine that's busy for a while is busy for all.
    for _ in 0..TIMES {
        for (server, times) in servers.iter().zip(&mut times) {
            for (times, time) in times.iter_mut().zip(measure(server)) {
                times.push(time.as_millis());
            }
        }
    }
    println!("        one     in a row      at once   processor time, in ms");
    for (line, times) in lines.iter().zip(times) {
        for mut times in times {
            times.sort_unstable();
            print!("{:>13}", format!("{} ({})", times[TIMES / 2], times[0]));
        }
        println!("    {line}");
    }
    ExitCode::SUCCESS
}

/// The time of one request, of eight in a row, of eight at once, and the processor time
/// of the last.
fn measure(server: &Program) -> [Duration; 4] {
    let one = time(|| ask(server));
    let row = time(|| (0..MANY).for_each(|_| ask(server)));
    // Zero where the system doesn't tell.
    let used = || server.cpu_time().unwrap_or_default();
    let before = used();
    let at_once = time(|| {
        thread::scope(|scope| {
            for _ in 0..MANY {
                scope.spawn(|| ask(server));
            }
        });
    });
    [one, row, at_once, used().saturating_sub(before)]
}

fn time(what: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    what();
    begin.elapsed()
}

fn ask(server: &Program) {
    server.get_reply(PICTURE).status(&[200], "see its stderr");
}
