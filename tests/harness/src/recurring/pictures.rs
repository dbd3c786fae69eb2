//! Pictures, which have the same bytes whoever paints them, and the leaves of one
//! fork/join, which meet if they run at once: from chapter 14 on.

use crate::reply::NO_ANSWER;
use crate::{Check, Likely, Program};

/// Pictures: size, depth, and the fingerprint of the whole file.
const PICTURES: [(u32, u32, u64); 8] = [
    (1, 1, 0xb1fd_7652_19fd_bd10),
    (2, 1000, 0x90ff_8a19_6c94_1181),
    (7, 60, 0xfc84_b143_e4bf_8bbd),
    (16, 256, 0xb287_6f58_0027_f6d0),
    (18, 1000, 0x8e54_609c_5a03_677b),
    (47, 80, 0x5a65_3416_906d_d3c5),
    (101, 30, 0x1212_4439_6284_c2d4),
    (200, 60, 0x0bc5_20d0_8917_a7dd),
];
/// How many bytes come before the pixels.
const HEADER: usize = 14 + 40 + 256 * 4;
/// One of them, which is cut into eight parts.
const IN_PARTS: (u32, u32, u64) = PICTURES[6];

/// A number that's another one if a byte is (FNV-1a).
fn fingerprint(file: &[u8]) -> u64 {
    file.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

/// What the length of a picture's file says.
fn length(is: usize, size: u32) -> String {
    let size = size as usize;
    match HEADER + size * size.next_multiple_of(4) {
        wanted if wanted == is => format!("Its length, {is} bytes, is right."),
        wanted => format!("It's {is} bytes long, and should be {wanted}."),
    }
}

impl Check {
    /// Checks that pictures have the bytes that they always have.
    #[track_caller]
    pub fn has_pictures(&self, server: &Program, likely: &str) {
        self.has_pictures_or(server, NO_ANSWER, likely);
    }

    /// Likewise. `answer` says what is likely if one doesn't come.
    #[track_caller]
    pub fn has_pictures_or(&self, server: &Program, answer: Likely, likely: &str) {
        for (size, depth, wanted) in PICTURES {
            let target = format!("/app/picture/{size}/{depth}");
            let before = &self.by_hand;
            let by_hand = format!("{before}\n{{get}}");
            let reply = server.get_reply_or(&target, by_hand.trim_start(), answer);
            reply.status(&[200], likely).field(
                "Content-Type",
                "image/bmp",
                |value| value == "image/bmp",
                "a browser shows a picture if it's told that it is one.",
            );
            let file = reply.answer.body();
            if fingerprint(file) != wanted {
                let curl =
                    format!("curl -s http://{{addr}}{target} | xxd -s 1078 | head");
                self.clone()
                    .by_hand(format!("{before}\n{curl}").trim_start())
                    .fail(
                        format!(
                            "A picture of {size} pixels each way, {depth} steps \
                             deep, has other bytes than it should have. {}",
                            length(file.len(), size)
                        ),
                        likely,
                    );
            }
        }
    }

    /// Checks that several pictures can be painted at once. `answer` says what is
    /// likely if one doesn't come, `other` if it has other bytes.
    #[track_caller]
    pub fn has_pictures_at_once(
        &self,
        server: &Program,
        answer: Likely,
        other: &str,
    ) {
        let (size, depth, wanted) = IN_PARTS;
        let target = format!("/app/picture/{size}/{depth}");
        for mut client in server.ask_often(8, &target) {
            let picture = client.answer(answer);
            client.expect_status(&picture, &[200], other);
            if fingerprint(picture.body()) != wanted {
                self.fail("One of eight pictures at once has other bytes.", other);
            }
            client.hang_up();
        }
    }
}

impl Program {
    /// Has a fork/join of this many leaves, all of which must run at once.
    #[track_caller]
    pub fn leaves_must_meet(&self, leaves: usize, likely: &'static str) {
        let mut client = self.ask(&format!("/app/halves/{leaves}/3000"));
        let answer = client.answer(Likely::always(likely));
        if answer.status() == 503 {
            self.check().fail(
                format!(
                    "The {leaves} leaves of one fork/join wait for each other, and \
                     never meet."
                ),
                likely,
            );
        }
        client.expect_status(&answer, &[200], likely);
        client.expect_body(&answer, format!("{leaves} met\n").as_bytes(), likely);
        client.hang_up();
    }
}
