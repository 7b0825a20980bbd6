//! What a [`Binary`] is made from, compared with and seen as: everything that is the business of
//! its bytes alone and not of where they are.
#![forbid(unsafe_code)]

use super::Binary;
use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

impl<const N: usize> From<&[u8; N]> for Binary {
    fn from(source: &[u8; N]) -> Binary {
        Binary::from(source.as_slice())
    }
}

impl From<Vec<u8>> for Binary {
    fn from(source: Vec<u8>) -> Binary {
        Binary::from(source.as_slice())
    }
}

impl From<&str> for Binary {
    fn from(source: &str) -> Binary {
        Binary::from(source.as_bytes())
    }
}

impl From<String> for Binary {
    fn from(source: String) -> Binary {
        Binary::from(source.as_bytes())
    }
}

impl FromIterator<u8> for Binary {
    fn from_iter<I: IntoIterator<Item = u8>>(bytes: I) -> Binary {
        Binary::from(bytes.into_iter().collect::<Vec<u8>>())
    }
}

impl Default for Binary {
    fn default() -> Binary {
        Binary::empty()
    }
}

impl Deref for Binary {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl AsRef<[u8]> for Binary {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Borrow<[u8]> for Binary {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl PartialEq for Binary {
    fn eq(&self, other: &Binary) -> bool {
        **self == **other
    }
}

impl Eq for Binary {}

impl PartialEq<[u8]> for Binary {
    fn eq(&self, other: &[u8]) -> bool {
        **self == *other
    }
}

impl PartialEq<&[u8]> for Binary {
    fn eq(&self, other: &&[u8]) -> bool {
        **self == **other
    }
}

impl<const N: usize> PartialEq<&[u8; N]> for Binary {
    fn eq(&self, other: &&[u8; N]) -> bool {
        **self == other[..]
    }
}

impl PartialOrd for Binary {
    fn partial_cmp(&self, other: &Binary) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Binary {
    fn cmp(&self, other: &Binary) -> std::cmp::Ordering {
        (**self).cmp(&**other)
    }
}

impl Hash for Binary {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Debug for Binary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.escape_ascii())
    }
}
