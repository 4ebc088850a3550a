//! Cuts a stream of bytes into JSON objects.
//!
//! QEMU ends each message with CRLF, see `docs/interop/qmp-spec` in its manual; this does not rely on it: a
//! message ends where its outermost brace is closed. Each byte is looked at once, so that a long
//! message that comes in small pieces costs no more than its length.

use std::ops::Range;

use crate::{Ending, error::excerpt};

/// The longest message that is taken, in bytes. The answer to `query-qmp-schema` has some 250,000.
pub(crate) const LONGEST: usize = 64 << 20;

/// The deepest nesting that is taken; the JSON reader takes no deeper.
const DEEPEST: usize = 128;

/// Bytes that came, and how far they have been looked at.
#[derive(Debug, Default)]
pub(crate) struct Framer {
    bytes: Vec<u8>,
    message: Range<usize>,
    depth: usize,
    place: Place,
}

/// Where in a message the next byte stands.
#[derive(Clone, Copy, Debug, Default)]
enum Place {
    #[default]
    Plain,
    Text,
    Escaped,
}

impl Framer {
    /// Adds bytes that came.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.message.start);
        self.message = 0..self.message.len();
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole message, if there is one.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>, Ending> {
        while let Some(&byte) = self.bytes.get(self.message.end) {
            self.message.end += 1;
            if self.is_end(byte)? {
                let whole = self.message.clone();
                self.message.start = whole.end;
                return Ok(Some(&self.bytes[whole]));
            }
        }
        if self.message.len() > LONGEST {
            return Err(Ending::TooLong(LONGEST));
        }
        Ok(None)
    }

    /// How the connection ended, if it is closed now.
    pub(crate) fn ending(&self) -> Ending {
        let rest = &self.bytes[self.message.start..];
        if rest.trim_ascii().is_empty() {
            return Ending::Closed;
        }
        Ending::Truncated(excerpt(rest))
    }

    fn is_end(&mut self, byte: u8) -> Result<bool, Ending> {
        match (self.place, byte) {
            (Place::Escaped, _) => self.place = Place::Text,
            (Place::Text, b'"') => self.place = Place::Plain,
            (Place::Text, b'\\') => self.place = Place::Escaped,
            (Place::Text, _) => {}
            (Place::Plain, b'{') => return self.deeper(),
            (Place::Plain, _) if self.depth == 0 => return self.between(byte),
            (Place::Plain, b'[') => return self.deeper(),
            (Place::Plain, b'}' | b']') => {
                self.depth -= 1;
                return Ok(self.depth == 0);
            }
            (Place::Plain, b'"') => self.place = Place::Text,
            (Place::Plain, _) => {}
        }
        Ok(false)
    }

    fn deeper(&mut self) -> Result<bool, Ending> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.garbage(format!("nested deeper than {DEEPEST}")));
        }
        Ok(false)
    }

    /// Between two messages there is white space and nothing else.
    fn between(&mut self, byte: u8) -> Result<bool, Ending> {
        if !byte.is_ascii_whitespace() {
            return Err(self.garbage("it does not begin with a brace".to_owned()));
        }
        self.message.start = self.message.end;
        Ok(false)
    }

    fn garbage(&self, why: String) -> Ending {
        let received = excerpt(&self.bytes[self.message.start..]);
        Ending::Malformed { received, why }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(stream: &[u8], piece: usize) -> Result<Vec<String>, Ending> {
        let mut framer = Framer::default();
        let mut found = Vec::new();
        for piece in stream.chunks(piece) {
            framer.push(piece);
            while let Some(message) = framer.next()? {
                found.push(String::from_utf8_lossy(message).into_owned());
            }
        }
        Ok(found)
    }

    #[test]
    fn messages_need_no_line_ends_and_may_contain_them() {
        let stream = b"{\"a\":{\"b\":[\"}\\\"{\"]}}{}\r\n\n  {\n}\r\n";
        for piece in 1..=stream.len() {
            let found = cut(stream, piece).unwrap();
            assert_eq!(found, ["{\"a\":{\"b\":[\"}\\\"{\"]}}", "{}", "{\n}"]);
        }
    }

    #[test]
    fn what_begins_with_no_brace_is_an_error_that_shows_it() {
        let ending = cut(b" {} hello", 3).unwrap_err();
        assert!(ending.to_string().contains("`h"), "{ending}");
    }

    #[test]
    fn deep_nesting_is_an_error_at_once() {
        let ending = cut(&[b'{'; 1000], 7).unwrap_err();
        assert!(ending.to_string().contains("nested deeper"), "{ending}");
    }

    #[test]
    fn a_message_without_end_is_an_error_at_the_bound() {
        let mut framer = Framer::default();
        framer.push(b"{\"");
        let piece = vec![b'x'; 8 << 20];
        let ending = std::iter::repeat_with(|| {
            framer.push(&piece);
            framer.next().map(|message| message.map(<[u8]>::to_owned))
        })
        .take(10)
        .find_map(Result::err);
        assert_eq!(ending, Some(Ending::TooLong(LONGEST)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, piece in 1_usize..9) {
            drop(cut(&bytes, piece));
        }

        #[test]
        fn the_pieces_in_which_bytes_come_make_no_difference(
            text in "[{}\\[\\]\",:\\\\ a1\r\n]{0,60}", piece in 1_usize..9,
        ) {
            let of_one = cut(text.as_bytes(), 1).map_err(drop);
            prop_assert_eq!(cut(text.as_bytes(), piece).map_err(drop), of_one);
        }
    }
}
