//! Terms: the values of Erlang, and the ways in and out of them.
//!
//! The room knows nothing of ports. A [`Term`] is immutable, cheap to clone and may be sent to
//! any thread; its text is Erlang's ([`Display`](std::fmt::Display), [`text::parse`]), its bytes
//! are the external term format ([`encode`], [`decode`]), and [`iodata`] makes flat or segmented
//! bytes of nested lists. No term, however long or deep, exhausts the stack.

pub mod atom;
#[allow(unsafe_code)]
mod binary;
mod bitstring;
mod bytes;
#[allow(unsafe_code)]
mod counted;
pub mod decode;
mod display;
pub mod encode;
mod external;
mod external_fun;
mod foreign;
mod fun;
mod hash;
mod identity;
pub mod iodata;
#[allow(unsafe_code)]
mod landing;
mod leaf;
mod list;
mod map;
pub mod number;
mod order;
pub mod pattern;
mod release;
mod scan;
#[allow(unsafe_code)]
mod stock;
pub mod text;
mod tuple;

pub use atom::{Atom, AtomError};
pub use binary::Binary;
pub use bitstring::Bitstring;
pub use counted::Counted;
pub(crate) use counted::on_end_of_marked;
pub use external_fun::ExternalFun;
pub use foreign::Foreign;
pub use fun::{Fun, FunObject};
pub use identity::{Pid, PortId, Reference};
pub(crate) use landing::{Landing, PLACE_BYTES};
pub use list::{Iter as ListIter, List};
pub use map::{Iter as MapIter, Map};
pub use tuple::Tuple;

use num_bigint::BigInt;
use std::sync::Arc;

/// A value of Erlang.
///
/// `==` is Erlang's `=:=` (1 and 1.0 differ); see [`compare`](Term::compare) and
/// [`loosely_equals`](Term::loosely_equals) for the others. Printed as Erlang text.
///
/// ```
/// use wharf::term::Term;
/// let term = Term::tuple([Term::atom("ok"), Term::from("bytes"), Term::list(vec![1.into(), 2.5.into()])]);
/// assert_eq!(term.to_string(), r#"{ok,<<"bytes">>,[1,2.5]}"#);
/// ```
#[derive(Clone)]
pub enum Term {
    /// The empty list.
    Nil,
    /// A name.
    Atom(Atom),
    /// An integer of up to 64 bits.
    Int(i64),
    /// An integer that does not fit into 64 bits ([`Term::integer`] keeps to that).
    BigInt(Arc<BigInt>),
    /// A float, always finite.
    Float(f64),
    /// Bytes.
    Binary(Binary),
    /// Bits that do not fill their last byte.
    Bitstring(Arc<Bitstring>),
    /// A process.
    Pid(Pid),
    /// A port.
    Port(PortId),
    /// A unique value.
    Reference(Reference),
    /// A fixed number of terms.
    Tuple(Tuple),
    /// A list with at least one element.
    List(List),
    /// Terms by terms.
    Map(Map),
    /// A function.
    Fun(Fun),
    /// A process, port or reference of another node.
    Foreign(Arc<Foreign>),
}

const _: () = assert!(size_of::<Term>() == 24 && size_of::<Option<Term>>() == 24);

impl Term {
    /// The atom of this name, which the program itself knows (see [`Atom::new`] for others).
    pub fn atom(name: &str) -> Term {
        Term::Atom(Atom::new(name))
    }

    /// `true` or `false`.
    pub const fn boolean(value: bool) -> Term {
        Term::Atom(if value { atom::TRUE } else { atom::FALSE })
    }

    /// A tuple of a vector, array or slice of terms.
    pub fn tuple(elements: impl Into<Tuple>) -> Term {
        Term::Tuple(elements.into())
    }

    /// A proper list of these elements.
    pub fn list(elements: Vec<Term>) -> Term {
        Term::improper(elements, Term::Nil)
    }

    /// These elements in front of `tail`, which is the result when there are none.
    pub fn improper(elements: Vec<Term>, tail: Term) -> Term {
        elements
            .into_iter()
            .rev()
            .fold(tail, |tail, head| Term::cons(head, tail))
    }

    /// The list `[head | tail]`.
    pub fn cons(head: Term, tail: Term) -> Term {
        Term::List(List::cons(head, tail))
    }

    /// The list of the text's code points, which is what a string is in Erlang.
    pub fn charlist(text: &str) -> Term {
        let latin1: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
        match latin1 {
            Some(bytes) => Term::bytes_list(Binary::from(bytes)),
            None => Term::list(text.chars().map(|c| Term::from(u32::from(c))).collect()),
        }
    }

    /// The list of these bytes' values, kept as bytes.
    #[inline]
    pub fn bytes_list(bytes: Binary) -> Term {
        List::from_bytes(bytes).map_or(Term::Nil, Term::List)
    }

    /// Whether this is the atom of that name.
    pub fn is_atom(&self, name: &str) -> bool {
        matches!(self, Term::Atom(atom) if atom.as_str() == name)
    }

    /// Whether this is the atom `true`.
    pub fn is_true(&self) -> bool {
        matches!(self, Term::Atom(atom::TRUE))
    }

    /// The atom, if it is one.
    pub fn as_atom(&self) -> Option<Atom> {
        if let Term::Atom(atom) = self {
            Some(*atom)
        } else {
            None
        }
    }

    /// The truth value, if it is `true` or `false`.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Term::Atom(atom::TRUE) => Some(true),
            Term::Atom(atom::FALSE) => Some(false),
            _ => None,
        }
    }

    /// The integer, if it is one of up to 64 bits.
    pub fn as_int(&self) -> Option<i64> {
        if let Term::Int(value) = self {
            Some(*value)
        } else {
            None
        }
    }

    /// The integer, if it is one that fits.
    pub fn as_usize(&self) -> Option<usize> {
        self.as_int().and_then(|value| usize::try_from(value).ok())
    }

    /// The float, if it is one.
    pub fn as_float(&self) -> Option<f64> {
        if let Term::Float(value) = self {
            Some(*value)
        } else {
            None
        }
    }

    /// The binary, if it is one.
    pub fn as_binary(&self) -> Option<&Binary> {
        if let Term::Binary(binary) = self {
            Some(binary)
        } else {
            None
        }
    }

    /// The tuple, if it is one.
    pub fn as_tuple(&self) -> Option<&Tuple> {
        if let Term::Tuple(tuple) = self {
            Some(tuple)
        } else {
            None
        }
    }

    /// The list, if it is one that is not empty.
    pub fn as_list(&self) -> Option<&List> {
        if let Term::List(list) = self {
            Some(list)
        } else {
            None
        }
    }

    /// The map, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        if let Term::Map(map) = self {
            Some(map)
        } else {
            None
        }
    }

    /// The pid, if it is one of this node.
    pub fn as_pid(&self) -> Option<Pid> {
        if let Term::Pid(pid) = self {
            Some(*pid)
        } else {
            None
        }
    }

    /// The port, if it is one of this node.
    pub fn as_port(&self) -> Option<PortId> {
        if let Term::Port(port) = self {
            Some(*port)
        } else {
            None
        }
    }

    /// The reference, if it is one of this node.
    pub fn as_reference(&self) -> Option<Reference> {
        if let Term::Reference(reference) = self {
            Some(*reference)
        } else {
            None
        }
    }

    /// The fun, if it is one.
    pub fn as_fun(&self) -> Option<&Fun> {
        if let Term::Fun(fun) = self {
            Some(fun)
        } else {
            None
        }
    }

    /// The elements of a proper list, the empty one included.
    pub fn to_list_vec(&self) -> Option<Vec<Term>> {
        match self {
            Term::Nil => Some(Vec::new()),
            Term::List(list) => match list.to_parts() {
                (elements, Term::Nil) => Some(elements),
                _ => None,
            },
            _ => None,
        }
    }

    /// The text of a proper list of code points, the empty one included.
    pub fn to_charlist_string(&self) -> Option<String> {
        let point = |term: Term| char::from_u32(u32::try_from(term.as_int()?).ok()?);
        self.to_list_vec()?.into_iter().map(point).collect()
    }
}

impl Default for Term {
    /// Nil.
    fn default() -> Term {
        Term::Nil
    }
}

macro_rules! from {
    ($($source:ty => |$value:ident| $term:expr;)*) => {
        $(impl From<$source> for Term {
            fn from($value: $source) -> Term {
                $term
            }
        })*
    };
}

from! {
    i64 => |value| Term::Int(value);
    i32 => |value| Term::Int(i64::from(value));
    u8 => |value| Term::Int(i64::from(value));
    u16 => |value| Term::Int(i64::from(value));
    u32 => |value| Term::Int(i64::from(value));
    u64 => |value| i64::try_from(value).map_or_else(|_| Term::integer(BigInt::from(value)), Term::Int);
    usize => |value| i64::try_from(value).map_or_else(|_| Term::integer(BigInt::from(value)), Term::Int);
    BigInt => |value| Term::integer(value);
    f64 => |value| Term::Float(value);
    bool => |value| Term::boolean(value);
    Atom => |value| Term::Atom(value);
    Pid => |value| Term::Pid(value);
    PortId => |value| Term::Port(value);
    Reference => |value| Term::Reference(value);
    Binary => |value| Term::Binary(value);
    Tuple => |value| Term::Tuple(value);
    List => |value| Term::List(value);
    Map => |value| Term::Map(value);
    Fun => |value| Term::Fun(value);
    Vec<Term> => |value| Term::list(value);
    &str => |value| Term::Binary(Binary::from(value));
}
