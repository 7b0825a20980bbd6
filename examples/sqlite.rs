//! A driver written for Erlang, used from Rust: the SQLite driver of Debian's
//! `erlang-p1-sqlite3`, unmodified.
//!
//! Run it with `cargo run --example sqlite -- FOLDER`, where FOLDER holds `sqlite3_drv.so`.

use std::time::Duration;

use wharf::{Host, Options, PortName};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args()
        .nth(1)
        .ok_or("say where sqlite3_drv.so is")?;
    let me = Host::new()?.process();
    me.load_driver(folder, "sqlite3_drv")?;
    let database = me.open(
        PortName::spawn_driver("sqlite3_drv :memory:"),
        Options::new(),
    )?;
    let answer = || me.receive_any(Duration::from_secs(5));
    println!("{:?}", answer()?);
    const SQL: u32 = 2;
    for statement in [
        "create table greeting(id integer primary key, word text)",
        "insert into greeting(word) values('hello'), ('world')",
        "select * from greeting",
        "nonsense",
    ] {
        database.control(SQL, statement)?;
        println!("{:?}", answer()?);
    }
    Ok(())
}
