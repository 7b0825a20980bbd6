//! What most owners never need: no memory for it until it is first wanted.
#![forbid(unsafe_code)]

/// A `T` that is its default until somebody asks to change it.
#[derive(Debug)]
pub(crate) struct Seldom<T>(Option<Box<T>>);

impl<T: Default> Seldom<T> {
    /// What it is, if anybody ever wanted it.
    #[inline]
    pub(crate) fn get(&self) -> Option<&T> {
        self.0.as_deref()
    }

    /// The same, to be changed.
    #[inline]
    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        self.0.as_deref_mut()
    }

    /// It, and from now on there is memory for it.
    #[inline]
    pub(crate) fn wanted(&mut self) -> &mut T {
        self.0.get_or_insert_default()
    }

    /// Takes it out, memory and all.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<T> {
        self.0.take().map(|value| *value)
    }
}

impl<T> Default for Seldom<T> {
    fn default() -> Seldom<T> {
        Seldom(None)
    }
}
