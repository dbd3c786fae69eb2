//! What Linux tells about TCP sockets: about one of them when it's asked for it, and
//! about all in `/proc/net/tcp`, see proc(5).
//!
//! That file has a line for each: addresses in hexadecimal, the state, `tx_queue:rx_queue`, and
//! further on the inode, by which a process's descriptor leads to its socket.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;

use super::PROC;

#[cfg(target_os = "linux")]
#[path = "diag.rs"]
mod diag;

/// One end of a connection.
struct End {
    /// As in [`Socket`].
    state: u8,
    unsent: u64,
    unread: u64,
}

/// A line of the table.
struct Socket {
    local_port: u16,
    remote_port: u16,
    /// 1 is established, 10 (`0A`) is listening.
    state: u8,
    /// How many bytes wait to be sent, or to be acknowledged.
    unsent: u64,
    /// How many bytes have come and wait to be read.
    unread: u64,
    inode: String,
}

impl Socket {
    fn read(line: &str) -> Option<Socket> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let last = |at: usize| fields.get(at)?.rsplit(':').next();
        Some(Socket {
            local_port: u16::from_str_radix(last(1)?, 16).ok()?,
            remote_port: u16::from_str_radix(last(2)?, 16).ok()?,
            state: u8::from_str_radix(last(3)?, 16).ok()?,
            unsent: u64::from_str_radix(fields.get(4)?.split(':').next()?, 16)
                .ok()?,
            unread: u64::from_str_radix(last(4)?, 16).ok()?,
            inode: (*fields.get(9)?).to_owned(),
        })
    }
}

/// The sockets of this machine, one by one: a busy machine has thousands, of which no
/// more are read than it takes. `None` if the system doesn't tell.
fn sockets() -> Option<impl Iterator<Item = Socket>> {
    let table = BufReader::new(File::open(format!("{PROC}/net/tcp")).ok()?);
    let lines = table.lines().skip(1).map_while(Result::ok);
    Some(lines.filter_map(|line| Socket::read(&line)))
}

/// How many bytes wait unread in the program's end of a connection, if the system
/// tells. A connection that is no longer listed has nothing unread.
pub(crate) fn unread_bytes(server: SocketAddr, client: SocketAddr) -> Option<u64> {
    queues(server, client).map(|[_, unread]| unread)
}

/// How many bytes wait in one end of a connection to be sent and acknowledged, and how
/// many to be read, if the system tells.
pub(crate) fn queues(here: SocketAddr, there: SocketAddr) -> Option<[u64; 2]> {
    let end = find(here, there)?;
    Some(end.map_or([0, 0], |end| [end.unsent, end.unread]))
}

/// How many connections there are to a port, if the system tells.
#[allow(
    dead_code,
    reason = "`cargo course`, which reads this file too, asks it"
)]
pub(crate) fn connections(port: u16) -> Option<usize> {
    const ESTABLISHED: u8 = 1;
    let is_to_it =
        |socket: &Socket| socket.state == ESTABLISHED && socket.remote_port == port;
    Some(sockets()?.filter(is_to_it).count())
}

/// Whether the program's end of a connection is gone: closed and done with, or reset.
/// `None` if the system doesn't tell.
pub(crate) fn is_gone(server: SocketAddr, client: SocketAddr) -> Option<bool> {
    // A socket in TIME_WAIT (6) or CLOSE (7) belongs to no process any more.
    let is_over = |end: End| matches!(end.state, 6 | 7);
    Some(find(server, client)?.is_none_or(is_over))
}

fn find(here: SocketAddr, there: SocketAddr) -> Option<Option<End>> {
    #[cfg(target_os = "linux")]
    if let (SocketAddr::V4(here), SocketAddr::V4(there)) = (here, there)
        && let Some(known) = diag::find(here, there)
    {
        return Some(known);
    }
    find_in_table(here, there)
}

fn find_in_table(here: SocketAddr, there: SocketAddr) -> Option<Option<End>> {
    let ports = (here.port(), there.port());
    let is_it = |socket: &Socket| (socket.local_port, socket.remote_port) == ports;
    Some(sockets()?.find(is_it).map(|socket| End {
        state: socket.state,
        unsent: socket.unsent,
        unread: socket.unread,
    }))
}

/// A port on which a process listens, if it does and the system tells.
pub(crate) fn listening_port(id: u32) -> Option<u16> {
    const LISTENING: u8 = 10;
    let files = fs::read_dir(format!("{PROC}/{id}/fd")).ok()?;
    let inodes: Vec<String> = (files.flatten())
        .filter_map(|file| {
            let target = fs::read_link(file.path()).ok()?;
            let target = target.to_str()?.strip_prefix("socket:[")?;
            Some(target.trim_end_matches(']').to_owned())
        })
        .collect();
    let is_its =
        |socket: &Socket| socket.state == LISTENING && inodes.contains(&socket.inode);
    Some(sockets()?.find(is_its)?.local_port)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn the_kernel_tells_what_is_unread() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        let mut client = TcpStream::connect(server).unwrap();
        let (mut accepted, _) = listener.accept().unwrap();
        client.write_all(b"seven!!").unwrap();
        let addr = client.local_addr().unwrap();
        while unread_bytes(server, addr) == Some(0) {}
        assert_eq!(unread_bytes(server, addr), Some(7));
        accepted.read_exact(&mut [0; 7]).unwrap();
        assert_eq!(unread_bytes(server, addr), Some(0));
        assert_eq!(is_gone(server, addr), Some(false));
    }

    #[test]
    fn the_kernel_tells_the_same_when_asked_for_one_socket() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        let mut client = TcpStream::connect(server).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        client.write_all(b"seven!!").unwrap();
        let addr = client.local_addr().unwrap();
        let shown = |end: End| (end.state, end.unsent, end.unread);
        let asked = || find(server, addr).unwrap().map(shown);
        let listed = || find_in_table(server, addr).unwrap().map(shown);
        while asked().is_none_or(|(.., unread)| unread < 7) {}
        assert_eq!(asked(), Some((1, 0, 7)));
        assert_eq!(asked(), listed());
        drop(accepted);
        // It was closed with unread input, which resets the connection.
        while asked().is_some() {}
        assert_eq!(listed(), None);
    }

    #[test]
    fn a_process_that_listens_is_found_out() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let all: Vec<u16> = (sockets().unwrap())
            .filter(|socket| socket.state == 10)
            .map(|socket| socket.local_port)
            .collect();
        assert!(all.contains(&listener.local_addr().unwrap().port()));
        // Other tests of this process listen too.
        assert!(listening_port(std::process::id()).is_some());
    }
}
