//! What decoding allocates, counted: a program of its own, because the allocator is everybody's.
//!
//! The bytes may come from anyone, so what they claim must cost nothing: only what is really
//! there may be paid for, a fixed number of times.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use wharf::term::decode::{DecodeError, Limits, Problem, decode, decode_within};
use wharf::term::encode::encode_compressed;
use wharf::term::text::parse;
use wharf::term::{Binary, Term};

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static SUM: AtomicUsize = AtomicUsize::new(0);

fn count(bytes: usize) {
    SUM.fetch_add(bytes, Relaxed);
    PEAK.fetch_max(NOW.fetch_add(bytes, Relaxed) + bytes, Relaxed);
}

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both may exist at once while the bytes move.
        count(size);
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One test at a time, or they would count each other.
static ALONE: Mutex<()> = Mutex::new(());

/// What a byte may cost while it is being read: `[]` in a list is one byte, and becomes a value
/// on a growing stack and a cell.
const PER_BYTE: usize = 150;
/// What decoding may cost whatever it reads: the inflating machine, most of all.
const PLAIN: usize = 128 << 10;

/// The most memory that `work` had at once, and how much it asked for in all.
fn counted<R>(work: impl FnOnce() -> R) -> (R, usize, usize) {
    let before = NOW.load(Relaxed);
    PEAK.store(before, Relaxed);
    SUM.store(0, Relaxed);
    let result = work();
    (
        result,
        PEAK.load(Relaxed).saturating_sub(before),
        SUM.load(Relaxed),
    )
}

/// Decodes within what `len` bytes may cost.
fn decoded_for(bytes: &[u8], limits: Limits, len: usize) -> Result<(Term, usize), DecodeError> {
    let (result, peak, sum) = counted(|| decode_within(bytes, limits));
    let start = &bytes[..bytes.len().min(40)];
    let may = PER_BYTE * len + PLAIN;
    assert!(peak <= may, "{peak} bytes at once for {len}: {start:?}");
    assert!(sum <= 3 * may, "{sum} bytes in all for {len}: {start:?}");
    result
}

fn decoded(bytes: &[u8]) -> Result<(Term, usize), DecodeError> {
    decoded_for(bytes, Limits::default(), bytes.len())
}

/// A growing number of bytes after each claim, most of them too few.
#[test]
fn a_claim_costs_nothing() {
    let _alone = ALONE.lock();
    let claims: &[&[u8]] = &[
        &[108, 255, 255, 255, 255],
        &[105, 255, 255, 255, 255],
        &[116, 255, 255, 255, 255],
        &[116, 127, 255, 255, 255],
        &[109, 255, 255, 255, 255],
        &[77, 255, 255, 255, 255, 7],
        &[111, 255, 255, 255, 255, 0],
        &[110, 255, 1],
        &[107, 255, 255],
        &[100, 255, 255],
        &[118, 255, 255],
        &[115, 255],
        &[119, 255],
        &[112, 255, 255, 255, 255, 255],
        &[112, 0, 0, 0, 0, 1],
        &[117, 255, 255, 255, 255],
        &[113, 118, 255, 255],
        &[90, 255, 255, 119, 1, b'n'],
        &[114, 255, 255, 119, 1, b'n'],
        &[88, 118, 255, 255],
        &[80, 255, 255, 255, 255],
        &[80, 15, 255, 255, 255],
        &[104, 255],
    ];
    for claim in claims {
        for filler in [0, 97, 106, 255] {
            for len in [0, 1, 2, 20, 21, 24, 25, 30, 1000, 70_000] {
                let bytes = [&[131], *claim, &vec![filler; len]].concat();
                let _ = decoded(&bytes);
                let in_list = [&[131, 108, 0, 0, 0, 1], *claim, &vec![filler; len]].concat();
                let _ = decoded(&in_list);
            }
        }
    }
}

#[test]
fn what_is_there_is_paid_for_a_fixed_number_of_times() {
    let _alone = ALONE.lock();
    let many: u32 = 100_000;
    let count = many.to_be_bytes();
    let nils = vec![106; 100_000];
    for tag in [108, 105] {
        let bytes = [&[131, tag], &count[..], &nils, &[106]].concat();
        assert!(decoded(&bytes).is_ok());
    }
    let pairs: Vec<u8> = (0..many)
        .flat_map(|key| [&[98], &key.to_be_bytes()[..], &[106]].concat())
        .collect();
    assert!(decoded(&[&[131, 116], &count[..], &pairs].concat()).is_ok());
    for levels in [1000, 100_000] {
        for (opening, innermost) in [
            (&[104, 1][..], &[106][..]),
            (&[108, 0, 0, 0, 1], &[106]),
            (&[108, 0, 0, 0, 0], &[106]),
            (&[116, 0, 0, 0, 1], &[106]),
            (&[116, 0, 0, 0, 1, 106], &[106]),
            (&[113], &[106]),
        ] {
            let _ = decoded(&[&[131], &opening.repeat(levels)[..], innermost].concat());
        }
    }
    let deep = [&[131], &[104, 1].repeat(1_000_001)[..], &[106]].concat();
    let problem = decoded(&deep).map_err(|error| error.problem);
    assert_eq!(problem, Err(Problem::Depth(1_000_000)));
    assert!(decoded(&deep[2..]).is_err());
}

/// A fun's bytes are kept as they came, and a fun may hold funs.
#[test]
fn funs_in_funs_are_not_copied_over_and_over() {
    let _alone = ALONE.lock();
    let pid = [&[103, 119, 1, b'n'][..], &[0; 9]].concat();
    // Its size, its arity, a checksum and an index; then how many terms it holds.
    let new = [
        &[112][..],
        &[0; 4 + 1 + 16 + 4],
        &[0, 0, 0, 1],
        &[119, 1, b'm', 97, 7, 97, 9],
        &pid,
    ]
    .concat();
    let old = [&[117, 0, 0, 0, 1], &pid[..], &[119, 1, b'm', 97, 7, 97, 9]].concat();
    for levels in [1, 3, 3000] {
        for opening in [&new, &old] {
            let bytes = [&[131], &opening.repeat(levels)[..], &[106]].concat();
            let (term, used) = decoded(&bytes).expect("a fun");
            assert_eq!(used, bytes.len());
            assert_eq!(wharf::term::encode::encode(&term), Ok(bytes));
        }
    }
}

#[test]
fn bombs_stop_at_the_limit() {
    let _alone = ALONE.lock();
    let limits = Limits {
        inflated: 100_000,
        ..Limits::default()
    };
    let large = Term::Binary(Binary::from(vec![0; 50_000_000]));
    let mut bomb = encode_compressed(&large, 9).expect("encodes");
    drop(large);
    assert!(bomb.len() < 100_000);
    let problem = decoded_for(&bomb, limits, bomb.len()).map_err(|error| error.problem);
    assert_eq!(problem, Err(Problem::Inflated(100_000)));
    // It lies about its size.
    for claim in [0_u32, 1, 5, 99_999, 100_000] {
        bomb[2..6].copy_from_slice(&claim.to_be_bytes());
        let problem =
            decoded_for(&bomb, limits, 100_000 / PER_BYTE * 3).map_err(|error| error.problem);
        assert_eq!(problem, Err(Problem::Compressed), "{claim}");
    }
    // A claim alone, with little behind it, costs what is behind it.
    let little = encode_compressed(&Term::bytes_list(Binary::from(vec![7; 500])), 9);
    let mut little = little.expect("encodes");
    little[2..6].copy_from_slice(&(200_u32 << 20).to_be_bytes());
    assert!(decoded_for(&little, Limits::default(), 2000).is_err());
    // Compressed within compressed is no term.
    let inner = [&[131, 80, 0, 0, 0, 2][..], &bomb].concat();
    assert!(decoded(&inner).is_err());
}

/// The same bytes in every run, and in every kind of order.
#[test]
fn random_and_damaged_bytes_cost_no_more() {
    let _alone = ALONE.lock();
    let whole = parse(
        "{ok, [1, 2.5, \"text\", 'an atom', <<\"binary\">>, <<5:3>>], #{a => 1, 2 => [x | y]}, \
         123456789012345678901234567890, fun lists:map/2, <0.1.0>}",
    );
    let whole = wharf::term::encode::encode(&whole.expect("a term")).expect("encodes");
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap_or(0) % below
    };
    let byte = |random: &mut dyn FnMut(usize) -> usize| u8::try_from(random(256)).unwrap_or(0);
    let tags = [
        70, 77, 80, 88, 89, 90, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110,
        111, 112, 113, 114, 115, 116, 117, 118, 119, 120,
    ];
    for _ in 0..20_000 {
        let mut bytes = whole.clone();
        for _ in 0..=random(4) {
            let at = random(bytes.len());
            bytes[at] = byte(&mut random);
        }
        let _ = decoded(&bytes);
        let len = random(200);
        let mut bytes = vec![131];
        for _ in 0..len {
            let any = byte(&mut random);
            bytes.push(if random(2) == 0 {
                tags[random(tags.len())]
            } else {
                any / 64
            });
        }
        let _ = decoded(&bytes);
    }
    // The counter counts.
    let (_, peak, sum) =
        counted(|| decode(&[&[131, 109, 0, 15, 66, 64][..], &[0; 1_000_000]].concat()));
    assert!(peak >= 2_000_000 && sum >= peak);
}
