//! A port driver written in Rust: it counts primes in the background.
//!
//! Run it with `cargo run --example rust_driver`.

use std::any::Any;
use std::ffi::CStr;
use std::time::Duration;

use wharf::rust_driver::{BadRequest, DriverPort, PortDriver, Reply, StartError};
use wharf::{Host, Message, Options, PortName, Term};

/// One open port: how many of its jobs are under way.
struct Primes {
    under_way: usize,
}

impl PortDriver for Primes {
    const NAME: &'static CStr = c"primes";

    fn start(_: &mut DriverPort<'_>, _: &[u8]) -> Result<Self, StartError> {
        Ok(Primes { under_way: 0 })
    }

    /// A limit, as text: the answer comes as data, when it is known.
    fn output(&mut self, port: &mut DriverPort<'_>, data: &[u8]) {
        let limit: Option<u32> = std::str::from_utf8(data)
            .ok()
            .and_then(|text| text.parse().ok());
        match limit {
            Some(limit) => {
                self.under_way += 1;
                port.spawn_job(None, move || primes_below(limit));
            }
            None => port.fail(Term::atom("not_a_number")),
        }
    }

    fn ready_async(&mut self, port: &mut DriverPort<'_>, result: Box<dyn Any + Send>) {
        self.under_way -= 1;
        if let Ok(count) = result.downcast::<usize>() {
            port.output(count.to_string().as_bytes());
        }
    }

    fn control(
        &mut self,
        _: &mut DriverPort<'_>,
        operation: u32,
        _: &[u8],
    ) -> Result<Reply, BadRequest> {
        match operation {
            0 => Ok(Reply::from(self.under_way.to_string())),
            _ => Err(BadRequest),
        }
    }
}

fn primes_below(limit: u32) -> usize {
    let is_prime = |n: &u32| {
        (2..*n)
            .take_while(|d| d * d <= *n)
            .all(|d| !n.is_multiple_of(d))
    };
    (2..limit).filter(is_prime).count()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let host = Host::new()?;
    host.add_driver::<Primes>()?;
    let me = host.process();
    let port = me.open(PortName::spawn_driver("primes"), Options::new().binary())?;
    port.command("100000")?;
    println!("under way: {}", port.control(0, "")?);
    if let Some(Message::Data { bytes, .. }) = me.next(Duration::from_secs(30))? {
        println!("primes below 100000: {}", String::from_utf8_lossy(&bytes));
    }
    port.close()?;
    Ok(())
}
