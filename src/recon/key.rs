//! Identities in 16 bytes, exact: two texts get the same [`Key`] only if they are the same identity.
//!
//! The platform's order ids are UUIDs, so their 128 bits are the key. Everything else that may stand in
//! a bill is numbered by a [`KeySpace`], never hashed: a collision would settle one customer's payment with another's order.

use std::collections::HashMap;
use std::num::NonZeroU128;

use super::index;

/// An order id or a plate as 128 bits. Keys of one [`KeySpace`] are equal exactly when their texts are the same identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(NonZeroU128);

/// Keys from here up are numbers given by a [`KeySpace`]. A UUID that falls into the range (its first
/// half all ones) is numbered too, as is the UUID of zeros, which leaves the niche of `Option<Key>`.
const RESERVED: u128 = 0xffff_ffff_ffff_ffff_0000_0000_0000_0000;

/// Bytes of a text that fit a plate's key beside its length.
const PLATE_BYTES: usize = 15;

/// Gives keys to texts; the same text always gets the same key of one space.
#[derive(Clone, Debug, Default)]
pub struct KeySpace {
    orders: HashMap<Box<str>, Key>,
    plates: HashMap<Box<str>, Key>,
}

impl KeySpace {
    /// A space without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// The key of an order id, compared without case as [`crate::model::OrderId`] compares.
    pub fn order_key(&mut self, text: &str) -> Key {
        let packed = uuid_bits(text).filter(|bits| *bits < RESERVED).and_then(NonZeroU128::new);
        packed.map_or_else(|| number(&mut self.orders, &text.to_lowercase()), Key)
    }

    /// The key of a plate in its normal form. Plates and order ids are never compared.
    pub fn plate_key(&mut self, text: &str) -> Key {
        plate_bits(text).map_or_else(|| number(&mut self.plates, text), Key)
    }
}

/// The key of `text` in `names`, a new one if it has none yet.
fn number(names: &mut HashMap<Box<str>, Key>, text: &str) -> Key {
    if let Some(key) = names.get(text) {
        return *key;
    }
    let serial = u128::try_from(names.len()).unwrap_or(u128::MAX);
    let key = Key(NonZeroU128::MIN.saturating_add(RESERVED.saturating_add(serial).saturating_sub(1)));
    names.insert(text.into(), key);
    key
}

/// The 128 bits of a UUID's text form 8-4-4-4-12.
fn uuid_bits(text: &str) -> Option<u128> {
    let bytes: &[u8; 36] = text.as_bytes().try_into().ok()?;
    let mut bits = 0_u128;
    for (position, byte) in bytes.iter().enumerate() {
        if matches!(position, 8 | 13 | 18 | 23) {
            if *byte != b'-' {
                return None;
            }
            continue;
        }
        let digit = match byte {
            b'0'..=b'9' => byte.wrapping_sub(b'0'),
            b'a'..=b'f' => byte.wrapping_sub(b'a').wrapping_add(10),
            b'A'..=b'F' => byte.wrapping_sub(b'A').wrapping_add(10),
            _ => return None,
        };
        bits = bits << 4 | u128::from(digit);
    }
    Some(bits)
}

/// The bytes of a short text with its length above them; the length is never 0 and never that of [`RESERVED`].
fn plate_bits(text: &str) -> Option<NonZeroU128> {
    let bytes = text.as_bytes();
    if bytes.is_empty() || bytes.len() > PLATE_BYTES {
        return None;
    }
    let length = u128::try_from(bytes.len()).ok()?;
    NonZeroU128::new(bytes.iter().fold(length, |bits, byte| bits << 8 | u128::from(*byte)) | length << 120)
}

/// Where each key stands in a table: open addressing, 8 bytes a slot, half of them a piece of the hash,
/// so that a probe reads the table itself only when it is about to hit.
pub(super) struct Positions {
    slots: Vec<u64>,
    mask: u64,
}

const EMPTY: u64 = u64::MAX;

impl Positions {
    /// The positions of `keys`; of a key that stands there twice, the first.
    pub(super) fn new(keys: impl ExactSizeIterator<Item = Key>, key_at: impl Fn(u32) -> Key) -> Self {
        // At most two of three slots are taken.
        let capacity = keys.len().saturating_add(keys.len() / 2).max(2).next_power_of_two();
        let mask = u64::try_from(capacity).unwrap_or(u64::MAX).saturating_sub(1);
        let mut positions = Self { slots: vec![EMPTY; capacity], mask };
        for (position, key) in keys.enumerate() {
            if let Err(free) = positions.probe(key, &key_at)
                && let Some(slot) = positions.slots.get_mut(free)
            {
                *slot = tag(hash(key)) | u64::from(index(position));
            }
        }
        positions
    }

    /// Where `key` stands.
    pub(super) fn get(&self, key: Key, key_at: impl Fn(u32) -> Key) -> Option<u32> {
        self.probe(key, &key_at).ok()
    }

    /// The position of `key`, or else the free slot where it would be noted.
    fn probe(&self, key: Key, key_at: &impl Fn(u32) -> Key) -> Result<u32, usize> {
        let hash = hash(key);
        let mut slot = hash & self.mask;
        loop {
            let position = usize::try_from(slot).unwrap_or(usize::MAX);
            let Some(entry) = self.slots.get(position).filter(|entry| **entry != EMPTY) else {
                return Err(position);
            };
            // Fits 32 bits when the upper halves agree; what is left is the position.
            if let Ok(found) = u32::try_from(entry ^ tag(hash))
                && key_at(found) == key
            {
                return Ok(found);
            }
            slot = slot.wrapping_add(1) & self.mask;
        }
    }
}

/// The upper half of a hash, in its place.
const fn tag(hash: u64) -> u64 {
    hash & 0xffff_ffff_0000_0000
}

/// Mixes a key by one folded multiplication; UUIDs are random already, numbered keys are not.
fn hash(Key(bits): Key) -> u64 {
    let bits = bits.get();
    let low = u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(0);
    let high = u64::try_from(bits >> 64).unwrap_or(0);
    let product = u128::from(low ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(u128::from(high ^ 0xd134_2543_de82_ef95));
    u64::try_from(product & u128::from(u64::MAX)).unwrap_or(0) ^ u64::try_from(product >> 64).unwrap_or(0)
}

#[cfg(test)]
mod unit {
    use super::super::at;
    use super::*;

    #[test]
    fn order_ids_are_one_key_in_any_case_and_never_merged() {
        let mut space = KeySpace::new();
        let texts = [
            "b6269de8-03a0-4b8f-9b11-0123456789ab",
            "b6269de8-03a0-4b8f-9b11-0123456789ac",
            "b6269de803a04b8f9b110123456789ab",
            "b6269de8-03a0-4b8f-9b11_0123456789ab",
            "00000000-0000-0000-0000-000000000000",
            "00000000-0000-0000-0000-000000000001",
            "ffffffff-ffff-ffff-0000-000000000000",
            "ffffffff-ffff-ffff-0000-000000000001",
            "",
            "a",
            "aé",
        ];
        let keys: Vec<Key> = texts.iter().map(|text| space.order_key(text)).collect();
        for (i, text) in texts.iter().enumerate() {
            assert_eq!(space.order_key(&text.to_uppercase()), keys[i], "{text}");
            assert_eq!(keys.iter().filter(|key| **key == keys[i]).count(), 1, "{text}");
        }
    }

    #[test]
    fn plates_of_any_length_are_exact() {
        let mut space = KeySpace::new();
        let texts = [
            "",
            "\0",
            "\0\0",
            "渝B757D0",
            "渝B757D1",
            "渝AD12345",
            "fifteen bytes!!",
            "sixteen bytes!!!",
            "sixteen bytes!!?",
        ];
        let keys: Vec<Key> = texts.iter().map(|text| space.plate_key(text)).collect();
        for (i, text) in texts.iter().enumerate() {
            assert_eq!(space.plate_key(text), keys[i]);
            assert_eq!(keys.iter().filter(|key| **key == keys[i]).count(), 1, "{text}");
        }
    }

    #[test]
    fn every_position_is_found_again() {
        let mut space = KeySpace::new();
        for count in [0, 1, 2, 3, 1000_u32] {
            let keys: Vec<Key> = (0..count).map(|n| space.order_key(&format!("order {n}"))).collect();
            let positions = Positions::new(keys.iter().copied(), |i| keys[at(i)]);
            for (i, key) in keys.iter().enumerate() {
                assert_eq!(positions.get(*key, |i| keys[at(i)]), Some(index(i)));
            }
            assert_eq!(positions.get(space.order_key("another"), |i| keys[at(i)]), None);
        }
    }
}
