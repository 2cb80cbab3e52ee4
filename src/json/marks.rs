//! Where the bytes stand that mean something in a string: quotes, backslashes and control characters.

use wide::u8x16;

/// So many bytes are looked at together, whatever stands in them: a place that is found does not decide what is read next, so
/// that the processor need not wait for it.
const BLOCK: usize = 64;

/// The marks of one block of a text; from block to block it only goes on.
#[derive(Clone, Copy, Default)]
pub struct Marks {
    /// A bit for each byte, the first one lowest.
    bits: u64,
    /// Where the block ends.
    end: usize,
}

impl Marks {
    /// The first place from `at` on that is marked, or one behind the end of the text. `at` never goes back.
    #[inline(always)]
    pub fn next(&mut self, text: &[u8], mut at: usize) -> usize {
        loop {
            while at >= self.end {
                self.look_at_next_block(text);
            }
            let bits = self.bits >> (at % BLOCK);
            if bits != 0 {
                return at + bits.trailing_zeros() as usize;
            }
            at = self.end;
        }
    }

    #[inline(always)]
    fn look_at_next_block(&mut self, text: &[u8]) {
        let rest = text.get(self.end..).unwrap_or_default();
        self.bits = match rest.first_chunk() {
            Some(block) => bits_of(block),
            None => bits_of_last(text, rest.len()),
        };
        self.end += BLOCK;
    }
}

#[inline(always)]
fn bits_of(block: &[u8; BLOCK]) -> u64 {
    let (pieces, _) = block.as_chunks();
    pieces.iter().rev().fold(0, |bits, piece| bits << 16 | u64::from(bits_of_piece(*piece)))
}

#[inline(always)]
fn bits_of_piece(piece: [u8; 16]) -> u32 {
    let bytes = u8x16::new(piece);
    let is = |byte| bytes.simd_eq(u8x16::splat(byte));
    let is_control = bytes.min(u8x16::splat(0x1f)).simd_eq(bytes);
    (is(b'"') | is(b'\\') | is_control).to_bitmask()
}

/// The last so many bytes of a text; what is missing from their block is marked, too.
fn bits_of_last(text: &[u8], count: usize) -> u64 {
    let missing = BLOCK - count;
    let bits = match text.last_chunk() {
        // Those before them are looked at once more, which takes less time than copying.
        Some(block) if count > 0 => bits_of(block) >> missing,
        Some(_) => 0,
        None => {
            let mut block = [0; BLOCK];
            block[..count].copy_from_slice(&text[text.len() - count..]);
            bits_of(&block)
        }
    };
    bits | u64::MAX << count
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_mark_is_found_and_nothing_else(text in prop::collection::vec(prop_oneof![9 => Just(b'a'), 1 => any::<u8>()], 0..300)) {
            let (mut marks, mut at, mut found) = (Marks::default(), 0, Vec::new());
            loop {
                at = marks.next(&text, at);
                if at >= text.len() {
                    break;
                }
                found.push(at);
                at += 1;
            }
            let special = |at: &usize| matches!(text[*at], b'"' | b'\\' | 0..=0x1f);
            prop_assert_eq!(found, (0..text.len()).filter(special).collect::<Vec<_>>());
        }
    }
}
