//! A table that is wider than the terminal goes into several blocks of whole columns, one below the other.

use std::ops::Range;

/// Which of the columns stand in each block, where the rows' names take so much, the columns have these widths with the
/// space before them, and a line has room for so much. A column that is wider than all of it has a block of its own.
pub(crate) fn blocks(names: usize, widths: &[usize], room: Option<usize>) -> Vec<Range<usize>> {
    let room = room.unwrap_or(usize::MAX);
    let (mut all, mut begin, mut line) = (Vec::new(), 0, names);
    for (place, width) in widths.iter().enumerate() {
        if place > begin && line + width > room {
            all.push(begin..place);
            (begin, line) = (place, names);
        }
        line += width;
    }
    all.push(begin..widths.len());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_go_into_blocks_that_fit_and_none_is_cut_or_lost() {
        let told = |widths: &[usize], room| {
            let all = blocks(28, widths, room).into_iter();
            all.map(|one| (one.start, one.end)).collect::<Vec<_>>()
        };
        assert_eq!(told(&[19, 19, 19], None), [(0, 3)]);
        assert_eq!(told(&[19, 19, 19], Some(85)), [(0, 3)]);
        assert_eq!(told(&[19, 19, 19], Some(80)), [(0, 2), (2, 3)]);
        assert_eq!(told(&[19, 19, 19], Some(47)), [(0, 1), (1, 2), (2, 3)]);
        assert_eq!(told(&[19, 19], Some(10)), [(0, 1), (1, 2)], "too narrow");
        assert_eq!(told(&[], Some(10)), [(0, 0)]);
    }
}
