//! A program that depends on the crate, and does nothing else to be a host for drivers. Its only
//! argument, or `DRIVERS` where it is compiled as a test, is the folder of `counter_drv.so`.

use std::time::Duration;

use wharf::{Host, Message, Options, PortName};

fn count(folder: &str) {
    let me = Host::new().unwrap().process();
    me.load_driver(folder, "counter_drv").unwrap();
    let port = me
        .open(
            PortName::spawn_driver("counter_drv"),
            Options::new().binary(),
        )
        .unwrap();
    port.command("42").unwrap();
    match me.next(Duration::from_secs(30)).unwrap() {
        Some(Message::Data { bytes, .. }) => println!("{}", String::from_utf8_lossy(&bytes)),
        other => panic!("{other:?}"),
    }
}

fn main() {
    count(&std::env::args().nth(1).unwrap());
}

#[test]
fn a_test_is_a_host_too() {
    count(&std::env::var("DRIVERS").unwrap());
}
