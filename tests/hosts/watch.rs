//! Watches every function that the plugin library calls outside of itself.
//!
//! What the library imports (of libc, libm, ALSA) it calls through its global offset table. The slots of that table are
//! pointed at small pieces of code of ours, which count the calls of threads that are processing audio and go on to the
//! real function. That holds for everything in the library, whoever wrote it: Rust, C++ and Faust nodes, the framework.
//! What is called *within* libc is not seen; each such call begins with one that is.

use std::cell::Cell;

thread_local! {
    /// Whether this thread is processing audio; constant-initialised, so that reading it allocates nothing.
    static PROCESSING: Cell<bool> = const { Cell::new(false) };
}

/// Does what an audio thread does.
pub fn on_the_audio_thread<T>(work: impl FnOnce() -> T) -> T {
    PROCESSING.set(true);
    let result = work();
    PROCESSING.set(false);
    result
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub use table::{calls, watch};

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod table {
    use super::PROCESSING;
    use std::collections::BTreeMap;
    use std::ffi::{CStr, CString, c_char, c_int, c_void};
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// More than the library imports.
    const MOST: usize = 2048;

    static TARGETS: [AtomicUsize; MOST] = [const { AtomicUsize::new(0) }; MOST];
    static COUNTS: [AtomicUsize; MOST] = [const { AtomicUsize::new(0) }; MOST];
    static NAMES: Mutex<Vec<String>> = Mutex::new(Vec::new());

    // One piece of 16 bytes for each import: its number, and on to the common part. That keeps every register in which
    // arguments go, asks for the real function, and goes there.
    std::arch::global_asm!(
        ".p2align 4",
        "zg_watch_pieces:",
        ".set zg_watch_number, 0",
        ".rept 2048",
        ".p2align 4",
        "push offset zg_watch_number",
        "jmp zg_watch_common",
        ".set zg_watch_number, zg_watch_number + 1",
        ".endr",
        ".p2align 4",
        "zg_watch_common:",
        "push rax",
        "push rdi",
        "push rsi",
        "push rdx",
        "push rcx",
        "push r8",
        "push r9",
        "push r10",
        "sub rsp, 128",
        "movups [rsp], xmm0",
        "movups [rsp + 16], xmm1",
        "movups [rsp + 32], xmm2",
        "movups [rsp + 48], xmm3",
        "movups [rsp + 64], xmm4",
        "movups [rsp + 80], xmm5",
        "movups [rsp + 96], xmm6",
        "movups [rsp + 112], xmm7",
        "mov rdi, [rsp + 192]",
        "call {note}",
        "mov r11, rax",
        "movups xmm0, [rsp]",
        "movups xmm1, [rsp + 16]",
        "movups xmm2, [rsp + 32]",
        "movups xmm3, [rsp + 48]",
        "movups xmm4, [rsp + 64]",
        "movups xmm5, [rsp + 80]",
        "movups xmm6, [rsp + 96]",
        "movups xmm7, [rsp + 112]",
        "add rsp, 128",
        "pop r10",
        "pop r9",
        "pop r8",
        "pop rcx",
        "pop rdx",
        "pop rsi",
        "pop rdi",
        "pop rax",
        "add rsp, 8",
        "jmp r11",
        note = sym note,
    );

    unsafe extern "C" {
        static zg_watch_pieces: [[u8; 16]; MOST];
        fn dlopen(path: *const c_char, flags: c_int) -> *mut c_void;
        fn mprotect(address: *mut c_void, length: usize, protection: c_int) -> c_int;
    }

    /// Counts a call, and tells where the real function is.
    extern "C" fn note(number: usize) -> usize {
        // A thread that is ending has no cells any more; it processes nothing either.
        if PROCESSING.try_with(std::cell::Cell::get).unwrap_or(false) {
            COUNTS[number].fetch_add(1, Ordering::Relaxed);
        }
        TARGETS[number].load(Ordering::Relaxed)
    }

    /// The dynamic linker's own note of a library.
    #[repr(C)]
    struct LinkMap {
        base: usize,
        name: *const c_char,
        dynamic: *const [usize; 2],
    }

    #[repr(C)]
    struct Relocation {
        offset: usize,
        info: u64,
        addend: i64,
    }

    #[repr(C)]
    struct Symbol {
        name: u32,
        info: u8,
        other: u8,
        section: u16,
        value: u64,
        size: u64,
    }

    /// Watches a library that has been loaded. For good: its pages stay writable.
    pub fn watch(library: &Path) {
        let path = CString::new(library.as_os_str().as_bytes()).expect("a path without a zero");
        // SAFETY: RTLD_NOW | RTLD_NOLOAD: only finds what is there. On Linux a handle is the link map.
        let map = unsafe { &*(dlopen(path.as_ptr(), 2 | 4) as *const LinkMap) };
        let mut table = BTreeMap::new();
        // SAFETY: the dynamic section of a loaded library is a list that a zero ends.
        unsafe {
            let mut entry = map.dynamic;
            while (*entry)[0] != 0 {
                table.insert((*entry)[0], (*entry)[1]);
                entry = entry.add(1);
            }
        }
        let (strings, symbols) = (table[&5], table[&6] as *const Symbol);
        let mut names = NAMES.lock().expect("one caller");
        // DT_RELA with DT_RELASZ, DT_JMPREL with DT_PLTRELSZ.
        for (start, bytes) in [(7, 8), (23, 2)] {
            let (Some(start), Some(bytes)) = (table.get(&start), table.get(&bytes)) else {
                continue;
            };
            // SAFETY: the section says how long its list is.
            let list = unsafe {
                std::slice::from_raw_parts(
                    *start as *const Relocation,
                    bytes / size_of::<Relocation>(),
                )
            };
            for relocation in list {
                // GLOB_DAT and JUMP_SLOT.
                if !matches!(relocation.info & 0xFFFF_FFFF, 6 | 7) {
                    continue;
                }
                // SAFETY: the linker has followed the same indices.
                let (symbol, name) = unsafe {
                    let symbol = &*symbols.add((relocation.info >> 32) as usize);
                    let name = CStr::from_ptr((strings + symbol.name as usize) as *const c_char);
                    (symbol, name.to_str().expect("ASCII"))
                };
                // Functions of others. The one for thread-local variables has a calling convention of its own.
                if symbol.info & 15 != 2 || symbol.section != 0 || name == "__tls_get_addr" {
                    continue;
                }
                let slot = (map.base + relocation.offset) as *mut usize;
                // SAFETY: a slot of the table, which the linker has made read-only after it had filled it.
                unsafe {
                    let target = *slot;
                    if target == 0 {
                        continue;
                    }
                    let number = names.len();
                    assert!(number < MOST, "more imports than pieces");
                    TARGETS[number].store(target, Ordering::Relaxed);
                    let page = slot as usize & !4095;
                    assert_eq!(mprotect(page as *mut c_void, 4096, 3), 0);
                    *slot = zg_watch_pieces[number].as_ptr() as usize;
                }
                names.push(name.to_owned());
            }
        }
        assert!(names.iter().any(|name| name == "malloc"), "{names:?}");
    }

    /// What has been called on audio threads since the last time, and how often.
    pub fn calls() -> BTreeMap<String, usize> {
        let names = NAMES.lock().expect("one caller");
        let mut calls = BTreeMap::new();
        for (name, count) in names.iter().zip(&COUNTS) {
            let count = count.swap(0, Ordering::Relaxed);
            if count > 0 {
                *calls.entry(name.clone()).or_insert(0) += count;
            }
        }
        calls
    }
}
