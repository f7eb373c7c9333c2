//! Sets of sequence numbers that take little more than a byte each: sorted, cut into chunks, each number as its distance from
//! the one before.

use tollgate_resource::record::{Input, RecordError, put_varint};

/// Most bytes of a chunk: what is walked through to find a number, and copied to change one.
const CHUNK_BYTES_MAX: usize = 512;
/// Most bytes of a distance.
const DISTANCE_BYTES_MAX: usize = 10;

/// A set of numbers.
#[derive(Clone, Default, Debug)]
pub struct Seqs {
    chunks: Vec<Chunk>,
    len: u32,
}

#[derive(Clone, Debug)]
struct Chunk {
    first: u64,
    last: u64,
    /// Distances of all but the first, less one.
    bytes: Vec<u8>,
}

impl Seqs {
    /// How many there are.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The lowest.
    pub fn first(&self) -> Option<u64> {
        self.chunks.first().map(|chunk| chunk.first)
    }

    /// The highest.
    pub fn last(&self) -> Option<u64> {
        self.chunks.last().map(|chunk| chunk.last)
    }

    /// About how many bytes of memory it takes, beside its own struct.
    pub fn bytes(&self) -> usize {
        let chunk = std::mem::size_of::<Chunk>();
        let held: usize = self.chunks.iter().map(|chunk| chunk.bytes.capacity()).sum();
        held + self.chunks.capacity() * chunk
    }

    /// Whether the number is there.
    pub fn contains(&self, seq: u64) -> bool {
        let Some(at) = self.chunk_of(seq) else { return false };
        let chunk = &self.chunks[at];
        seq == chunk.first || seq == chunk.last || (seq < chunk.last && chunk.iter().any(|it| it == seq))
    }

    /// Puts a number in. False when it was there.
    pub fn insert(&mut self, seq: u64) -> bool {
        if let Some(last) = self.chunks.last_mut()
            && seq > last.last
            && last.bytes.len() + DISTANCE_BYTES_MAX <= CHUNK_BYTES_MAX
        {
            last.push(seq);
            self.len += 1;
            return true;
        }
        let Some(at) = self.chunk_of(seq) else {
            // Below everything: the first chunk takes it, if there is one with room.
            match self.chunks.first_mut() {
                Some(first) if first.bytes.len() + DISTANCE_BYTES_MAX <= CHUNK_BYTES_MAX => {
                    let numbers = std::iter::once(seq).chain(first.iter());
                    *first = Chunk::of(numbers.collect::<Vec<_>>().into_iter());
                }
                _ => self.chunks.insert(0, Chunk::one(seq)),
            }
            self.len += 1;
            return true;
        };
        let chunk = &mut self.chunks[at];
        if seq > chunk.last {
            if chunk.bytes.len() + DISTANCE_BYTES_MAX <= CHUNK_BYTES_MAX {
                chunk.push(seq);
            } else {
                chunk.bytes.shrink_to_fit();
                self.chunks.insert(at + 1, Chunk::one(seq));
            }
            self.len += 1;
            return true;
        }
        let mut numbers: Vec<u64> = chunk.iter().collect();
        let Err(place) = numbers.binary_search(&seq) else {
            return false;
        };
        numbers.insert(place, seq);
        let whole = Chunk::of(numbers.iter().copied());
        if whole.bytes.len() <= CHUNK_BYTES_MAX {
            self.chunks[at] = whole;
        } else {
            let half = numbers.len() / 2;
            self.chunks[at] = Chunk::of(numbers[..half].iter().copied());
            self.chunks.insert(at + 1, Chunk::of(numbers[half..].iter().copied()));
        }
        self.len += 1;
        true
    }

    /// Takes a number out. False when it was not there.
    pub fn remove(&mut self, seq: u64) -> bool {
        if self.first() == Some(seq) {
            self.pop_first();
            return true;
        }
        let Some(at) = self.chunk_of(seq) else { return false };
        let numbers: Vec<u64> = self.chunks[at].iter().collect();
        let Ok(place) = numbers.binary_search(&seq) else {
            return false;
        };
        if numbers.len() == 1 {
            self.chunks.remove(at);
        } else {
            let rest = numbers[..place].iter().chain(&numbers[place + 1..]);
            self.chunks[at] = Chunk::of(rest.copied().collect::<Vec<_>>().into_iter());
        }
        self.len -= 1;
        true
    }

    /// Takes the lowest out.
    pub fn pop_first(&mut self) -> Option<u64> {
        let chunk = self.chunks.first_mut()?;
        let first = chunk.first;
        if chunk.bytes.is_empty() {
            self.chunks.remove(0);
        } else {
            let mut input = Input::new(&chunk.bytes);
            let distance = input.take_varint().expect("its own bytes");
            let used = chunk.bytes.len() - input.rest().len();
            chunk.first = first + distance + 1;
            chunk.bytes.drain(..used);
        }
        self.len -= 1;
        Some(first)
    }

    /// All of them, the lowest first.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.chunks.iter().flat_map(Chunk::iter)
    }

    /// Those above a number, the lowest first.
    pub fn above(&self, seq: u64) -> impl Iterator<Item = u64> + '_ {
        let from = self.chunk_of(seq).unwrap_or(0);
        let chunks = self.chunks[from..].iter().flat_map(Chunk::iter);
        chunks.skip_while(move |it| *it <= seq)
    }

    /// Puts all of another set in.
    pub fn merge(&mut self, other: &Seqs) {
        if self.is_empty() {
            *self = other.clone();
            return;
        }
        for seq in other.iter() {
            self.insert(seq);
        }
    }

    /// Writes it: how many, and each as its distance from the one before.
    pub fn put(&self, out: &mut Vec<u8>) {
        put_varint(out, u64::from(self.len));
        let mut before = 0;
        for chunk in &self.chunks {
            put_varint(out, chunk.first - before);
            // Bytes of a chunk are distances less one, and those written are the same.
            out.extend_from_slice(&chunk.bytes);
            before = chunk.last + 1;
        }
    }

    /// Reads what [`Seqs::put`] wrote.
    ///
    /// # Errors
    /// When the bytes end too soon, or a number would not fit.
    pub fn take(input: &mut Input<'_>) -> Result<Seqs, RecordError> {
        let len = input.take_varint()?;
        let mut set = Seqs::default();
        let mut next = 0_u64;
        for _ in 0..len {
            let seq = next.checked_add(input.take_varint()?).ok_or(RecordError::Overflow)?;
            set.insert(seq);
            next = seq.checked_add(1).ok_or(RecordError::Overflow)?;
        }
        Ok(set)
    }

    /// The last chunk that begins at or below a number.
    fn chunk_of(&self, seq: u64) -> Option<usize> {
        self.chunks.partition_point(|chunk| chunk.first <= seq).checked_sub(1)
    }
}

/// By what is in them; how they are cut does not matter.
impl PartialEq for Seqs {
    fn eq(&self, other: &Seqs) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl Eq for Seqs {}

impl FromIterator<u64> for Seqs {
    fn from_iter<T: IntoIterator<Item = u64>>(numbers: T) -> Self {
        let mut set = Seqs::default();
        for seq in numbers {
            set.insert(seq);
        }
        set
    }
}

impl Chunk {
    fn one(seq: u64) -> Chunk {
        Chunk {
            first: seq,
            last: seq,
            bytes: Vec::new(),
        }
    }

    /// Of numbers in order, at least one.
    fn of(mut numbers: impl Iterator<Item = u64>) -> Chunk {
        let mut chunk = Chunk::one(numbers.next().expect("a chunk has a number"));
        for seq in numbers {
            chunk.push(seq);
        }
        chunk
    }

    fn push(&mut self, seq: u64) {
        put_varint(&mut self.bytes, seq - self.last - 1);
        self.last = seq;
    }

    fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        let mut input = Input::new(&self.bytes);
        let mut next = Some(self.first);
        std::iter::from_fn(move || {
            let seq = next?;
            next = match input.rest() {
                [] => None,
                _ => Some(seq + 1 + input.take_varint().expect("its own bytes")),
            };
            Some(seq)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_is_a_set(steps in proptest::collection::vec((0_u8..4, 0_u64..3_000, any::<bool>()), 1..2_500)) {
            let (mut set, mut model) = (Seqs::default(), BTreeSet::new());
            for (step, number, far) in steps {
                let number = if far { number << 30 } else { number };
                match step {
                    0 | 1 => prop_assert_eq!(set.insert(number), model.insert(number)),
                    2 => prop_assert_eq!(set.remove(number), model.remove(&number)),
                    _ => prop_assert_eq!(set.pop_first(), model.pop_first()),
                }
                prop_assert_eq!(set.contains(number), model.contains(&number));
                prop_assert_eq!((set.first(), set.last()), (model.first().copied(), model.last().copied()));
            }
            prop_assert_eq!(set.len() as usize, model.len());
            prop_assert!(set.iter().eq(model.iter().copied()));
            prop_assert!(set.above(1_500).eq(model.range(1_501..).copied()));
            let mut bytes = Vec::new();
            set.put(&mut bytes);
            let mut input = Input::new(&bytes);
            let back = Seqs::take(&mut input).expect("it was just written");
            prop_assert!(back.iter().eq(model.iter().copied()) && input.rest().is_empty());
        }
    }

    #[test]
    fn a_number_takes_little_more_than_a_byte() {
        let set: Seqs = (0..100_000_u64).map(|number| number * 100).collect();
        assert!(set.bytes() < 130_000, "{} bytes", set.bytes());
    }
}
