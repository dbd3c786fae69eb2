use super::{BOTTOM, LEFT, View};

/// What a file is like: a number that's another one if a byte is (FNV-1a).
fn fingerprint(file: &[u8]) -> u64 {
    file.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

/// A view that [`View::new`] need not accept.
fn view(size: usize, depth: u32) -> View {
    View { size, depth }
}

#[test]
fn a_row_has_the_colours_that_it_has() {
    for (size, depth, y, wanted) in [
        (
            16,
            40,
            7,
            [9, 13, 23, 0, 0, 0, 0, 0, 0, 31, 14, 9, 8, 8, 7, 7].as_slice(),
        ),
        (
            15,
            40,
            11,
            &[7, 8, 8, 9, 12, 15, 22, 12, 9, 8, 7, 6, 6, 6, 5],
        ),
        (13, 900, 2, &[122, 0, 0, 0, 0, 0, 0, 0, 0, 0, 26, 0, 16]),
    ] {
        let mut row = vec![9; size];
        view(size, depth).paint_row(y, &mut row);
        assert_eq!(
            row, wanted,
            "row {y} of a picture of {size} pixels each way, {depth} steps deep: \
             got (left), wanted (right). There may be more steps than fit into a \
             byte: calculate with u32, and write `as u8` last"
        );
    }
}

#[test]
fn a_view_has_its_limits() {
    for (size, depth) in [(1, 1), (2000, 1000), (1, 1000), (2000, 1)] {
        let view = View::new(size, depth);
        let view = view.map(|view| (view.size, view.depth));
        assert_eq!(
            view,
            Ok((size as usize, depth)),
            "got (left), wanted (right)"
        );
    }
    for (size, depth) in [
        (0, 1),
        (1, 0),
        (0, 0),
        (2001, 1),
        (1, 1001),
        (65_536, 1),
        (u32::MAX, u32::MAX),
    ] {
        let status = View::new(size, depth).map_err(|refusal| refusal.status);
        let status = status.map(|view| (view.size, view.depth));
        assert_eq!(
            status,
            Err(400),
            "{size} pixels each way, {depth} steps deep: got (left), wanted (right)"
        );
    }
}

#[test]
fn a_picture_has_the_bytes_that_it_has() {
    for (size, depth, wanted) in [
        (1, 1, 0xb1fd_7652_19fd_bd10),
        (7, 60, 0xfc84_b143_e4bf_8bbd),
        (18, 1000, 0x8e54_609c_5a03_677b),
        (64, 90, 0x7904_d2d5_2b36_a9ce),
        (101, 30, 0x1212_4439_6284_c2d4),
    ] {
        let file = view(size, depth).paint();
        assert_eq!(
            fingerprint(&file),
            wanted,
            "the fingerprint of a picture of {size} pixels each way, {depth} steps \
             deep: got (left), wanted (right). Is each row painted, in its place?"
        );
    }
}

#[test]
fn the_cheap_half_of_a_picture_is_no_half_of_the_work() {
    for depth in [50, 100, 400, 1000] {
        let view = view(100, depth);
        let mut rows = Vec::from_iter((0..view.size).map(|y| {
            let steps = |x| view.steps(LEFT + view.scale(x), BOTTOM + view.scale(y));
            let steps = (0..view.size).map(|x| steps(x).unwrap_or(depth));
            steps.sum::<u32>()
        }));
        let all: u32 = rows.iter().sum();
        rows.sort_unstable();
        let cheap: u32 = rows[..view.size / 2].iter().sum();
        assert!(
            cheap * 10 < all * 3,
            "{depth} steps deep, half of the rows take {cheap} of {all} steps"
        );
    }
}
