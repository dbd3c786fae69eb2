//! What a server with one thread costs, beside the least that one can do, and nginx.
//!
//! `cargo build --release -p course --examples`, then `cargo run --release -q -p
//! course --example readiness -- target/release/solution17
//! --connections 12000`. It takes about a minute
//! and a half, and runs on Linux, because it asks `/proc`.
//!
//! - Processor time for each request of `/app/visit` on connections that stay, of the
//!   program, of the example `raw_loop` and of nginx where it's installed. The load
//!   is wrk's, or where that isn't installed, this program's own. All take turns,
//!   seven times, and what counts is the median.
//! - System calls for each request, where strace is installed.
//! - Memory for each of 10,000 idle connections, or of as many as `ulimit -n` allows,
//!   and how long a fresh request takes among them.
//! - How long it takes until 2,000 clients that connect at once are all answered.

use std::error::Error;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const ROUNDS: usize = 7;
const SPAN: Duration = Duration::from_secs(1);
const IDLE: usize = 10_000;
const BURST: usize = 2_000;
/// Nothing may take longer than this.
const DEADLINE: Duration = Duration::from_secs(30);
const REQUEST: &[u8] = b"GET /app/visit HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn main() -> ExitCode {
    let Some(program) = std::env::args_os().nth(1) else {
        eprintln!("usage: readiness PROGRAM [OPTION]...");
        return ExitCode::from(2);
    };
    match measure(program.as_ref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(program: &Path) -> Result<()> {
    for connections in [64, 512] {
        processor_time(program, connections)?;
    }
    system_calls(program)?;
    idle_connections(program)?;
    burst(program)
}

/// A running program, which is killed when this is dropped.
struct Server {
    child: Child,
    addr: SocketAddr,
}

impl Server {
    /// Runs a program that needn't say where it listens.
    fn spawn(command: &mut Command) -> Result<Server> {
        Ok(Server {
            child: command.spawn()?,
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
        })
    }

    /// Runs a program up to the line in which it says where it listens. No one reads
    /// on after that.
    fn start(command: &mut Command) -> Result<Server> {
        let mut server = Server::spawn(command.stdout(Stdio::piped()))?;
        let mut line = String::new();
        if let Some(stdout) = server.child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let addr = line.trim_end().strip_prefix("listening on http://");
        let addr =
            addr.ok_or_else(|| format!("it says {line:?}, not where it listens"))?;
        server.addr = addr.parse()?;
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(program: &Path) -> Result<Server> {
    let mut command = Command::new(program);
    command.arg("127.0.0.1:0").args(std::env::args().skip(2));
    command.stderr(Stdio::null());
    Server::start(&mut command)
        .map_err(|error| format!("{}: {error}", program.display()).into())
}

/// The loop that parses nothing, which cargo has built beside this program.
fn raw_loop() -> Result<Server> {
    start(&std::env::current_exe()?.with_file_name("raw_loop"))
}

/// nginx with one process that answers from memory; `None` where it isn't installed.
fn nginx() -> Result<Option<Server>> {
    // A free port, most likely, when nginx gets it.
    let addr = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let folder = std::env::temp_dir().join(format!("readiness-{}", addr.port()));
    fs::create_dir_all(&folder)?;
    let shown = folder.display();
    let conf = format!(
        "daemon off; master_process off; error_log stderr crit; pid {shown}/pid;\n\
         events {{ worker_connections 16384; }}\n\
         http {{ access_log off; keepalive_requests 1000000000; default_type text/plain;\n\
         client_body_temp_path {shown}; proxy_temp_path {shown};\n\
         fastcgi_temp_path {shown}; uwsgi_temp_path {shown}; scgi_temp_path {shown};\n\
         server {{ listen {addr} backlog=4096;\n\
         location /app/visit {{ return 200 \"1000000\\n\"; }} }} }}\n"
    );
    let path = folder.join("conf");
    fs::write(&path, conf)?;
    let mut command = Command::new("nginx");
    command.arg("-c").arg(&path).arg("-p").arg(&folder);
    command.stderr(Stdio::null());
    let Ok(mut server) = Server::spawn(&mut command) else {
        return Ok(None);
    };
    server.addr = addr;
    let begin = Instant::now();
    while TcpStream::connect(addr).is_err() {
        if server.child.try_wait()?.is_some() || begin.elapsed() > DEADLINE {
            return Err("nginx is installed, and doesn't start".into());
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(Some(server))
}

fn processor_time(program: &Path, connections: usize) -> Result<()> {
    let mut servers = vec![("raw loop", raw_loop()?), ("program", start(program)?)];
    servers.extend(nginx()?.map(|nginx| ("nginx", nginx)));
    let mut costs = vec![Vec::new(); servers.len()];
    let has_wrk = Command::new("wrk")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok();
    for _ in 0..ROUNDS {
        for ((_, server), costs) in servers.iter().zip(&mut costs) {
            let id = server.child.id();
            let before = run_time(id)?;
            let requests = if has_wrk {
                wrk(server.addr, connections)?
            } else {
                load(&mut connect(server.addr, connections)?, SPAN)?
            };
            let used = run_time(id)?.saturating_sub(before);
            costs.push(used.as_secs_f64() * 1e6 / requests as f64);
        }
    }
    let ratios = |to: usize, of: usize| -> Vec<f64> {
        costs[of]
            .iter()
            .zip(&costs[to])
            .map(|(a, b)| a / b)
            .collect()
    };
    println!(
        "processor time for each request, {connections} connections, load by {}, \
         medians of {ROUNDS}:",
        if has_wrk { "wrk" } else { "this program" }
    );
    for (at, (name, _)) in servers.iter().enumerate() {
        println!(
            "  {name:<9} {:6.2} µs, {:.2} of the raw loop's",
            median(costs[at].clone()),
            median(ratios(0, at)),
        );
    }
    if servers.len() > 2 {
        println!("  the program's is {:.2} of nginx's", median(ratios(2, 1)));
    } else {
        println!("  (nginx isn't installed)");
    }
    Ok(())
}

/// How long all threads of a process have run, from `/proc/PID/task/*/schedstat`.
fn run_time(id: u32) -> Result<Duration> {
    let mut sum = 0;
    for thread in fs::read_dir(format!("/proc/{id}/task"))? {
        let stat = fs::read_to_string(thread?.path().join("schedstat"))?;
        sum += stat
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .parse::<u64>()?;
    }
    Ok(Duration::from_nanos(sum))
}

fn wrk(addr: SocketAddr, connections: usize) -> Result<u64> {
    let output = Command::new("wrk")
        .args(["-t", "1", "-c", &connections.to_string()])
        .args(["-d", &format!("{}s", SPAN.as_secs())])
        .arg(format!("http://{addr}/app/visit"))
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    if text.contains("Non-2xx") || text.contains("Socket errors") {
        return Err(format!("wrk is not content:\n{text}").into());
    }
    // `  123456 requests in 1.00s, 15.00MB read`
    text.lines()
        .find_map(|line| line.trim().split_once(" requests in"))
        .and_then(|(number, _)| number.parse().ok())
        .ok_or_else(|| format!("what does wrk say?\n{text}").into())
}

/// A client's connection, and what it reads.
struct Client(BufReader<TcpStream>);

impl Client {
    fn connect(addr: SocketAddr) -> Result<Client> {
        let stream = TcpStream::connect(addr)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_nodelay(true)?;
        // Room for an answer. There are thousands of clients.
        Ok(Client(BufReader::with_capacity(512, stream)))
    }

    fn ask(&mut self) -> io::Result<()> {
        self.0.get_mut().write_all(REQUEST)
    }

    /// Reads an answer to its end.
    fn read(&mut self) -> Result<()> {
        let (mut length, mut line) = (0, String::new());
        loop {
            line.clear();
            if self.0.read_line(&mut line)? == 0 {
                return Err("the server has closed".into());
            }
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
            if line.starts_with("HTTP/") && !line.contains(" 200 ") {
                return Err(format!("not an answer: {line:?}").into());
            }
            if line == "\r\n" {
                let mut content = vec![0; length];
                self.0.read_exact(&mut content)?;
                return Ok(());
            }
        }
    }
}

fn connect(addr: SocketAddr, count: usize) -> Result<Vec<Client>> {
    (0..count).map(|_| Client::connect(addr)).collect()
}

/// Has every client ask, then every client read, again and again. Returns how many
/// requests that were.
fn load(clients: &mut [Client], span: Duration) -> Result<u64> {
    let (begin, mut requests) = (Instant::now(), 0);
    while begin.elapsed() < span {
        for client in clients.iter_mut() {
            client.ask()?;
        }
        for client in clients.iter_mut() {
            client.read()?;
        }
        requests += clients.len() as u64;
    }
    Ok(requests)
}

fn system_calls(program: &Path) -> Result<()> {
    let server = start(program)?;
    let mut clients = connect(server.addr, 64)?;
    load(&mut clients, Duration::from_millis(50))?;
    let table = std::env::temp_dir().join(format!("readiness-{}", server.child.id()));
    let strace = Command::new("strace")
        .args(["-f", "-c", "-p", &server.child.id().to_string(), "-o"])
        .arg(&table)
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut strace) = strace else {
        println!("system calls: strace isn't installed");
        return Ok(());
    };
    wait_for_the_tracer(server.child.id())?;
    let requests = load(&mut clients, SPAN)?;
    // SIGINT, on which it prints its table.
    let interrupt = format!("kill -INT {}", strace.id());
    Command::new("sh").args(["-c", &interrupt]).status()?;
    strace.wait()?;
    let text = fs::read_to_string(&table)?;
    fs::remove_file(&table)?;
    // `% time, seconds, usecs/call, calls, errors, syscall`
    let mut calls = Vec::new();
    for line in text.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        if let [_, _, _, count, .., name] = words[..]
            && let Ok(count) = count.parse::<u64>()
        {
            calls.push((name, count));
        }
    }
    let all = calls.iter().filter(|(name, _)| *name != "total");
    let sum: u64 = all.map(|(_, count)| count).sum();
    println!(
        "system calls for each request, 64 connections, {requests} requests: {:.3}",
        sum as f64 / requests as f64
    );
    for (name, count) in calls {
        println!("  {count:>8} {name}");
    }
    Ok(())
}

/// Waits until every thread of the process is traced, and a moment longer.
fn wait_for_the_tracer(id: u32) -> Result<()> {
    let begin = Instant::now();
    let is_traced = || -> Result<bool> {
        for thread in fs::read_dir(format!("/proc/{id}/task"))? {
            let status = fs::read_to_string(thread?.path().join("status"))?;
            if status.contains("TracerPid:\t0\n") {
                return Ok(false);
            }
        }
        Ok(true)
    };
    while !is_traced()? {
        if begin.elapsed() > DEADLINE {
            return Err("strace doesn't attach itself".into());
        }
        thread::sleep(Duration::from_millis(10));
    }
    thread::sleep(Duration::from_millis(300));
    Ok(())
}

fn idle_connections(program: &Path) -> Result<()> {
    let limit = fs::read_to_string("/proc/self/limits")?;
    let limit = limit
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<usize>().ok())
        .ok_or("the limit on descriptors can't be read")?;
    let count = IDLE.min(limit.saturating_sub(200));
    let server = start(program)?;
    connect(server.addr, 1)?[0].ask()?;
    let before = memory(server.child.id())?;
    let mut clients = connect(server.addr, count)?;
    // Each has asked once.
    for client in &mut clients {
        client.ask()?;
        client.read()?;
    }
    let after = memory(server.child.id())?;
    let mut times = Vec::new();
    for _ in 0..51 {
        let begin = Instant::now();
        let mut fresh = Client::connect(server.addr)?;
        fresh.ask()?;
        fresh.read()?;
        times.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    let slowest = times.iter().copied().fold(0.0, f64::max);
    println!(
        "memory for each of {count} idle connections: {} bytes",
        after.saturating_sub(before) / count as u64
    );
    println!(
        "a fresh client among them is answered within {:.2} ms (median), {slowest:.2} \
         (the slowest of {})",
        median(times.clone()),
        times.len()
    );
    Ok(())
}

/// What the process has allocated and touched, in bytes.
fn memory(id: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
        .ok_or("the memory of the server can't be read")?;
    Ok(kib * 1024)
}

fn burst(program: &Path) -> Result<()> {
    const THREADS: usize = 200;
    let server = start(program)?;
    let barrier = Barrier::new(THREADS + 1);
    let took = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    let serve = || -> Result<()> {
                        let mut clients = connect(server.addr, BURST / THREADS)?;
                        for client in &mut clients {
                            client.ask()?;
                        }
                        clients.iter_mut().try_for_each(Client::read)
                    };
                    serve().map_err(|error| error.to_string())
                })
            })
            .collect();
        barrier.wait();
        let begin = Instant::now();
        for thread in threads {
            thread.join().map_err(|_| "a client has panicked")??;
        }
        Ok::<_, Box<dyn Error>>(begin.elapsed())
    })?;
    println!("{BURST} clients at once are all answered within {took:.2?}");
    Ok(())
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
