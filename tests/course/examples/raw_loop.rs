//! The least that a server can do, on Linux: one thread, epoll, and the same answer
//! to every read. It parses nothing, and knows no deadlines; no server that reads its
//! requests can be faster.
//!
//! `cargo run --release -q -p course --example raw_loop -- 127.0.0.1:7879`

#[cfg(target_os = "linux")]
fn main() -> std::io::Result<()> {
    raw::serve()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("raw_loop needs epoll, which only Linux has");
}

#[cfg(target_os = "linux")]
mod raw {
    use std::ffi::c_int;
    use std::io::{self, ErrorKind, Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd;

    /// As long as the answer to `/app/visit` after some millions of them.
    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\n\
        Content-Type: text/plain; charset=utf-8\r\n\
        Content-Length: 8\r\n\
        Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n\
        1000000\n";
    const ROOM: usize = 256;

    // See epoll_create1(2), epoll_ctl(2), epoll_wait(2) and listen(2).
    unsafe extern "C" {
        fn epoll_create1(flags: c_int) -> c_int;
        fn epoll_ctl(epoll: c_int, op: c_int, fd: c_int, event: *mut Event) -> c_int;
        fn epoll_wait(
            epoll: c_int,
            events: *mut Event,
            room: c_int,
            ms: c_int,
        ) -> c_int;
        fn listen(fd: c_int, backlog: c_int) -> c_int;
    }

    /// `struct epoll_event`, see epoll_event(3type).
    #[derive(Clone, Copy)]
    #[cfg_attr(target_arch = "x86_64", repr(C, packed))]
    #[cfg_attr(not(target_arch = "x86_64"), repr(C))]
    struct Event {
        events: u32,
        fd: u64,
    }

    const EPOLLIN: u32 = 1;
    const EPOLL_CTL_ADD: c_int = 1;

    /// Answers until it's killed.
    pub fn serve() -> io::Result<()> {
        let addr = std::env::args().nth(1);
        let listener = TcpListener::bind(addr.as_deref().unwrap_or("127.0.0.1:0"))?;
        listener.set_nonblocking(true)?;
        // SAFETY: the function takes two numbers.
        checked(unsafe { listen(listener.as_raw_fd(), 4096) })?;
        println!("listening on http://{}", listener.local_addr()?);

        // SAFETY: the function takes a number.
        let epoll = checked(unsafe { epoll_create1(0) })?;
        watch(epoll, listener.as_raw_fd())?;
        // By their descriptors.
        let mut streams: Vec<Option<TcpStream>> = Vec::new();
        let mut buffer = vec![0; 16 * 1024];
        let mut ready = [Event { events: 0, fd: 0 }; ROOM];
        loop {
            // SAFETY: the pointer is good for writing ROOM events.
            let count =
                unsafe { epoll_wait(epoll, ready.as_mut_ptr(), ROOM as c_int, -1) };
            // Negative if a signal has interrupted the wait.
            let count = usize::try_from(count).unwrap_or(0);
            for event in &ready[..count] {
                let fd = event.fd as usize;
                if fd == listener.as_raw_fd() as usize {
                    while let Ok((stream, _)) = listener.accept() {
                        stream.set_nonblocking(true)?;
                        stream.set_nodelay(true)?;
                        watch(epoll, stream.as_raw_fd())?;
                        let at = stream.as_raw_fd() as usize;
                        if streams.len() <= at {
                            streams.resize_with(at + 1, || None);
                        }
                        streams[at] = Some(stream);
                    }
                } else if !answer(streams[fd].as_ref(), &mut buffer) {
                    // epoll forgets a descriptor that is closed.
                    streams[fd] = None;
                }
            }
        }
    }

    /// Reads once and answers once; `false` if the client is gone.
    fn answer(stream: Option<&TcpStream>, buffer: &mut [u8]) -> bool {
        let Some(mut stream) = stream else {
            return false;
        };
        match stream.read(buffer) {
            Ok(0) => false,
            Ok(_) => stream.write_all(ANSWER).is_ok(),
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        }
    }

    fn watch(epoll: c_int, fd: c_int) -> io::Result<()> {
        let mut event = Event {
            events: EPOLLIN,
            fd: fd as u64,
        };
        // SAFETY: the pointer is good for reading one event.
        checked(unsafe { epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &raw mut event) })?;
        Ok(())
    }

    fn checked(outcome: c_int) -> io::Result<c_int> {
        match outcome {
            0.. => Ok(outcome),
            _ => Err(io::Error::last_os_error()),
        }
    }
}
