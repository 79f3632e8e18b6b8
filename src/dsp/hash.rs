//! FNV-1a of 128 bits (Fowler, Noll and Vo; RFC 9923). It tells files apart that differ by accident, and need
//! not withstand those that were made to collide: they would only be taken for one another.

/// What FNV-1a begins with.
pub const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;

/// The hash of some bytes.
pub fn fnv(bytes: &[u8]) -> u128 {
    fnv_on(BASIS, bytes)
}

/// Goes on from the hash of what came before.
pub fn fnv_on(hash: u128, bytes: &[u8]) -> u128 {
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let step = |hash: u128, byte: &u8| (hash ^ u128::from(*byte)).wrapping_mul(PRIME);
    bytes.iter().fold(hash, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(fnv(b""), 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
        assert_eq!(fnv(b"a"), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
        assert_eq!(fnv(b"foobar"), 0x343e_1662_793c_64bf_6f0d_3597_ba44_6f18);
        assert_eq!(fnv_on(fnv(b"foo"), b"bar"), fnv(b"foobar"));
    }
}
