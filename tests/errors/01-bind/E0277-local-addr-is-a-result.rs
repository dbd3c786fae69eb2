use std::io::{self, Write};
use std::net::TcpListener;

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:7878")?;
    // ANCHOR: wrong
    writeln!(io::stdout(), "listening on http://{}", listener.local_addr())?;
    // ANCHOR_END: wrong
    Ok(())
}
