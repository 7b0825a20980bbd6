//! `wharf bench`: what wharf costs on this machine, beside Erlang and plain C where that is wanted.
//!
//! `rows` is the table of what is measured and what has to be reached, `work` does it, and
//! `reading` has each reading taken by a fresh process, turn about with the others: numbers of
//! one run can be compared, numbers of two runs on a busy machine cannot.
#![forbid(unsafe_code)]

mod folder;
mod json;
mod machine;
pub(crate) mod only;
mod outcome;
mod page;
mod plot;
mod progress;
mod reading;
mod rows;
mod spread;
mod sweep;
mod table;
mod work;

use crate::args::{Bench, Color, Global};
use crate::print::{Paint, complain, say};
use folder::Folder;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use only::Only;
use outcome::{Outcome, Taken};
use progress::Progress;
use reading::{Party, Readings};
use rows::{GROUPS, Group};
use std::process::ExitCode;
use sweep::{Grown, SWEEPS};
use table::Table;

/// What 10,000 pipes and 5,000 programs need, and some more.
const DESCRIPTORS_WANTED: u64 = 20_000;

/// Measures, and prints what was found. Fails when something could not be measured, not when a
/// target is missed.
pub(crate) fn run(options: &Bench, global: &Global) -> ExitCode {
    let measured = match (&options.one, &options.folder) {
        (Some(item), Some(folder)) => one(folder, item),
        (Some(item), None) => Folder::new()
            .map_err(|error| error.to_string())
            .and_then(|folder| one(folder.path(), item)),
        (None, _) => measure(options, global),
    };
    match measured {
        Ok(status) => status,
        Err(error) => {
            complain(Paint::stderr(global.color), error);
            ExitCode::FAILURE
        }
    }
}

/// The first word of the command line of a process whose start is measured.
const READING: &str = "--reading";

/// Takes the one reading that this process was started for, if it was. Before all that the command
/// does at its start: who reads no options and writes no log is an ordinary program.
pub(crate) fn taken_reading() -> Option<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    if words.next()? != READING {
        return None;
    }
    let folder = words.next()?;
    let item: Vec<String> = words.map_while(|word| word.into_string().ok()).collect();
    Some(one(folder.as_ref(), &item).unwrap_or_else(|error| {
        complain(Paint::stderr(Color::Never), error);
        ExitCode::FAILURE
    }))
}

/// Takes one reading in this process.
fn one(folder: &std::path::Path, item: &[String]) -> Result<ExitCode, String> {
    let numbers = work::reading(folder, item).map_err(|error| error.to_string())?;
    let line: Vec<String> = numbers.iter().map(f64::to_string).collect();
    say(line.join(" ") + "\n");
    Ok(ExitCode::SUCCESS)
}

fn measure(options: &Bench, global: &Global) -> Result<ExitCode, String> {
    let paint = Paint::stderr(global.color);
    if cfg!(debug_assertions) {
        let warning = "this is a debug build: its numbers say nothing; build with --release";
        complain(paint, paint.yellow(warning));
    }
    more_descriptors();
    let folder = Folder::new().map_err(|error| error.to_string())?;
    let mut parties = vec![Party::Wharf];
    let mut erlang = None;
    if options.vs_otp {
        erlang = Some(folder.with_erlang()?);
        parties.push(Party::Erlang);
    }
    if options.vs_c {
        parties.push(Party::Floor);
    }
    let run = Run {
        readings: Readings::new(folder.path())?,
        rounds: options.rounds,
        parties,
        form: options.into(),
        paint: Paint::stdout(global.color),
    };
    let machine = machine::facts(erlang.as_deref());
    run.begin(&machine);
    let outcomes = run.groups(&chosen(options));
    let growth = if options.grows() {
        run.growth()
    } else {
        Vec::new()
    };
    run.end(&outcomes);
    if let Some(file) = &options.html {
        let page = page::page(&machine, &outcomes, &growth);
        let written = std::fs::write(file, page);
        written.map_err(|error| format!("{}: {error}", file.display()))?;
    }
    if outcomes.iter().any(|outcome| outcome.failure.is_some()) {
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn chosen(options: &Bench) -> Vec<&'static Group> {
    let chosen = GROUPS.iter().filter(|group| {
        let only = options.only.as_ref();
        only.is_none_or(|only| only.row(group.row))
    });
    chosen.collect()
}

impl Bench {
    /// Whether the curves of growth are wanted.
    fn grows(&self) -> bool {
        self.growth || self.html.is_some() || self.only.as_ref().is_some_and(Only::growth)
    }
}

/// As many open descriptors as may be had, up to what the rows need: for the readings, too.
fn more_descriptors() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < DESCRIPTORS_WANTED
    {
        // With fewer, the rows that need them say so.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, DESCRIPTORS_WANTED.min(hard), hard);
    }
}

/// How outcomes are told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Line by line, as soon as they are known.
    Lines,
    Markdown,
    Json,
}

impl From<&Bench> for Form {
    fn from(options: &Bench) -> Form {
        match (options.json, options.markdown) {
            (true, _) => Form::Json,
            (_, true) => Form::Markdown,
            _ => Form::Lines,
        }
    }
}

/// What a run is made of.
struct Run<'f> {
    readings: Readings<'f>,
    rounds: usize,
    parties: Vec<Party>,
    form: Form,
    paint: Paint,
}

impl Run<'_> {
    fn table(&self) -> Table {
        Table {
            erlang: self.parties.contains(&Party::Erlang),
            floor: self.parties.contains(&Party::Floor),
            paint: self.paint,
        }
    }

    fn begin(&self, machine: &[String]) {
        match self.form {
            Form::Lines => say(machine.join("\n") + "\n\n"),
            Form::Markdown => say(format!("{}.\n\n", machine.join("; "))),
            Form::Json => {}
        }
    }

    fn end(&self, outcomes: &[Outcome]) {
        match self.form {
            Form::Lines => {}
            Form::Markdown => say(self.table().markdown(outcomes)),
            Form::Json => say(format!("{:#}\n", json::array(outcomes))),
        }
    }

    fn groups(&self, groups: &[&'static Group]) -> Vec<Outcome> {
        let lines = self.form == Form::Lines && !groups.is_empty();
        let mut progress = Progress::new(groups.len() * self.rounds * self.parties.len());
        let mut outcomes = Vec::new();
        if lines {
            say(self.table().head());
        }
        for group in groups {
            let taken = self.group(group, &mut progress);
            progress.clear();
            for outcome in Outcome::all(group, &taken) {
                if lines {
                    say(self.table().row(&outcome));
                }
                outcomes.push(outcome);
            }
        }
        outcomes
    }

    /// How cost grows: three readings of each point, because there are many.
    fn growth(&self) -> Vec<Grown> {
        let rounds = self.rounds.min(3);
        let mut progress = Progress::new(sweep::readings(rounds));
        let mut all = Vec::new();
        for sweep in SWEEPS {
            let grown = sweep::grow(sweep, &self.readings, rounds, &mut progress);
            progress.clear();
            if self.form == Form::Lines {
                say(table::growth(&grown, self.paint));
            }
            all.push(grown);
        }
        all
    }

    /// Everybody's readings turn about: A, B, A, B.
    fn group(&self, group: &Group, progress: &mut Progress) -> Taken {
        let mut taken = Taken::default();
        for round in 1..=self.rounds {
            for (at, party) in self.parties.iter().enumerate() {
                let name = group.columns[0].name;
                progress.next(format!("row {}: {name}, round {round}", group.row));
                match (self.readings.take(group, *party), party) {
                    (Ok(numbers), Party::Wharf) => taken.wharf.push(numbers),
                    (Ok(numbers), Party::Erlang) => taken.erlang.push(numbers),
                    (Ok(numbers), Party::Floor) => taken.floor.push(numbers),
                    (Err(failure), _) => {
                        taken.failure = Some(failure);
                        let rounds = self.rounds - round;
                        progress.skip(self.parties.len() * (rounds + 1) - at - 1);
                        return taken;
                    }
                }
            }
        }
        taken
    }
}
