//! What a server outlives: clients that leave in the middle, a crowd that comes at
//! once, and a machine that has no descriptor left.

#[cfg(unix)]
use std::thread;
#[cfg(unix)]
use std::time::{Duration, Instant};

#[cfg(unix)]
use crate::DEADLINE;
use crate::{Check, Program, Site, get, some_threads};

/// Why a server panics when clients leave.
const UNWRAPPED: &str = "a client that leaves is nothing unusual. The error of a \
                         read or a write ends its conversation: pass it on with ?, \
                         and log it where the conversation ends.";
/// Why a server takes no client any more after `accept` has failed.
#[cfg(unix)]
const ENDED: &str = "accept() fails while the program has no descriptor to spare, and \
                     works again once a client has gone, if the program gives back \
                     what the client had. The loop over connections must outlive that \
                     error, as in chapter 01: log it, and go on. A ?, a break, an \
                     unwrap() or `while let Ok(…)` ends the loop.";

impl Check {
    /// Checks that clients that leave without a word, in the middle of a request or
    /// in the middle of their answer, don't take a thread away.
    #[track_caller]
    pub fn keeps_its_threads_when_clients_leave(&self, left: &'static str) {
        let site = Site::with_a_home();
        site.large_file("large", 10 << 20, b"end");
        let threads = some_threads();
        let server = self.start_pool(&site, threads);
        // Whether jobs go round or to a free thread, each thread has one of these.
        for _ in 0..threads {
            server.reset_in_a_write(get("/large"));
        }
        server.must_meet(threads, left);
        for _ in 0..threads {
            server.reset_in_a_read(get("/"), "GET / HT");
        }
        for _ in 0..threads {
            drop(server.connect());
        }
        server.must_meet(threads, left);
        server.must_not_have_panicked(UNWRAPPED);
    }

    /// Checks that a server goes on when it has had no descriptor left for a while.
    #[cfg(unix)]
    #[track_caller]
    pub fn outlives_a_lack_of_descriptors(&self, args: &[&str]) {
        const FILES: usize = 16;
        let check = self.clone().if_it_ends(ENDED);
        let server = check.start_with_few_files(16, args);
        server.comes_to_rest();
        let before = server.open_files();
        let clients: Vec<_> = (0..FILES + 4)
            .map_while(|_| std::net::TcpStream::connect(server.addr()).ok())
            .collect();
        check.step(format!("connect {} times", clients.len()));
        server.runs_out_of_descriptors(FILES);
        check.step("hang up");
        drop(clients);
        // This needs no descriptor but the client's own.
        server
            .ask("/app/wait/1")
            .must_get(200, "waited 1 ms\n", ENDED);
        server.must_still_run_after(ENDED);
        check.step("look whether it has given back what its clients had");
        let until = Instant::now() + DEADLINE;
        while let Some((before, now)) = before.zip(server.open_files()) {
            if now <= before {
                break;
            }
            if Instant::now() > until {
                check.fail(
                    format!(
                        "Its clients are gone, and the program has {now} files and \
                         sockets open, where it had {before} before they came."
                    ),
                    "something keeps a client's stream, or a clone of it: a list of \
                     clients, or a thread that does not end. Each holds a descriptor \
                     until it is dropped.",
                );
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Checks that none of many clients is forgotten that come while the pool runs
    /// out of work again and again, and that no thread is lost.
    #[track_caller]
    pub fn serves_a_crowd(&self, forgotten: &'static str) {
        let site = Site::with_a_home();
        let threads = some_threads();
        let server = self.start_pool(&site, threads);
        for _ in 0..3 {
            // They are all there when the program goes on, so it takes them as fast
            // as it can.
            server.stop();
            let clients = server.ask_often(100, "/app/wait/0");
            server.go_on();
            for client in clients {
                client.must_get(200, "waited 0 ms\n", forgotten);
            }
        }
        server.must_meet(threads, forgotten);
        server.must_not_have_panicked(forgotten);
    }
}

impl Program {
    /// Waits until the program has so many files open, and has met the error of the
    /// next one.
    #[cfg(unix)]
    fn runs_out_of_descriptors(&self, files: usize) {
        self.check().step("wait until it has no descriptor left");
        let before = self.cpu_time();
        let until = Instant::now() + DEADLINE / 4;
        while self.open_files().is_some_and(|open| open < files)
            && Instant::now() < until
        {
            thread::sleep(Duration::from_micros(500));
        }
        if self.open_files().is_none() {
            thread::sleep(Duration::from_millis(50));
        }
        // Then accept() fails at once: the program ends, waits a moment, says so, or
        // tries again as fast as it can.
        let spins = || {
            let used = self.cpu_time().zip(before).map(|(now, then)| now - then);
            used.is_none_or(|used| used > Duration::from_millis(20))
        };
        while !self.says_or_ends()
            && !self.rests_now()
            && !spins()
            && Instant::now() < until + DEADLINE
        {
            thread::sleep(Duration::from_millis(1));
        }
    }
}
