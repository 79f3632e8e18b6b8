//! The floating-point mode of the audio thread: denormals are zero while a guard lives.
//!
//! Both flush-to-zero (results) and denormals-are-zero (operands) are set, and the caller's mode is put
//! back. Intel SDM volume 1, 10.2.3; Arm Architecture Reference Manual, FPCR.FZ.

/// Sets flush-to-zero and denormals-are-zero for this thread until it is dropped.
#[must_use]
pub struct DenormalGuard {
    before: u64,
    // The mode belongs to the thread that set it.
    _not_send: std::marker::PhantomData<*const ()>,
}

#[cfg(target_arch = "x86_64")]
mod mode {
    /// FTZ is bit 15, DAZ bit 6 of MXCSR.
    pub const FLUSH: u64 = 1 << 15 | 1 << 6;

    pub fn get() -> u64 {
        let mut mxcsr: u32 = 0;
        // SAFETY: stores the 32 bits of MXCSR into a local.
        unsafe {
            std::arch::asm!("stmxcsr [{}]", in(reg) &mut mxcsr, options(nostack, preserves_flags));
        }
        u64::from(mxcsr)
    }

    pub fn set(mode: u64) {
        let mxcsr = mode as u32;
        // SAFETY: the value was read from MXCSR, with at most FTZ and DAZ added, which every x86-64 has.
        unsafe {
            std::arch::asm!("ldmxcsr [{}]", in(reg) &mxcsr, options(nostack, preserves_flags));
        }
    }
}

#[cfg(target_arch = "aarch64")]
mod mode {
    /// FZ is bit 24 of FPCR: it flushes operands and results.
    pub const FLUSH: u64 = 1 << 24;

    pub fn get() -> u64 {
        let fpcr: u64;
        // SAFETY: reads a register.
        unsafe {
            std::arch::asm!("mrs {}, fpcr", out(reg) fpcr, options(nomem, nostack));
        }
        fpcr
    }

    pub fn set(mode: u64) {
        // SAFETY: the value was read from FPCR, with at most FZ added.
        unsafe {
            std::arch::asm!("msr fpcr, {}", in(reg) mode, options(nomem, nostack));
        }
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod mode {
    pub const FLUSH: u64 = 0;
    pub fn get() -> u64 {
        0
    }
    pub fn set(_: u64) {}
}

impl DenormalGuard {
    /// Sets the mode.
    pub fn new() -> DenormalGuard {
        let before = mode::get();
        if before & mode::FLUSH != mode::FLUSH {
            mode::set(before | mode::FLUSH);
        }
        DenormalGuard {
            before,
            _not_send: std::marker::PhantomData,
        }
    }
}

impl Default for DenormalGuard {
    fn default() -> Self {
        DenormalGuard::new()
    }
}

impl Drop for DenormalGuard {
    fn drop(&mut self) {
        if self.before & mode::FLUSH != mode::FLUSH {
            mode::set(self.before);
        }
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use std::hint::black_box;

    #[test]
    fn denormals_are_zero_inside_and_themselves_outside() {
        let tiny = f32::from_bits(1);
        let product = |x: f32| black_box(black_box(x) * black_box(1.0));
        assert_eq!(product(tiny).to_bits(), 1);
        {
            let _guard = DenormalGuard::new();
            let _nested = DenormalGuard::new();
            assert_eq!(product(tiny).to_bits(), 0);
        }
        assert_eq!(product(tiny).to_bits(), 1);
    }
}
