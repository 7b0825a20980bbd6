//! The external term format into terms (`binary_to_term`).
//!
//! Reads all that OTP 25 reads, and the fun format of before OTP 23. The bytes may come from
//! anyone: nothing in them makes this panic, recurse, loop for longer than they are, or allocate
//! more than a fixed multiple of them; compressed ones inflate only up to a limit.
#![forbid(unsafe_code)]

use super::external as tag;
use super::external_fun::{ExternalFun, FunBytes, export};
use super::foreign::ForeignId;
use super::leaf::{Reader, read_leaf};
use super::{Atom, AtomError, Binary, Fun, Map, Term};
use flate2::bufread::ZlibDecoder;
use std::io::Read;

/// How far decoding goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many containers may be open within each other.
    pub depth: usize,
    /// How many bytes compressed terms may inflate to.
    pub inflated: usize,
}

impl Default for Limits {
    /// A million levels, 256 MiB inflated.
    fn default() -> Limits {
        Limits {
            depth: 1_000_000,
            inflated: 256 << 20,
        }
    }
}

/// Why bytes are not a term, and where that was seen (counted in the inflated bytes, if they were
/// compressed).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a term: {problem} at byte {at}")]
pub struct DecodeError {
    /// How many bytes were read before the problem.
    pub at: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What can be wrong with bytes that should be a term.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The bytes end too early.
    #[error("the bytes end within a term")]
    Truncated,
    /// The first byte is not 131.
    #[error("the version byte 131 is missing")]
    Version,
    /// No term begins with this byte.
    #[error("unknown tag {0}")]
    Tag(u8),
    /// A field has a value that it must not have.
    #[error("{0}")]
    Value(&'static str),
    /// The atom cannot be made.
    #[error("{0}")]
    Atom(#[from] AtomError),
    /// Containers are nested too deeply.
    #[error("nested more than {0} levels deep")]
    Depth(usize),
    /// The compressed part is damaged, or not as long as it says.
    #[error("the compressed part is damaged")]
    Compressed,
    /// The compressed part is too long.
    #[error("the compressed part inflates to more than {0} bytes")]
    Inflated(usize),
}

/// Reads one term and its leading version byte; gives it and the number of bytes it took.
pub fn decode(bytes: &[u8]) -> Result<(Term, usize), DecodeError> {
    decode_within(bytes, Limits::default())
}

/// As [`decode`], within other limits.
pub fn decode_within(bytes: &[u8], limits: Limits) -> Result<(Term, usize), DecodeError> {
    let mut reader = Reader { bytes, at: 0 };
    let error = |reader: &Reader<'_>, problem| DecodeError {
        at: reader.at,
        problem,
    };
    match reader.byte() {
        Ok(tag::VERSION) => {}
        Ok(_) => {
            return Err(DecodeError {
                at: 0,
                problem: Problem::Version,
            });
        }
        Err(problem) => return Err(error(&reader, problem)),
    }
    if bytes.get(1) != Some(&tag::COMPRESSED) {
        return match read_term(&mut reader, limits) {
            Ok(term) => Ok((term, reader.at)),
            Err(problem) => Err(error(&reader, problem)),
        };
    }
    reader.at += 1;
    let inflated = inflate(&mut reader, limits).map_err(|problem| error(&reader, problem))?;
    let mut inner = Reader {
        bytes: &inflated,
        at: 0,
    };
    match read_term(&mut inner, limits) {
        Ok(term) => Ok((term, reader.at)),
        Err(problem) => Err(error(&inner, problem)),
    }
}

fn inflate(reader: &mut Reader<'_>, limits: Limits) -> Result<Vec<u8>, Problem> {
    let size = reader.length()?;
    if size > limits.inflated {
        return Err(Problem::Inflated(limits.inflated));
    }
    let source = &reader.bytes[reader.at..];
    let mut zlib = ZlibDecoder::new(source);
    let mut inflated = Vec::new();
    // One byte more than it should be, to see whether it is longer than it says; that byte's
    // attempt also makes the decoder check what follows the data.
    let wanted = u64::try_from(size).unwrap_or(u64::MAX).saturating_add(1);
    match zlib.by_ref().take(wanted).read_to_end(&mut inflated) {
        Ok(read) if read == size => {}
        _ => return Err(Problem::Compressed),
    }
    reader.at += source.len() - zlib.into_inner().len();
    Ok(inflated)
}

/// A container whose parts are being read. They wait on the stack of values, from `start` on.
struct Frame {
    kind: Kind,
    start: usize,
    missing: usize,
}

enum Kind {
    Tuple,
    /// The last part is the tail.
    List,
    /// Keys and values in turn.
    Map,
    Export,
    /// A fun whose bytes begin here.
    Fun {
        began: usize,
        arity: usize,
    },
    /// The fun format of before OTP 23.
    OldFun {
        began: usize,
    },
}

/// What stands at one place in the bytes.
enum Found {
    Whole(Term),
    /// A container, and how many parts of it follow.
    Opened(Kind, usize),
}

fn read_term(reader: &mut Reader<'_>, limits: Limits) -> Result<Term, Problem> {
    let mut frames: Vec<Frame> = Vec::new();
    let mut values: Vec<Term> = Vec::new();
    let mut funs = FunBytes::default();
    loop {
        match read_one(reader)? {
            Found::Whole(term) => values.push(term),
            Found::Opened(kind, 0) => {
                let start = values.len();
                close(&kind, &mut values, start, reader, &mut funs)?;
            }
            Found::Opened(kind, missing) => {
                // Every part takes at least a byte.
                if missing > reader.left() {
                    return Err(Problem::Truncated);
                }
                if frames.len() >= limits.depth {
                    return Err(Problem::Depth(limits.depth));
                }
                if matches!(kind, Kind::Fun { .. } | Kind::OldFun { .. }) {
                    funs.open();
                }
                frames.push(Frame {
                    kind,
                    start: values.len(),
                    missing,
                });
                continue;
            }
        }
        // A value is there: it may be the last part of one container or more.
        while let Some(frame) = frames.last_mut() {
            frame.missing -= 1;
            if frame.missing > 0 {
                break;
            }
            close(&frame.kind, &mut values, frame.start, reader, &mut funs)?;
            frames.pop();
        }
        if frames.is_empty() {
            return values.pop().ok_or(Problem::Truncated);
        }
    }
}

/// Replaces the parts of a container, which are the values from `start` on, by the container.
fn close(
    kind: &Kind,
    values: &mut Vec<Term>,
    start: usize,
    reader: &Reader<'_>,
    funs: &mut FunBytes,
) -> Result<(), Problem> {
    let parts = &values[start..];
    let term = match kind {
        Kind::Tuple => Term::Tuple(values.drain(start..).collect()),
        Kind::List => {
            let tail = values.pop().unwrap_or(Term::Nil);
            values
                .drain(start..)
                .rev()
                .fold(tail, |tail, head| Term::cons(head, tail))
        }
        Kind::Map => {
            let pairs = parts.len() / 2;
            let mut parts = values.drain(start..);
            let map: Map = std::iter::from_fn(|| Some((parts.next()?, parts.next()?))).collect();
            drop(parts);
            if map.len() != pairs {
                return Err(Problem::Value("a key twice in one map"));
            }
            Term::Map(map)
        }
        Kind::Export => {
            let [
                Term::Atom(module),
                Term::Atom(function),
                Term::Int(arity @ 0..=255),
            ] = parts
            else {
                return Err(Problem::Value(
                    "a fun that is not module, function and arity",
                ));
            };
            export(*module, *function, u8::try_from(*arity).unwrap_or(0))
        }
        Kind::Fun { began, arity } => {
            let [
                Term::Atom(module),
                Term::Int(index),
                Term::Int(unique),
                creator,
                ..,
            ] = parts
            else {
                return Err(Problem::Value(
                    "a fun without module, index and unique number",
                ));
            };
            let encoded = funs.close(reader.bytes, *began, reader.at);
            external_fun(encoded, *arity, (*module, *index, *unique), creator)?
        }
        Kind::OldFun { began } => {
            let [
                creator,
                Term::Atom(module),
                Term::Int(index),
                Term::Int(unique),
                ..,
            ] = parts
            else {
                return Err(Problem::Value(
                    "a fun without module, index and unique number",
                ));
            };
            let encoded = funs.close(reader.bytes, *began, reader.at);
            external_fun(encoded, 0, (*module, *index, *unique), creator)?
        }
    };
    values.truncate(start);
    values.push(term);
    Ok(())
}

fn external_fun(
    encoded: Binary,
    arity: usize,
    (module, index, unique): (Atom, i64, i64),
    creator: &Term,
) -> Result<Term, Problem> {
    let is_pid = match creator {
        Term::Pid(_) => true,
        Term::Foreign(foreign) => matches!(foreign.id, ForeignId::Pid { .. }),
        _ => false,
    };
    if !is_pid {
        return Err(Problem::Value("a fun that was not made by a process"));
    }
    let name = format!("{module}.{index}.{unique}");
    Ok(Term::Fun(Fun::new(ExternalFun {
        encoded,
        arity,
        name,
        export: None,
    })))
}

fn read_one(reader: &mut Reader<'_>) -> Result<Found, Problem> {
    let began = reader.at;
    let (kind, parts) = match reader.byte()? {
        tag::SMALL_TUPLE => (Kind::Tuple, usize::from(reader.byte()?)),
        tag::LARGE_TUPLE => (Kind::Tuple, reader.length()?),
        tag::LIST => (Kind::List, reader.length()?.saturating_add(1)),
        tag::MAP => (Kind::Map, reader.length()?.saturating_mul(2)),
        tag::EXPORT => (Kind::Export, 3),
        tag::NEW_FUN => {
            // Its size, then the arity, a checksum and an index, and how many terms it captured.
            reader.take(4)?;
            let arity = usize::from(reader.byte()?);
            reader.take(16 + 4)?;
            (
                Kind::Fun { began, arity },
                reader.length()?.saturating_add(4),
            )
        }
        tag::FUN => (Kind::OldFun { began }, reader.length()?.saturating_add(4)),
        leaf => return read_leaf(reader, leaf, began).map(Found::Whole),
    };
    Ok(Found::Opened(kind, parts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::encode::{encode, encode_compressed};
    use crate::term::{Pid, PortId, Reference};
    use num_bigint::BigInt;

    /// With the version byte in front.
    fn read(bytes: &[u8]) -> Result<Term, Problem> {
        let bytes = [&[131], bytes].concat();
        match decode(&bytes) {
            Ok((term, used)) => {
                assert_eq!(used, bytes.len());
                Ok(term)
            }
            Err(error) => Err(error.problem),
        }
    }

    fn value_problem(bytes: &[u8]) -> bool {
        matches!(read(bytes), Err(Problem::Value(_)))
    }

    #[test]
    fn every_form_of_atoms_and_numbers_is_read() {
        for bytes in [
            &[100, 0, 1, 246][..],
            &[115, 1, 246],
            &[118, 0, 2, 195, 182],
            &[119, 2, 195, 182],
        ] {
            assert_eq!(read(bytes), Ok(Term::atom("ö")));
        }
        assert_eq!(read(&[110, 4, 1, 1, 0, 0, 0]), Ok(Term::Int(-1)));
        assert_eq!(read(&[110, 0, 0]), Ok(Term::Int(0)));
        assert_eq!(read(&[111, 0, 0, 0, 1, 0, 7]), Ok(Term::Int(7)));
        assert_eq!(
            read(&[110, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
            Ok(Term::integer(BigInt::from(1) << 64))
        );
        let mut old = [0; 32];
        old[0] = 99;
        old[1..27].copy_from_slice(b"1.50000000000000000000e+00");
        assert_eq!(read(&old), Ok(Term::Float(1.5)));
    }

    #[test]
    fn odd_containers_are_read_as_otp_does() {
        assert_eq!(read(&[108, 0, 0, 0, 0, 97, 1]), Ok(Term::Int(1)));
        assert_eq!(read(&[107, 0, 0]), Ok(Term::Nil));
        assert_eq!(read(&[105, 0, 0, 0, 1, 97, 1]), Ok(Term::tuple([1.into()])));
        assert_eq!(read(&[104, 0]), Ok(Term::tuple([])));
        assert_eq!(read(&[116, 0, 0, 0, 0]), Ok(Term::Map(Map::new())));
        assert_eq!(read(&[77, 0, 0, 0, 1, 8, 32]), Ok(Term::from(" ")));
        assert_eq!(read(&[77, 0, 0, 0, 0, 0]), Ok(Term::from("")));
    }

    #[test]
    fn wrong_values_are_refused() {
        assert!(
            value_problem(&[116, 0, 0, 0, 2, 97, 1, 97, 1, 97, 1, 97, 2]),
            "a key twice"
        );
        assert!(
            value_problem(&[77, 0, 0, 0, 1, 0, 32]),
            "no bits in the last byte"
        );
        assert!(value_problem(&[77, 0, 0, 0, 1, 9, 32]), "nine bits");
        assert!(value_problem(&[77, 0, 0, 0, 0, 3]), "bits of no byte");
        assert!(value_problem(&[70, 127, 240, 0, 0, 0, 0, 0, 0]), "infinity");
        assert!(value_problem(&[119, 1, 128]), "not UTF-8");
        assert!(
            value_problem(&[113, 97, 1, 100, 0, 1, 98, 97, 2]),
            "a module that is a number"
        );
        assert!(value_problem(&[88, 97, 1]), "a node that is a number");
        assert_eq!(
            read(&[&[100, 1, 0], &[b'a'; 256][..]].concat()),
            Err(Problem::Atom(AtomError::TooLong))
        );
        assert_eq!(read(&[131, 97, 5]), Err(Problem::Tag(131)));
        assert_eq!(
            decode(&[97, 5]).map_err(|e| e.problem),
            Err(Problem::Version)
        );
        let error = decode(&[131, 104, 2, 97, 1, 0]).expect_err("tag 0");
        assert_eq!(error.to_string(), "not a term: unknown tag 0 at byte 5");
    }

    #[test]
    fn lengths_beyond_the_bytes_are_refused() {
        for tag in [105, 108, 109, 111, 116, 117] {
            assert_eq!(
                read(&[tag, 255, 255, 255, 255, 0, 0]),
                Err(Problem::Truncated),
                "tag {tag}"
            );
        }
        let whole = encode(&Term::list(vec![
            Term::tuple(["x".into(), Term::Float(1.0)]),
            Term::Int(1 << 40),
        ]));
        let whole = whole.expect("encodes");
        for len in 0..whole.len() {
            assert!(decode(&whole[..len]).is_err(), "{len} bytes");
        }
    }

    #[test]
    fn other_nodes_are_kept_as_they_are() {
        let node: &[u8] = &[100, 0, 3, b'a', b'@', b'b'];
        let with = |before: &[u8], after: &[u8]| [before, node, after].concat();
        let again =
            |bytes: &[u8]| encode(&read(bytes).expect("reads")).expect("encodes")[1..].to_vec();
        let pid = with(&[88], &[0, 0, 0, 5, 0, 0, 0, 7, 0, 0, 0, 3]);
        assert_eq!(again(&pid), pid);
        assert_eq!(again(&with(&[103], &[0, 0, 0, 5, 0, 0, 0, 7, 3])), pid);
        let port = with(&[89], &[0, 0, 0, 5, 0, 0, 0, 3]);
        assert_eq!(again(&port), port);
        assert_eq!(again(&with(&[102], &[0, 0, 0, 5, 3])), port);
        assert_eq!(
            again(&with(&[120], &[0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 3])),
            port
        );
        let reference = with(&[90, 0, 2], &[0, 0, 0, 3, 0, 0, 0, 5, 0, 0, 0, 6]);
        assert_eq!(again(&reference), reference);
        assert_eq!(
            again(&with(&[114, 0, 2], &[3, 0, 0, 0, 5, 0, 0, 0, 6])),
            reference
        );
        assert_eq!(
            again(&with(&[101], &[0, 0, 0, 5, 3])),
            with(&[90, 0, 1], &[0, 0, 0, 3, 0, 0, 0, 5])
        );
        assert!(value_problem(&with(&[90, 0, 6], &[0; 28])));
        // Words that are zero say nothing.
        let longer = with(
            &[90, 0, 3],
            &[0, 0, 0, 3, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 0],
        );
        assert_eq!(read(&longer), read(&reference));
    }

    #[test]
    fn our_own_identities_come_back() {
        for number in [0, 1, u64::from(u32::MAX), u64::MAX] {
            let terms = [
                Term::Pid(Pid::from_number(number)),
                Term::Port(PortId::from_number(number)),
                Term::Reference(Reference::from_number(number)),
            ];
            for term in terms {
                let bytes = encode(&term).expect("encodes");
                assert_eq!(decode(&bytes), Ok((term, bytes.len())));
            }
        }
    }

    #[test]
    fn funs_go_through_unchanged() {
        let export = [113, 100, 0, 1, b'm', 100, 0, 1, b'f', 97, 2];
        let fun = read(&export).expect("reads");
        assert_eq!(
            (fun.to_string(), fun.as_fun().map(Fun::arity)),
            ("fun m:f/2".into(), Some(2))
        );
        let pid = encode(&Term::Pid(Pid::from_number(9))).expect("encodes");
        let mut new = vec![112, 0, 0, 0, 60, 3];
        new.extend([0; 16]);
        new.extend([0, 0, 0, 7, 0, 0, 0, 1, 119, 1, b'm', 97, 7, 97, 9]);
        new.extend(&pid[1..]);
        new.extend([104, 1, 106]);
        let old = [
            &[117, 0, 0, 0, 1],
            &pid[1..],
            &[119, 1, b'm', 97, 7, 97, 9, 106],
        ]
        .concat();
        for bytes in [&export[..], &new, &old] {
            let fun = read(bytes).expect("reads");
            assert_eq!(
                encode(&fun).map(|bytes| bytes[1..].to_vec()),
                Ok(bytes.to_vec())
            );
            assert_eq!(read(bytes), Ok(fun));
        }
        assert_eq!(
            read(&new).map(|fun| fun.to_string()),
            Ok("#Fun<m.7.9>".into())
        );
        assert_ne!(read(&new), read(&old));
        new.truncate(new.len() - 1);
        assert!(read(&new).is_err());
    }

    #[test]
    fn compressed_terms_inflate_within_the_limit() {
        let len = if cfg!(miri) { 300 } else { 60_000 };
        let term = Term::bytes_list(Binary::from(vec![b'a'; len]));
        let mut bytes = encode_compressed(&term, 9).expect("encodes");
        let used = bytes.len();
        assert_eq!(decode(&bytes), Ok((term.clone(), used)));
        bytes.extend([1, 2, 3]);
        assert_eq!(decode(&bytes), Ok((term, used)));
        // Three bytes of tag and length come before the text.
        let limits = Limits {
            inflated: len + 2,
            ..Limits::default()
        };
        let error = decode_within(&bytes, limits).expect_err("one byte too many");
        assert_eq!(error.problem, Problem::Inflated(len + 2));
        let size = u32::try_from(len + 3).expect("short");
        for wrong in [size - 1, size + 1] {
            bytes[2..6].copy_from_slice(&wrong.to_be_bytes());
            assert_eq!(
                decode(&bytes).map_err(|e| e.problem),
                Err(Problem::Compressed),
                "{wrong}"
            );
        }
        bytes[2..6].copy_from_slice(&size.to_be_bytes());
        for len in 0..used {
            assert!(decode(&bytes[..len]).is_err(), "{len} of {used} bytes");
        }
    }

    #[test]
    fn depth_is_bounded_but_not_by_the_stack() {
        let nested = |levels: usize| [&[131][..], &[104, 1].repeat(levels), &[106]].concat();
        let levels = if cfg!(miri) { 1_000 } else { 300_000 };
        let (term, _) = decode(&nested(levels)).expect("decodes");
        assert_eq!(encode(&term), Ok(nested(levels)));
        let limits = Limits {
            depth: 10,
            ..Limits::default()
        };
        assert!(decode_within(&nested(10), limits).is_ok());
        assert_eq!(
            decode_within(&nested(11), limits).map_err(|e| e.problem),
            Err(Problem::Depth(10))
        );
    }
}
