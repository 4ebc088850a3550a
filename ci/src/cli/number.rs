//! Whole numbers on the command line: whatever is none is refused with the range that would be right.

use std::{fmt::Display, ops::RangeInclusive, str::FromStr};

/// A reader of numbers in this range.
pub fn number<T>(range: RangeInclusive<T>) -> impl Fn(&str) -> Result<T, String> + Clone
where
    T: FromStr + PartialOrd + Display + Clone,
{
    move |typed| {
        let number = typed.parse().ok().filter(|number| range.contains(number));
        let (least, most) = (range.start(), range.end());
        number.ok_or_else(|| format!("write a whole number in {least}..={most}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_no_number_of_the_range_is_told_the_range() {
        let read = number::<u16>(1..=512);
        assert_eq!(read("512"), Ok(512));
        for bad in [
            "0",
            "513",
            "-1",
            "x",
            "",
            "4.0",
            "\u{fc}",
            "99999999999999999999",
        ] {
            let told = "write a whole number in 1..=512".to_owned();
            assert_eq!(read(bad), Err(told));
        }
    }
}
