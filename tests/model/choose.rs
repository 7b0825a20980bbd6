//! Which step comes next: chance, with the frequent ones more often.

use crate::behind::STUFFING;
use crate::random::Random;
use crate::step::{As, Data, ITEMS, Kind, NAMES, Opts, REASONS, SLOTS, Step, To, Word};

impl Step {
    /// Any step.
    pub(crate) fn any(random: &mut Random) -> Step {
        let who = random.below(SLOTS);
        let whom = random.below(SLOTS);
        let port = random.below(3);
        let name = random.below(NAMES.len());
        let to = match random.one_in(6) {
            true => To::Name(name),
            false => To::Port(port),
        };
        let reason = random.pick(&REASONS);
        match random.below(100) {
            0..=11 => open(random, who, port),
            12..=24 => Step::Command {
                who,
                to,
                data: (!random.one_in(12)).then(|| data(random)),
                nosuspend: random.one_in(3),
                force: random.one_in(8),
            },
            25..=39 => send(random, who, whom, to),
            40..=42 => Step::Close { who, to },
            43..=45 => Step::Connect { who, to, whom },
            46..=49 => Step::Control {
                who,
                to,
                letter: random.pick(&['b', 'f', 'q', 'x']),
            },
            50 => Step::Call { who, to },
            51..=54 => Step::Info {
                who,
                to,
                item: random.pick(&ITEMS),
            },
            55 => Step::SetData {
                who,
                to,
                value: random.byte(),
            },
            56 => Step::GetData { who, to },
            57..=59 => Step::Register { who, name, port },
            60 => Step::Unregister { who, name },
            61 => Step::Whereis { who, name },
            62..=64 => Step::Link { who, port },
            65..=66 => Step::Unlink { who, port },
            67..=70 => Step::Monitor { who, to },
            71..=73 => Step::Demonitor {
                who,
                which: random.below(6),
                flush: random.one_in(2),
                info: random.one_in(2),
            },
            74..=75 => Step::ExitPort { who, port, reason },
            76 => Step::ExitSignal { who, whom, reason },
            77..=79 => Step::Exit { who, reason },
            80..=82 => Step::Start { who },
            83 => Step::Trap {
                who,
                on: random.one_in(2),
            },
            84..=86 => Step::Receive { who },
            87..=89 => Step::Stuff {
                who,
                port,
                bytes: random.pick(&STUFFING),
            },
            90..=91 => Step::Tell {
                who,
                port,
                status: random.byte(),
                rest: random.one_in(3),
            },
            92..=93 => Step::PeerReads { port },
            94..=96 => Step::PeerWrites {
                port,
                data: data(random),
            },
            97 => Step::PeerCloses { port },
            _ => Step::PeerDies { port },
        }
    }
}

fn data(random: &mut Random) -> Data {
    Data {
        from: random.byte(),
        len: random.pick(&[0, 1, 2, 5, 6, 13, 40, 90]),
        lines: random.one_in(2),
    }
}

fn send(random: &mut Random, who: usize, whom: usize, to: To) -> Step {
    let name = match random.below(8) {
        0..=4 => As::Owner,
        5..=6 => As::Sender,
        _ => As::Process(whom),
    };
    let word = match random.below(16) {
        0..=7 => Word::Command(data(random)),
        8 => Word::BadCommand,
        9..=10 => Word::Close,
        11..=13 => Word::Connect(whom),
        14 => Word::BadConnect,
        _ => Word::Junk,
    };
    Step::Send {
        who,
        to,
        name,
        word,
        nosuspend: random.one_in(3),
    }
}

fn open(random: &mut Random, who: usize, slot: usize) -> Step {
    let kind = match random.below(24) {
        0..=4 => Kind::Cat,
        5..=7 => Kind::Told,
        8 => Kind::Quick(random.byte()),
        9..=10 => Kind::Deaf,
        11..=14 => Kind::Fd,
        15..=16 => Kind::Echo,
        17..=19 => Kind::Busy,
        20..=21 => Kind::Queue,
        22 => Kind::Missing,
        _ => Kind::NoDriver,
    };
    let framed = matches!(
        kind,
        Kind::Cat | Kind::Deaf | Kind::Fd | Kind::Echo | Kind::Busy
    );
    let opts = Opts {
        binary: random.one_in(2),
        exit_status: random.one_in(match kind {
            Kind::Told | Kind::Quick(_) | Kind::Deaf => 2,
            _ => 12,
        }),
        eof: random.one_in(4),
        input_only: kind == Kind::Deaf && random.one_in(3),
        packet: (framed && random.one_in(3)).then(|| random.pick(&[1, 2, 4])),
        line: random.one_in(4).then(|| random.pick(&[1, 5, 80])),
        nonsense: random.one_in(30),
    };
    Step::Open {
        who,
        slot,
        kind,
        opts,
    }
}
