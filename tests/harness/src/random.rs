//! Content that a program can't know beforehand.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// A small pseudo-random generator (xorshift64*), so that wrong code can't answer
/// from memory.
///
/// It is seeded afresh for each check; what was sent is part of every report, so a
/// failure can be understood without knowing the seed.
pub struct Random(u64);

impl Default for Random {
    fn default() -> Random {
        Random(RandomState::new().build_hasher().finish() | 1)
    }
}

impl Random {
    /// A generator with a fixed seed, for runs that must be repeatable.
    pub fn seeded(seed: u64) -> Random {
        Random(seed.wrapping_mul(2).wrapping_add(1))
    }

    /// The next number below `limit`, which must not be zero.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % limit
    }

    /// Any bytes: NUL, line ends, and sequences that are not UTF-8 among them.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.below(256) as u8).collect()
    }

    /// A word of `len` lower-case letters.
    pub fn word(&mut self, len: usize) -> String {
        (0..len)
            .map(|_| char::from(b'a' + self.below(26) as u8))
            .collect()
    }

    /// `len` bytes of lower-case letters in lines: readable in a report.
    pub fn text(&mut self, len: usize) -> Vec<u8> {
        let letter = |at| match at % 60 {
            59 => b'\n',
            _ => b'a' + self.below(26) as u8,
        };
        (0..len).map(letter).collect()
    }
}
