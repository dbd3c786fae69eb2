//! Buffers that a connection has only while something is under way.

use std::cell::RefCell;

use crate::buffers::Buffers;

/// How many buffers that no one uses are kept.
const MAX_SPARE: usize = 16;

thread_local! {
    /// Buffers of this thread that no one uses. Each use takes one out or puts one
    /// back, and is over at once: none lasts while a task waits.
    #[allow(clippy::vec_box, reason = "a box goes from one place to the other")]
    static SPARE: RefCell<Vec<Box<Buffers>>> = const { RefCell::new(Vec::new()) };
}

/// A place for buffers, with none in it while they aren't needed.
#[derive(Debug, Default)]
pub struct Lent(Option<Box<Buffers>>);

impl Lent {
    /// The buffers that are here, or some that no one uses.
    pub fn get(&mut self) -> &mut Buffers {
        self.0.get_or_insert_with(|| {
            SPARE.with_borrow_mut(Vec::pop).unwrap_or_default()
        })
    }

    /// What has been read and not used.
    pub fn unread(&self) -> &[u8] {
        self.0
            .as_ref()
            .map_or(&[], |buffers| buffers.input.unread())
    }

    /// Whether there is something to send.
    pub fn has_output(&self) -> bool {
        let buffers = self.0.as_ref();
        buffers.is_some_and(|buffers| !buffers.output.is_empty())
    }

    /// Gives the buffers back if nothing is under way in them.
    pub fn give_back(&mut self) {
        if let Some(buffers) = self.0.take_if(|buffers| buffers.are_empty()) {
            SPARE.with_borrow_mut(|spare| {
                if buffers.are_of_use() && spare.len() < MAX_SPARE {
                    spare.push(buffers);
                }
            });
        }
    }

    /// Whether there are none.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}
