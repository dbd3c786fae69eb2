struct Connection {
    input: Vec<u8>,
}

struct Request<'a>(&'a [u8]);

impl Connection {
    fn head(&self) -> &[u8] {
        &self.input
    }

    async fn while_here<T>(&mut self, handler: impl Future<Output = T>) -> T {
        handler.await
    }
}

async fn respond(request: &Request<'_>) -> usize {
    request.0.len()
}

// ANCHOR: wrong
async fn next_answer(connection: &mut Connection) -> usize {
    let request = Request(connection.head());
    let response = respond(&request);
    connection.while_here(response).await
}
// ANCHOR_END: wrong

fn main() {
    drop(next_answer(&mut Connection { input: Vec::new() }));
}
