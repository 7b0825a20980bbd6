//! One page with everything in it: the machine, a drawing of each row's readings, and how cost
//! grows. It needs nothing from anywhere else.
#![forbid(unsafe_code)]

use super::outcome::Outcome;
use super::plot::{self, escaped};
use super::sweep::Grown;
use std::fmt::Write;

const STYLE: &str = "\
body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
section.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(30rem,1fr));gap:1rem 2rem}
article{break-inside:avoid}
h3{font-size:1rem;margin:.5rem 0}
svg{width:100%;height:auto}
svg text{font-size:11px;fill:#555}
.grid{stroke:#ddd}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:0 1rem;margin:0;padding:0;font-size:.85rem}
.met{color:#087e55}.missed{color:#c0392b}
.note{color:#666;font-size:.85rem}
@media(prefers-color-scheme:dark){body{background:#16181c;color:#ddd}svg text{fill:#aaa}.grid{stroke:#383b40}}
";

/// The whole page.
pub(super) fn page(machine: &[String], outcomes: &[Outcome], growth: &[Grown]) -> String {
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>wharf bench</title>\n<style>\n{STYLE}</style></head>\n<body>\n<h1>wharf bench</h1>\n<ul>\n"
    );
    for fact in machine {
        let _ = writeln!(text, "<li>{}</li>", escaped(fact));
    }
    text += "</ul>\n";
    if !outcomes.is_empty() {
        text += "<h2>Every reading</h2>\n<p class=\"note\">A dot is a reading, a bar the median, the left \
                 end zero. Beside a number per second more is better, beside all others less.</p>\n\
                 <section class=\"plots\">\n";
        for outcome in outcomes {
            text += &row(outcome);
        }
        text += "</section>\n";
    }
    if !growth.is_empty() {
        text += "<h2>How cost grows</h2>\n<p class=\"note\">The cost of one, by how many or how much \
                 there is, both over scales of powers of ten. A level line grows in proportion.</p>\n\
                 <section class=\"plots\">\n";
        for grown in growth {
            text += &sweep(grown);
        }
        text += "</section>\n";
    }
    text + "</body></html>\n"
}

fn row(outcome: &Outcome) -> String {
    let verdict = match outcome.met() {
        Some(true) => " <span class=\"met\">met</span>",
        Some(false) => " <span class=\"missed\">missed</span>",
        None => "",
    };
    let mut facts = vec![format!("target {}", outcome.column.target_text())];
    for (name, times) in [
        ("OTP", &outcome.times_erlang),
        ("plain C", &outcome.times_floor),
    ] {
        facts.extend(times.as_ref().map(|times| format!("{times} × {name}")));
    }
    facts.extend(outcome.failure.clone());
    format!(
        "<article><h3>{} · {}{verdict}</h3>\n{}<p class=\"note\">{}</p></article>\n",
        outcome.group.row,
        escaped(outcome.column.name),
        plot::readings(outcome),
        escaped(&facts.join("; ")),
    )
}

fn sweep(grown: &Grown) -> String {
    let mut text = format!(
        "<article><h3>{}</h3>\n{}{}",
        escaped(grown.sweep.title),
        plot::curves(grown),
        plot::legend(grown)
    );
    for skipped in &grown.skipped {
        let _ = writeln!(
            text,
            "<p class=\"note\">not measured: {}</p>",
            escaped(skipped)
        );
    }
    text + "</article>\n"
}
