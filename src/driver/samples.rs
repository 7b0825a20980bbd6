//! The sample drivers that are built in (feature `drivers`): found by name, without a file.
#![forbid(unsafe_code)]

#[cfg(feature = "drivers")]
const SAMPLES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/samples.rs"));
#[cfg(not(feature = "drivers"))]
const SAMPLES: &[(&str, &[u8])] = &[];

/// The library of a sample driver.
pub(crate) fn find(name: &str) -> Option<&'static [u8]> {
    SAMPLES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, library)| *library)
}

/// The names of all of them.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    SAMPLES.iter().map(|(name, _)| *name)
}
