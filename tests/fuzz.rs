//! Bytes and words from anyone, by the thousand: whatever they are, the answer is a value or an
//! error that says something.
//!
//! A round is made of a number, its seed. What fails prints it, and `WHARF_FUZZ_SEED` plays that
//! round again. There are few rounds unless `WHARF_FUZZ_SECONDS` gives each test time for more,
//! which then begin with a seed of the clock.
#![forbid(unsafe_code)]
#![cfg(feature = "cli")]

#[path = "support/command.rs"]
mod command;
#[path = "support/drivers.rs"]
mod drivers;
#[path = "support/program.rs"]
mod program;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};
use wharf::term::decode::{Limits, decode, decode_within};
use wharf::term::encode::encode;
use wharf::term::iodata::IoData;
use wharf::term::text::parse;
use wharf::{Options, PortName, Term};

/// A row of numbers made of a seed.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Dice {
        let mut dice = Dice(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..8 {
            dice.below(2);
        }
        dice
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 20).expect("64 bits") % limit
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).expect("a byte")
    }

    fn one_of<T: Copy>(&mut self, things: &[T]) -> T {
        things[self.below(things.len())]
    }
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Plays `count` rounds, or as many as there is time for; `test` is the name to replay it by.
fn rounds(test: &str, count: u64, round: impl Fn(&mut Dice)) {
    let play = |seed: u64| {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| round(&mut Dice::new(seed)))) {
            println!(
                "again with: WHARF_FUZZ_SEED={seed} cargo test --features cli --test fuzz {test}"
            );
            resume_unwind(panic);
        }
    };
    if let Some(seed) = variable("WHARF_FUZZ_SEED") {
        return play(seed);
    }
    let Some(seconds) = variable("WHARF_FUZZ_SECONDS") else {
        return (0..count).for_each(play);
    };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let begin = now.map_or(0, |now| now.as_secs() << 20);
    let (end, mut seed) = (Instant::now() + Duration::from_secs(seconds), begin);
    while Instant::now() < end {
        play(seed);
        seed += 1;
    }
    println!("{test}: {} rounds from seed {begin}", seed - begin);
}

const TAGS: [u8; 31] = [
    70, 77, 80, 88, 89, 90, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111,
    112, 113, 114, 115, 116, 117, 118, 119, 120, 131,
];

/// Bytes in which there may be a term.
fn nearly_a_term(dice: &mut Dice) -> Vec<u8> {
    let mut bytes = vec![131];
    if dice.below(3) == 0 {
        let text = dice.one_of(&[
            "[1,-1,300,2.5|x]",
            "#{a => \"text\", <<\"b\">> => {[], [[]]}}",
            "{fun m:f/1, <0.1.0>, #Port<0.2>, #Ref<0.1.2.3>, <<1:3>>}",
            "123456789012345678901234567890",
        ]);
        bytes = encode(&parse(text).expect("a term")).expect("encodes");
        for _ in 0..dice.below(4) {
            let at = dice.below(bytes.len());
            bytes[at] = dice.byte();
        }
    }
    for _ in 0..dice.below(60) {
        let byte = match dice.below(4) {
            0 => dice.byte(),
            1 => u8::try_from(dice.below(4)).expect("small"),
            _ => dice.one_of(&TAGS),
        };
        bytes.push(byte);
    }
    bytes
}

fn hash(term: &Term) -> u64 {
    let mut hasher = DefaultHasher::new();
    term.hash(&mut hasher);
    hasher.finish()
}

#[test]
fn decode_and_all_that_takes_terms() {
    rounds("decode_and_all_that_takes_terms", 30_000, |dice| {
        let bytes = nearly_a_term(dice);
        let limits = Limits {
            depth: 30,
            inflated: 1000,
        };
        let Ok((term, used)) = decode_within(&bytes, limits) else {
            return;
        };
        assert!(used <= bytes.len());
        let again = encode(&term).expect("what was decoded encodes");
        let (same, _) = decode(&again).expect("and is decoded again");
        assert_eq!(same, term);
        assert_eq!(hash(&same), hash(&term));
        assert!(!term.to_string().is_empty());
        let _ = (Options::from_term(&term), PortName::from_term(&term));
        if let Ok(data) = IoData::from_term(&term) {
            assert_eq!(data.flat().len(), data.len());
        }
    });
}

#[test]
fn text_of_terms() {
    let words = [
        "[",
        "]",
        "{",
        "}",
        "#{",
        "=>",
        "|",
        ",",
        ",",
        "a",
        "'b c'",
        "\"text\"",
        "<<",
        ">>",
        "1",
        "-",
        "2#101",
        "16#ff",
        "$a",
        "$\\n",
        "1.5e3",
        ".",
        "%x\n",
        " ",
        "\n",
        "\\",
        "'",
        "\"",
        "<0.1.0>",
        "#Port<0.1>",
        "#Ref<0.1.2.3>",
        "fun m:f/1",
        "#",
        ":8",
        "\"\"\"",
        "ö",
        "\u{0}",
        "1_000",
        "37#z",
        "\\x{",
        "true",
        "<<\"é\"/utf8>>",
        "@",
        "~",
    ];
    rounds("text_of_terms", 30_000, |dice| {
        let mut text = String::new();
        for _ in 0..dice.below(20) {
            text.push_str(dice.one_of(&words));
        }
        match parse(&text) {
            Ok(term) => assert_eq!(parse(&term.to_string()), Ok(term)),
            Err(error) => {
                let line = text
                    .split('\n')
                    .nth(error.line - 1)
                    .expect("a line of the text");
                assert!(
                    error.column <= line.chars().count() + 1,
                    "{error} in {text:?}"
                );
                assert!(!error.reason.is_empty());
            }
        }
    });
}

/// Words of the language, none of which waits, or touches anything outside.
const WORDS: [&str; 74] = [
    "a",
    "b",
    "x",
    "=",
    "==",
    "->",
    "<-",
    "|>",
    "++",
    "<>",
    "..",
    "|",
    "&",
    "&1",
    "^",
    "!",
    "not",
    "and",
    "in",
    "when",
    "fn",
    "end",
    "do",
    "else",
    "case",
    "cond",
    "if",
    "unless",
    "for",
    "with",
    "try",
    "rescue",
    "catch",
    "after",
    "def f(x)",
    "defmodule M",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "%{",
    "<<",
    ">>",
    "::",
    ",",
    ",",
    ";",
    "\n",
    "\n",
    " ",
    " ",
    "1",
    "2.5",
    "0x1F",
    "?a",
    ":ok",
    ":\"b c\"",
    "\"text\"",
    "\"#{",
    "'",
    "\"",
    "\"\"\"",
    "~w(a b)",
    "~s(",
    "nil",
    "true",
    "Enum",
    ".map",
    "@y",
    "%M{",
    "key:",
    "π",
];

#[test]
fn scripts() {
    rounds("scripts", 40, |dice| {
        let mut source = String::new();
        for _ in 0..1 + dice.below(14) {
            source.push_str(dice.one_of(&WORDS));
            source.push_str(dice.one_of(&[" ", "", " "]));
        }
        let started = command::wharf(&["eval", "--", &source]);
        let output = program::run_within(started, "", Duration::from_secs(60));
        let errors = String::from_utf8(output.stderr).expect("text");
        match output.status.code() {
            Some(0) => {}
            Some(1) => {
                assert!(errors.contains("** ("), "{source:?}: {errors}");
                assert!(errors.len() < 20_000, "{source:?}: {errors}");
            }
            _ => panic!("{source:?}: {}: {errors}", output.status),
        }
        assert!(!errors.contains("panicked"), "{source:?}: {errors}");
    });
}

/// A driver with something in its file changed. It is for another kind of machine, so the
/// system's loader refuses it at once: only what wharf reads itself is at stake here.
fn damaged(dice: &mut Dice, whole: &[u8]) -> Vec<u8> {
    const MACHINE: usize = 18;
    let mut bytes = whole.to_vec();
    let sections = usize::from_le_bytes(whole[40..48].try_into().expect("eight"));
    for _ in 0..1 + dice.below(6) {
        let (from, len) = match dice.below(4) {
            0 => (16, 48),
            1 => (64, 600),
            2 => (sections, whole.len() - sections),
            _ => (0, whole.len()),
        };
        let at = (from + dice.below(len)).min(whole.len() - 1);
        bytes[at] = dice.one_of(&[0, 1, 127, 128, 255, bytes[at] ^ 1, bytes[at] ^ 128]);
    }
    bytes[MACHINE] ^= 0x55;
    if dice.below(4) == 0 {
        bytes.truncate(dice.below(whole.len()));
    }
    bytes
}

#[test]
fn files_of_drivers() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
    std::fs::create_dir_all(&folder).expect("a folder");
    let echo = Path::new(env!("CARGO_MANIFEST_DIR")).join("drivers/echo_drv.c");
    let whole = std::fs::read(drivers::compile(&echo, &folder)).expect("a driver");
    rounds("files_of_drivers", 40, |dice| {
        let file = folder.join("damaged_drv.so");
        std::fs::write(&file, damaged(dice, &whole)).expect("written");
        let path = file.display().to_string();
        let started = command::wharf(&["inspect", "--json", &path]);
        let output = program::run_within(started, "", Duration::from_secs(60));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(!errors.contains("panicked"), "{errors}");
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(told["loads"], false);
        assert!(
            told["error"]["message"]
                .as_str()
                .is_some_and(|message| message.len() > 10)
        );
    });
}
