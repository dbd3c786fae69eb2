//! Presses Ctrl-C in a server's console on Windows: once, and the server answers what
//! it has received before it ends; twice, and it ends at once.
//!
//! `cargo run -p harness --example ctrl_c -- target/debug/solution11.exe`

#[cfg(windows)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    for program in std::env::args_os().skip(1) {
        let name = std::path::Path::new(&program).file_name();
        let shown = name.unwrap_or_default().to_string_lossy();
        for (times, wanted) in [(1, (Some(0), true)), (2, (Some(130), false))] {
            let got = windows::press(&program, times)?;
            if got != wanted {
                return Err(format!(
                    "{shown}, Ctrl-C {times} times: \
                     (exit code, answered) is {got:?}, not {wanted:?}"
                )
                .into());
            }
        }
        println!("{shown} ends with one Ctrl-C, and at once with two");
    }
    Ok(())
}

#[cfg(not(windows))]
fn main() {
    eprintln!("this is for Windows: on other systems the milestones send signals");
}

#[cfg(windows)]
mod windows {
    use std::error::Error;
    use std::ffi::OsStr;
    use std::io::{self, BufRead, BufReader, Read, Write};
    use std::net::TcpStream;
    use std::process::{Child, Command, Stdio};
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    const DEADLINE: Duration = Duration::from_secs(10);
    const CTRL_C_EVENT: u32 = 0;

    // In kernel32.dll; see Microsoft's documentation of these two functions.
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn SetConsoleCtrlHandler(
            handler: extern "system" fn(u32) -> i32,
            add: i32,
        ) -> i32;
        fn GenerateConsoleCtrlEvent(event: u32, group: u32) -> i32;
    }

    /// The event goes to each program of the console, and so to this one as well.
    extern "system" fn go_on(_: u32) -> i32 {
        1
    }

    /// The program under test, killed when dropped.
    struct Server(Child);

    impl Drop for Server {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    /// Presses Ctrl-C while a request is handled. Returns the exit code, and whether
    /// the request was answered.
    pub fn press(
        program: &OsStr,
        times: u32,
    ) -> Result<(Option<i32>, bool), Box<dyn Error>> {
        // SAFETY: the handler has the type that the function asks for, and may be
        // called at any time on any thread.
        if unsafe { SetConsoleCtrlHandler(go_on, 1) } == 0 {
            return Err(io::Error::last_os_error().into());
        }
        let server = Command::new(program)
            .args(["127.0.0.1:0", "--grace", "9000"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut server = Server(server);
        let stdout = server.0.stdout.take().ok_or("no stdout")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let addr = line
            .trim_end()
            .strip_prefix("listening on http://")
            .ok_or("no address")?;

        let mut client = TcpStream::connect(addr)?;
        client.set_read_timeout(Some(DEADLINE))?;
        client.write_all(b"GET /app/wait/1500 HTTP/1.1\r\nHost: a\r\n")?;
        client.write_all(b"Connection: close\r\n\r\n")?;
        // Nothing tells from outside when the handler has begun.
        sleep(Duration::from_millis(500));
        for _ in 0..times {
            // SAFETY: no pointer is handed over.
            if unsafe { GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0) } == 0 {
                return Err(io::Error::last_os_error().into());
            }
            // Windows calls the handlers on a new thread each: not both at once.
            sleep(Duration::from_millis(200));
        }
        if TcpStream::connect(addr).is_ok() {
            return Err("after Ctrl-C a client was still accepted".into());
        }
        let mut answer = Vec::new();
        // The second Ctrl-C cuts the answer off: an end, or an error.
        let _ = client.read_to_end(&mut answer);
        let until = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = server.0.try_wait()? {
                let answered = answer.ends_with(b"waited 1500 ms\n");
                return Ok((status.code(), answered));
            }
            if Instant::now() > until {
                return Err("it does not end".into());
            }
            sleep(Duration::from_millis(5));
        }
    }
}
