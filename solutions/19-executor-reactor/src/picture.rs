//! A picture that takes a while to compute: a part of the Mandelbrot set, as a BMP
//! file.
//!
//! All of it is integer arithmetic, so the same view has the same bytes on every
//! machine.

use std::ops::Range;

use crate::fork_join::fork_join;
use crate::refusal::Refusal;

/// The largest picture, in pixels along each side.
const LARGEST: u32 = 2_000;
/// The most steps that are taken for a pixel.
const DEEPEST: u32 = 1_000;
/// How many rows are few enough to be painted by one thread.
const FEW_ROWS: usize = 16;

/// Numbers are multiples of 2⁻²⁸: this is 1.
const ONE: i64 = 1 << FRACTION;
const FRACTION: u32 = 28;

/// What the picture shows: the square from −0.3 + 0.55i to 0.2 + 1.05i. Most of the
/// work is at its bottom.
const LEFT: i64 = -30 * ONE / 100;
const BOTTOM: i64 = 55 * ONE / 100;
const WIDTH: i64 = 50 * ONE / 100;

/// The colours, which repeat: this many shades lead from each of them to the next.
const SHADES: usize = 9;
const COLOURS: [[u8; 3]; 5] = [
    [8, 40, 130],
    [90, 190, 245],
    [255, 248, 215],
    [240, 160, 40],
    [70, 15, 30],
];
/// The colour of the set itself.
const INSIDE: [u8; 3] = [12, 10, 26];

/// How large the picture is, and how many steps are taken at most for each pixel.
#[derive(Debug, Clone, Copy)]
pub struct View {
    size: usize,
    depth: u32,
}

impl View {
    /// The view of this size and depth.
    ///
    /// # Errors
    ///
    /// Refuses what there'd be nothing to see of, and what would take too long.
    pub fn new(size: u32, depth: u32) -> Result<View, Refusal> {
        if !(1..=LARGEST).contains(&size) || !(1..=DEEPEST).contains(&depth) {
            return Err(Refusal::bad_request(
                "a picture has a size of 1 to 2000 and a depth of 1 to 1000",
            ));
        }
        Ok(View {
            size: size as usize,
            depth,
        })
    }

    /// The picture as a BMP file, painted together with other workers.
    pub fn paint(self) -> Vec<u8> {
        let mut file = self.header();
        let leaf = move |rows| self.paint_rows(rows);
        file.extend(fork_join(0..self.size, FEW_ROWS, leaf));
        file
    }

    /// Paints these rows, which are counted from the bottom.
    fn paint_rows(self, rows: Range<usize>) -> Vec<u8> {
        let mut pixels = vec![0; rows.len() * self.stride()];
        for (y, row) in rows.zip(pixels.chunks_mut(self.stride())) {
            self.paint_row(y, &mut row[..self.size]);
        }
        pixels
    }

    /// Paints row `y`: each pixel is the number of a colour in the palette.
    fn paint_row(&self, y: usize, row: &mut [u8]) {
        for (x, pixel) in row.iter_mut().enumerate() {
            *pixel = match self.steps(LEFT + self.scale(x), BOTTOM + self.scale(y)) {
                None => 0,
                Some(steps) => (1 + steps % 255) as u8,
            };
        }
    }

    /// How far a number of pixels reaches in what the picture shows.
    fn scale(&self, pixels: usize) -> i64 {
        pixels as i64 * WIDTH / self.size as i64
    }

    /// After how many steps of z → z² + c, with c = `left` + `up`·i, z is farther
    /// than 2 from zero; `None` if it isn't after as many steps as the view is deep.
    fn steps(&self, left: i64, up: i64) -> Option<u32> {
        let (mut x, mut y) = (0, 0);
        for step in 0..self.depth {
            let (xx, yy) = ((x * x) >> FRACTION, (y * y) >> FRACTION);
            if xx + yy > 4 * ONE {
                return Some(step);
            }
            y = ((x * y) >> (FRACTION - 1)) + up;
            x = xx - yy + left;
        }
        None
    }

    /// The bytes of a row: one for each pixel, filled up to a multiple of four.
    fn stride(&self) -> usize {
        self.size.next_multiple_of(4)
    }

    /// All that comes before the pixels of a BMP file: its header, the description of
    /// the picture, and a palette of 256 colours.
    fn header(&self) -> Vec<u8> {
        const PALETTE: u32 = 14 + 40;
        const PIXELS: u32 = PALETTE + 256 * 4;
        let (size, bytes) = (self.size as u32, (self.size * self.stride()) as u32);

        #[rustfmt::skip]
        let numbers = [
            // The length of the file, a reserved field, and where the pixels begin.
            PIXELS + bytes, 0, PIXELS,
            // The length of the description; width and height; one plane, 8 bits for
            // each pixel; not compressed; the length of the pixels.
            40, size, size, 1 | (8 << 16), 0, bytes,
            // 2835 pixels to the metre, both ways; 256 colours, all important.
            2835, 2835, 256, 256,
        ];
        let mut header = b"BM".to_vec();
        header.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        header.extend([INSIDE].into_iter().chain(shades()).flat_map(in_palette));
        header
    }
}

/// The 255 colours in which a number of steps is shown.
fn shades() -> impl Iterator<Item = [u8; 3]> {
    (0..255).map(|number: usize| {
        let (from, share) = (number / SHADES % COLOURS.len(), number % SHADES);
        let (from, to) = (COLOURS[from], COLOURS[(from + 1) % COLOURS.len()]);
        [0, 1, 2].map(|at| {
            let mixed = usize::from(from[at]) * (SHADES - share)
                + usize::from(to[at]) * share;
            (mixed / SHADES) as u8
        })
    })
}

/// A colour as the palette has it.
fn in_palette([red, green, blue]: [u8; 3]) -> [u8; 4] {
    [blue, green, red, 0]
}

#[cfg(test)]
mod tests;
