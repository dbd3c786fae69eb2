struct Connection {
    input: Vec<u8>,
}

// ANCHOR: wrong
impl Connection {
    fn read_head(&mut self) -> &[u8] {
        loop {
            if let Some(head) = self.complete_head() {
                return head;
            }
            self.fill();
        }
    }
    // ANCHOR_END: wrong

    fn complete_head(&mut self) -> Option<&[u8]> {
        let len = self.input.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        Some(&self.input[..len])
    }

    fn fill(&mut self) {
        self.input.extend_from_slice(b"\r\n");
    }
}

fn main() {
    let mut connection = Connection { input: Vec::new() };
    println!("{}", connection.read_head().len());
}
