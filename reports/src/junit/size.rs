//! How large a JUnit file becomes: its readers have limits.

use std::io;

/// The size of a JUnit file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Its bytes.
    pub bytes: u64,
    /// Its elements.
    pub objects: u64,
}

impl Size {
    /// What GitLab takes: 30 MB, and 250,000 objects.
    pub const GITLAB: Self = Self {
        bytes: 30_000_000,
        objects: 250_000,
    };

    /// In what it is beyond `limit`, if it is.
    #[must_use]
    pub fn beyond(self, limit: Self) -> Option<String> {
        let mega = |bytes: u64| bytes.div_ceil(1_000_000);
        let (own, most) = (mega(self.bytes), mega(limit.bytes));
        let bytes = (self.bytes > limit.bytes).then(|| format!("{own} MB, and at most {most} MB"));
        let (own, most) = (self.objects, limit.objects);
        let objects = (own > most).then(|| format!("{own} objects, and at most {most}"));
        let told: Vec<_> = bytes.into_iter().chain(objects).collect();
        (!told.is_empty()).then(|| told.join("; "))
    }
}

/// A writer that counts what goes through it.
pub(super) struct Counted<W> {
    out: W,
    size: Size,
    after_bracket: bool,
}

impl<W> Counted<W> {
    pub(super) fn new(out: W) -> Self {
        Self {
            out,
            size: Size::default(),
            after_bracket: false,
        }
    }

    pub(super) fn size(&self) -> Size {
        self.size
    }

    /// An element begins with `<` and a letter; in texts there is no `<`.
    fn count(&mut self, bytes: &[u8]) {
        self.size.bytes += bytes.len() as u64;
        for byte in bytes {
            if self.after_bracket && byte.is_ascii_alphabetic() {
                self.size.objects += 1;
            }
            self.after_bracket = *byte == b'<';
        }
    }
}

impl<W: io::Write> io::Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.count(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_is_beyond_a_limit_is_told_with_the_limit() {
        let large = Size {
            bytes: 41_200_000,
            objects: 12,
        };
        let told = large.beyond(Size::GITLAB).expect("it is too large");
        assert_eq!(told, "42 MB, and at most 30 MB");
        assert_eq!(Size::default().beyond(Size::GITLAB), None);
        let many = Size {
            bytes: 1,
            objects: 250_001,
        };
        assert!(
            many.beyond(Size::GITLAB)
                .is_some_and(|told| told.contains("250001 objects"))
        );
    }

    #[test]
    fn elements_are_counted_across_writes() {
        let mut counted = Counted::new(Vec::new());
        for part in [
            "<?xml version=\"1.0\"?><",
            "a><b x=\"1\"/>text &lt; ",
            "</a>",
        ] {
            counted.write_all(part.as_bytes()).expect("memory takes it");
        }
        assert_eq!(counted.size().objects, 2);
    }
}
