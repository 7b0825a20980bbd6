//! Tuples: a fixed number of terms.
#![forbid(unsafe_code)]

use super::Term;
use super::release::{Body, release};
use super::stock;
use std::ops::Deref;
use std::sync::Arc;

/// A tuple; cloning shares its elements.
#[derive(Clone)]
pub struct Tuple(
    /// `None` only while it is dropped.
    Option<Arc<[Term]>>,
);

impl Tuple {
    /// The elements.
    pub fn elements(&self) -> &[Term] {
        self.0.as_deref().unwrap_or_default()
    }

    /// So many elements, each made where it stays.
    #[inline]
    pub(crate) fn of(number: usize, mut make: impl FnMut(usize) -> Term) -> Tuple {
        if let Some(mut elements) = stock::take(number)
            && let Some(places) = Arc::get_mut(&mut elements)
        {
            for (at, place) in places.iter_mut().enumerate() {
                *place = make(at);
            }
            return Tuple(Some(elements));
        }
        Tuple(Some((0..number).map(make).collect()))
    }

    /// The same tuple but for the element at `index` (from 0); `None` when there is none.
    pub fn with_element(&self, index: usize, element: Term) -> Option<Tuple> {
        let mut elements = self.elements().to_vec();
        *elements.get_mut(index)? = element;
        Some(Tuple::from(elements))
    }
}

impl Deref for Tuple {
    type Target = [Term];
    fn deref(&self) -> &[Term] {
        self.elements()
    }
}

impl Drop for Tuple {
    fn drop(&mut self) {
        if let Some(elements) = self.0.take() {
            release(Body::Tuple(elements));
        }
    }
}

impl From<Vec<Term>> for Tuple {
    fn from(elements: Vec<Term>) -> Tuple {
        Tuple(Some(elements.into()))
    }
}

impl<const N: usize> From<[Term; N]> for Tuple {
    fn from(elements: [Term; N]) -> Tuple {
        Tuple(Some(Arc::new(elements)))
    }
}

impl From<&[Term]> for Tuple {
    fn from(elements: &[Term]) -> Tuple {
        Tuple(Some(elements.into()))
    }
}

impl FromIterator<Term> for Tuple {
    fn from_iter<I: IntoIterator<Item = Term>>(elements: I) -> Tuple {
        Tuple(Some(elements.into_iter().collect()))
    }
}

impl<'a> IntoIterator for &'a Tuple {
    type Item = &'a Term;
    type IntoIter = std::slice::Iter<'a, Term>;
    fn into_iter(self) -> Self::IntoIter {
        self.elements().iter()
    }
}
