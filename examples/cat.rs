//! A program behind a port: what is written to it comes back.
//!
//! Run it with `cargo run --example cat`.

use std::time::Duration;

use wharf::{Host, Message, Options, PortName};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let host = Host::new()?;
    let me = host.process();
    let port = me.open(PortName::spawn("cat"), Options::new().binary())?;
    port.command("hello, port")?;
    while let Some(message) = me.next(Duration::from_secs(5))? {
        if let Message::Data { bytes, .. } = message {
            println!("{}", String::from_utf8_lossy(&bytes));
            break;
        }
    }
    port.close()?;
    Ok(())
}
