//! What the library says in the log, for tests.
#![forbid(unsafe_code)]

use std::io;
use std::sync::{Arc, Mutex, Once};

use tracing_subscriber::fmt::MakeWriter;

/// The lines of the log.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;

    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}

impl Log {
    /// Runs `f`, whose requests run on this thread, and gives what was logged on it meanwhile.
    pub(crate) fn of<R>(f: impl FnOnce() -> R) -> (R, Vec<String>) {
        // Else what is logged for the first time while another test's log comes or goes can be taken
        // for something that nobody wants to hear.
        static EVERYTHING: Once = Once::new();
        EVERYTHING.call_once(|| {
            let nowhere = tracing_subscriber::fmt().with_writer(io::sink).finish();
            let _ = tracing::subscriber::set_global_default(nowhere);
        });
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(log.clone())
            .with_ansi(false)
            .without_time()
            .finish();
        let result = tracing::subscriber::with_default(subscriber, f);
        let text = String::from_utf8(std::mem::take(&mut log.0.lock().unwrap())).unwrap();
        (result, text.lines().map(str::to_owned).collect())
    }
}
