//! A list that grows in pieces: unlike a vector it is never copied to grow, which would take twice its memory for that
//! time, and leaves at most one piece half empty.

use std::cmp::Ordering;
use std::ops::{Index, IndexMut};

/// Lines of one piece.
const PIECE: usize = 4096;

/// Lines, in the order in which they were added.
pub(crate) struct Lines<T> {
    /// All but the last hold [`PIECE`] lines.
    pieces: Vec<Vec<T>>,
}

impl<T> Default for Lines<T> {
    fn default() -> Self {
        Lines { pieces: Vec::new() }
    }
}

impl<T> Lines<T> {
    /// Adds a line at the end.
    pub(crate) fn push(&mut self, line: T) {
        match self.pieces.last_mut() {
            Some(last) if last.len() < PIECE => last.push(line),
            // A short list stays small: its only piece grows as a vector does.
            None => self.pieces.push(vec![line]),
            Some(_) => {
                let mut piece = Vec::with_capacity(PIECE);
                piece.push(line);
                self.pieces.push(piece);
            }
        }
    }

    /// The place of the line that is equal to what is looked for, in sorted lines.
    pub(crate) fn find(&self, compare: impl Fn(&T) -> Ordering) -> Option<usize> {
        let after = self
            .pieces
            .partition_point(|piece| compare(&piece[0]) != Ordering::Greater);
        let piece = after.checked_sub(1)?;
        let at = self.pieces[piece].binary_search_by(compare).ok()?;
        Some(piece * PIECE + at)
    }

    /// Keeps only some of the lines, in pieces as full as before.
    pub(crate) fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        let before = std::mem::take(&mut self.pieces);
        for line in before.into_iter().flatten().filter(keep) {
            self.push(line);
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        let full = self.pieces.len().saturating_sub(1) * PIECE;
        full + self.pieces.last().map_or(0, Vec::len)
    }

    /// Bytes of the lines.
    pub(crate) fn bytes(&self) -> usize {
        self.len() * size_of::<T>()
    }

    /// All lines.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pieces.iter().flatten()
    }
}

impl<T> Index<usize> for Lines<T> {
    type Output = T;
    fn index(&self, at: usize) -> &T {
        &self.pieces[at / PIECE][at % PIECE]
    }
}

impl<T> IndexMut<usize> for Lines<T> {
    fn index_mut(&mut self, at: usize) -> &mut T {
        &mut self.pieces[at / PIECE][at % PIECE]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_found_and_nothing_else() {
        let mut lines = Lines::default();
        assert_eq!(lines.find(|line: &usize| line.cmp(&0)), None);
        for line in 0..3 * PIECE + 7 {
            lines.push(line * 2 + 1);
        }
        for line in 0..3 * PIECE + 7 {
            let odd = line * 2 + 1;
            assert_eq!(lines.find(|known| known.cmp(&odd)), Some(line));
            assert_eq!(lines[line], odd);
            assert_eq!(lines.find(|known| known.cmp(&(odd - 1))), None);
        }
        lines[PIECE] = 0;
        assert_eq!(lines.iter().filter(|line| **line == 0).count(), 1);
        assert_eq!(lines.iter().count(), 3 * PIECE + 7);
        assert_eq!(lines.bytes(), (3 * PIECE + 7) * size_of::<usize>());
    }

    #[test]
    fn what_is_retained_stays_in_order() {
        let mut lines = Lines::default();
        (0..3 * PIECE).for_each(|line| lines.push(line));
        lines.retain(|line| line % 3 == 0);
        assert!(lines.iter().copied().eq((0..3 * PIECE).step_by(3)));
        assert_eq!(lines.bytes(), PIECE * size_of::<usize>());
        assert_eq!(lines.find(|line| line.cmp(&3_000)), Some(1_000));
        assert_eq!(lines.find(|line| line.cmp(&3_001)), None);
        lines.retain(|_| false);
        assert_eq!((lines.bytes(), lines.iter().count()), (0, 0));
    }
}
