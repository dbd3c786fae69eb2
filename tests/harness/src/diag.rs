//! What Linux tells about one TCP socket that it's asked for, see sock_diag(7).
//!
//! `/proc/net/tcp` tells the same, but it lists all sockets of the machine, and those
//! that were closed within the last minute besides. After a few milestones these are
//! thousands, and it takes longer to read them than to check anything.

use std::ffi::c_int;
use std::fs::File;
use std::io::{Read, Write};
use std::net::SocketAddrV4;
use std::os::fd::{FromRawFd, OwnedFd};

use super::End;

// See socket(2), netlink(7), linux/netlink.h, linux/sock_diag.h and linux/inet_diag.h.
unsafe extern "C" {
    fn socket(domain: c_int, kind: c_int, protocol: c_int) -> c_int;
}

const AF_NETLINK: c_int = 16;
/// Datagrams, not inherited by programs that are started, and no read ever waits.
const KIND: c_int = 2 | 0o2_000_000 | 0o4_000;
const NETLINK_SOCK_DIAG: c_int = 4;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLMSG_ERROR: u16 = 2;
const NLM_F_REQUEST: u16 = 1;
const AF_INET: u8 = 2;
const IPPROTO_TCP: u8 = 6;
const NOT_FOUND: i32 = -2;
/// Where there's no such connection, the kernel tells about the socket that would
/// accept it.
const LISTENING: u8 = 10;
/// Before each message: its length, its type, and what only the kernel needs.
const HEADER: usize = 16;

/// One end of a connection; `Some(None)` if there is none, and `None` if the system
/// doesn't tell.
pub(super) fn find(here: SocketAddrV4, there: SocketAddrV4) -> Option<Option<End>> {
    // SAFETY: the function takes three numbers.
    let fd = unsafe { socket(AF_NETLINK, KIND, NETLINK_SOCK_DIAG) };
    if fd < 0 {
        return None;
    }
    // SAFETY: the kernel has just opened this descriptor for us, and nobody else
    // knows its number.
    let mut kernel = File::from(unsafe { OwnedFd::from_raw_fd(fd) });
    kernel.write_all(&question(here, there)).ok()?;
    let mut answer = [0; 1024];
    let len = kernel.read(&mut answer).ok()?;
    read(&answer[..len])
}

/// `struct nlmsghdr`, and in it a `struct inet_diag_req_v2` that names one socket.
fn question(here: SocketAddrV4, there: SocketAddrV4) -> Vec<u8> {
    const ALL_STATES: u32 = u32::MAX;
    let mut body = vec![AF_INET, IPPROTO_TCP, 0, 0];
    body.extend(ALL_STATES.to_ne_bytes());
    body.extend(here.port().to_be_bytes());
    body.extend(there.port().to_be_bytes());
    for addr in [here, there] {
        // Room for an IPv6 address.
        body.extend(addr.ip().octets());
        body.extend([0; 12]);
    }
    // Any device, and no cookie.
    body.extend([0; 4]);
    body.extend([0xff; 8]);
    let mut message = Vec::new();
    message.extend(((HEADER + body.len()) as u32).to_ne_bytes());
    message.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    message.extend(NLM_F_REQUEST.to_ne_bytes());
    message.extend([0; 8]);
    message.extend(body);
    message
}

/// Reads a `struct inet_diag_msg`, or an error.
fn read(answer: &[u8]) -> Option<Option<End>> {
    let word = |at: usize| Some(answer.get(at..at + 4)?.try_into().ok()?);
    let number = |at: usize| word(at).map(u32::from_ne_bytes);
    match u16::from_ne_bytes(answer.get(4..6)?.try_into().ok()?) {
        NLMSG_ERROR if i32::from_ne_bytes(word(HEADER)?) == NOT_FOUND => Some(None),
        SOCK_DIAG_BY_FAMILY if *answer.get(HEADER + 1)? == LISTENING => Some(None),
        SOCK_DIAG_BY_FAMILY => Some(Some(End {
            state: *answer.get(HEADER + 1)?,
            unread: number(HEADER + 56)?.into(),
            unsent: number(HEADER + 60)?.into(),
        })),
        _ => None,
    }
}
