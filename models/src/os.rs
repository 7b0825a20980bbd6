//! The system, as far as the files under test ask it for something.

pub(crate) mod thread {
    pub(crate) fn spawn(_: &str, body: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        loom::thread::spawn(body);
        Ok(())
    }
}
