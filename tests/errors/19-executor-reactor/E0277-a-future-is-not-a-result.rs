use std::io;

struct Connection;

impl Connection {
    async fn read_head(&mut self) -> io::Result<Option<usize>> {
        Ok(None)
    }
}

// ANCHOR: wrong
async fn next_answer(connection: &mut Connection) -> io::Result<Option<usize>> {
    let Some(len) = connection.read_head()? else {
        return Ok(None);
    };
    Ok(Some(len))
}
// ANCHOR_END: wrong

fn main() {
    drop(next_answer(&mut Connection));
}
