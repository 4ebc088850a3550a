//! Which clients a driver understands: those that were built from the same words.
//!
//! A client is built apart from the program that calls it, and one that was left from before answers
//! no request that is new. So each carries a mark, made from the sources of all that crosses the pipe.

/// How a mark begins.
const PREFIX: &[u8; 27] = b"migratrix-client's words: #";

/// What the words are made of.
const SOURCES: [&[u8]; 5] = [
    include_bytes!("lib.rs"),
    include_bytes!("wire.rs"),
    include_bytes!("../../../history/src/observation.rs"),
    include_bytes!("../../../../guest/src/parameters.rs"),
    include_bytes!("../../../../guest/src/survey.rs"),
];

/// What stands in the program of each client that speaks these words.
pub static MARK: [u8; PREFIX.len() + 16] = mark(sum());

/// The sources' sum, by FNV-1a.
const fn sum() -> u64 {
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    let mut place = 0;
    while place < SOURCES.len() {
        let mut rest = SOURCES[place];
        while let [first, after @ ..] = rest {
            sum = (sum ^ *first as u64).wrapping_mul(0x0100_0000_01b3);
            rest = after;
        }
        place += 1;
    }
    sum
}

/// The mark of a sum, in hexadecimal digits.
const fn mark(sum: u64) -> [u8; PREFIX.len() + 16] {
    let mut mark = [0; PREFIX.len() + 16];
    let mut place = 0;
    while place < mark.len() {
        mark[place] = if place < PREFIX.len() {
            PREFIX[place]
        } else {
            let nibble = sum >> (4 * (mark.len() - 1 - place)) & 0xf;
            b"0123456789abcdef"[nibble as usize]
        };
        place += 1;
    }
    mark
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_sum_is_another_mark() {
        assert!(mark(0x1234_5678_9abc_def0).ends_with(b": #123456789abcdef0"));
        assert!(MARK.starts_with(PREFIX));
        assert_ne!(mark(1), mark(2));
    }
}
