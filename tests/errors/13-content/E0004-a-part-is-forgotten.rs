pub enum Chunks {
    Size,
    Data(u64),
    DataEnd,
    Trailers,
    End,
}

impl Chunks {
    // ANCHOR: wrong
    fn is_complete(&self) -> bool {
        match self {
            Chunks::End => true,
            Chunks::Size | Chunks::Data(_) | Chunks::Trailers => false,
        }
    }
    // ANCHOR_END: wrong
}

fn main() {}
