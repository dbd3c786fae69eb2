//! Places for clients, and a name for each client that no other gets after it.

/// A client's name: its place, and how many others have had that place before.
///
/// Places are used again, and there may still be news of someone who has left. The
/// second number tells such news from that of the client who came after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    place: u32,
    generation: u32,
}

impl From<Token> for u64 {
    fn from(token: Token) -> u64 {
        u64::from(token.place) | u64::from(token.generation) << 32
    }
}

impl From<u64> for Token {
    fn from(number: u64) -> Token {
        // The lower half, and the upper one.
        let (place, generation) = (number as u32, (number >> 32) as u32);
        Token { place, generation }
    }
}

/// Values that are found by their tokens.
#[derive(Debug)]
pub struct Slots<T> {
    slots: Vec<Slot<T>>,
    /// The places that are free.
    free: Vec<u32>,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Default for Slots<T> {
    fn default() -> Slots<T> {
        Slots {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Slots<T> {
    /// The name that the next value gets.
    pub fn next_token(&self) -> Token {
        let place = match self.free.last() {
            Some(free) => *free,
            None => self.slots.len() as u32,
        };
        let slot = self.slots.get(place as usize);
        let generation = slot.map_or(0, |slot| slot.generation);
        Token { place, generation }
    }

    /// Gives a value a place, and returns its name.
    ///
    /// # Panics
    ///
    /// Panics if there are more places than descriptors could ever be.
    pub fn insert(&mut self, value: T) -> Token {
        let place = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot {
                generation: 0,
                value: None,
            });
            u32::try_from(self.slots.len() - 1).expect("fewer places")
        });
        let slot = &mut self.slots[place as usize];
        slot.value = Some(value);
        Token {
            place,
            generation: slot.generation,
        }
    }

    /// The value of this name; `None` if it's no longer here.
    pub fn get_mut(&mut self, token: Token) -> Option<&mut T> {
        let slot = self.slots.get_mut(token.place as usize)?;
        if slot.generation != token.generation {
            return None;
        }
        slot.value.as_mut()
    }

    /// Takes a value out. Its place is free for another one, with another name.
    pub fn remove(&mut self, token: Token) -> Option<T> {
        self.get_mut(token)?;
        let slot = &mut self.slots[token.place as usize];
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(token.place);
        slot.value.take()
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests;
