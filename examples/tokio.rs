//! Many programs at once from an async executor: each answers in its own time.
//!
//! The futures are not made for any particular executor; this one is tokio's. Run it with
//! `cargo run --example tokio`.

use wharf::{Host, Message, Options, PortName};

async fn greet(host: Host, number: usize) -> Result<String, Box<dyn std::error::Error>> {
    let me = host.process();
    let options = Options::new().binary().lines().exit_status();
    let command = format!("echo greeting number {number}");
    let port = me.open(PortName::spawn(command), options)?;
    let mut heard = String::new();
    loop {
        match me.next_from_async(port.id()).await? {
            Message::Line { bytes, .. } => heard.push_str(&String::from_utf8_lossy(&bytes)),
            Message::ExitStatus { status: 0, .. } => return Ok(heard),
            other => return Err(format!("unexpected: {other:?}").into()),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let host = Host::new()?;
    let all = tokio::join!(
        greet(host.clone(), 1),
        greet(host.clone(), 2),
        greet(host.clone(), 3)
    );
    for heard in [all.0, all.1, all.2] {
        println!("{}", heard?);
    }
    Ok(())
}
