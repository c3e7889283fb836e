//! Chance that can be repeated: every drawn number depends on the seed and on what is asked, never
//! on which of two concurrent requests came first.

/// A stream of numbers drawn for one purpose.
#[derive(Debug, Clone)]
pub(crate) struct Draw(u64);

impl Draw {
    /// A stream for `seed` and the parts that name the purpose.
    pub(crate) fn new(seed: u64, parts: &[&str]) -> Self {
        let mut state = 0xcbf2_9ce4_8422_2325 ^ spread(seed);
        for part in parts {
            for byte in part.bytes() {
                state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
            state = spread(state ^ 0xff);
        }
        Self(state)
    }

    /// A stream of its own for `purpose`, so that one more number drawn for one thing does not
    /// change the others.
    pub(crate) fn fork(&self, purpose: &str) -> Self {
        Self::new(self.0, &[purpose])
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        spread(self.0)
    }

    /// A number in `0..bound`; 0 for an empty range.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    /// A number from 0 up to, but not including, 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits are the whole mantissa")]
        let bits = (self.next() >> 11) as f64;
        bits / 9_007_199_254_740_992.0
    }

    /// A text of `length` characters from the alphabet of AWS key ids.
    pub(crate) fn key_text(&mut self, length: usize) -> String {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let mut text = String::with_capacity(length);
        let mut bits = 0;
        for position in 0..length {
            if position % 12 == 0 {
                bits = self.next();
            }
            let letter = ALPHABET[usize::try_from(bits & 31).unwrap_or(0)];
            text.push(char::from(letter));
            bits >>= 5;
        }
        text
    }

    /// An id in the shape of a UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            low >> 52,
            low & 0xffff_ffff_ffff
        )
    }
}

/// The finaliser of splitmix64: every bit of the input reaches every bit of the output.
fn spread(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// An order of `0..length` that needs no memory, so that page 400 of a listing costs what page 1
/// does. The step is coprime to the length, so each position is met exactly once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    length: u64,
    step: u64,
    start: u64,
}

impl Order {
    pub(crate) fn new(length: usize, nonce: u64) -> Self {
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        let mut draw = Draw(nonce);
        let start = draw.below(length);
        let mut step = draw.below(length).max(1);
        while gcd(step, length) > 1 {
            step += 1;
        }
        Self {
            length,
            step,
            start,
        }
    }

    pub(crate) fn at(&self, position: usize) -> usize {
        let position = u128::try_from(position).unwrap_or(0);
        let place = (position * u128::from(self.step) + u128::from(self.start))
            .checked_rem(u128::from(self.length))
            .unwrap_or(0);
        usize::try_from(place).unwrap_or(0)
    }
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_meets_every_position_once() {
        for length in [1_usize, 2, 3, 20, 49, 100, 1_000] {
            for nonce in 0..20 {
                let order = Order::new(length, nonce);
                let mut met: Vec<_> = (0..length).map(|position| order.at(position)).collect();
                met.sort_unstable();
                assert_eq!(met, (0..length).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn an_empty_order_has_no_positions_and_does_not_panic() {
        assert_eq!(Order::new(0, 7).at(0), 0);
    }

    #[test]
    fn the_same_purpose_draws_the_same_numbers() {
        let parts = ["sts", "AssumeRole"];
        assert_eq!(Draw::new(1, &parts).uuid(), Draw::new(1, &parts).uuid());
        assert_ne!(Draw::new(1, &parts).uuid(), Draw::new(2, &parts).uuid());
        assert_ne!(
            Draw::new(1, &["a", "b"]).next(),
            Draw::new(1, &["ab"]).next()
        );
    }
}
