//! Section 3 of the manual, made of `include/wharf.h`: a page for each function and each type, and
//! `libwharf(3)`, which lists them.
//!
//! `build.rs` writes the pages for `cargo cinstall`, which brings the feature `capi`; nobody else
//! compiles this. Relies on the header looking as cbindgen writes it: a comment, and right behind it
//! what it is about.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

/// Something that the header declares, with its comment.
struct Item {
    name: String,
    comment: Vec<String>,
    declaration: Vec<String>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Macro,
    Type,
    Function,
}

/// Writes a file for each page into a folder that is there, and gives their names.
pub(crate) fn write(header: &str, version: &str, folder: &Path) -> Vec<String> {
    let items = items(header);
    let documented: BTreeSet<&str> = items
        .iter()
        .filter(|item| item.kind != Kind::Macro)
        .map(|item| item.name.as_str())
        .collect();
    let mut written = vec![overview(header, &items, version)];
    for item in &items {
        if item.kind != Kind::Macro {
            written.push((item.name.clone(), page(item, &documented, version)));
        }
    }
    let mut names = Vec::new();
    for (name, text) in written {
        let file = format!("{name}.3");
        std::fs::write(folder.join(&file), text).expect("the folder of the pages can be written");
        names.push(file);
    }
    names
}

/// What the header declares, in its order.
fn items(header: &str) -> Vec<Item> {
    let mut found = Vec::new();
    let mut lines = header.lines();
    while let Some(line) = lines.next() {
        if line != "/**" {
            continue;
        }
        let comment = lines
            .by_ref()
            .take_while(|line| *line != " */")
            .map(|line| line.strip_prefix(" *").unwrap_or(line))
            .map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned())
            .collect();
        let mut declaration: Vec<String> = Vec::new();
        for line in lines.by_ref() {
            declaration.push(line.to_owned());
            // Fields have semicolons, too.
            let fields = declaration[0].ends_with('{');
            let ends = line.ends_with(';') && (!fields || line.starts_with('}'));
            if ends || line.starts_with("#define") {
                break;
            }
        }
        let (name, kind) = named(&declaration);
        found.push(Item {
            name,
            comment,
            declaration,
            kind,
        });
    }
    found
}

fn named(declaration: &[String]) -> (String, Kind) {
    let first = &declaration[0];
    let last_word = |text: &str| {
        let word = text.rsplit(|c: char| !(c.is_alphanumeric() || c == '_'));
        word.into_iter().next().unwrap_or_default().to_owned()
    };
    if let Some(rest) = first.strip_prefix("#define ") {
        let name = rest.split_whitespace().next().unwrap_or_default();
        return (name.to_owned(), Kind::Macro);
    }
    if first.starts_with("typedef") {
        let whole = declaration.join(" ");
        // A pointer to a function has its name in its first parentheses.
        let name = match whole.split_once("(*") {
            Some((_, rest)) if !whole.contains('{') => {
                rest.split(')').next().unwrap_or_default().to_owned()
            }
            _ => last_word(whole.trim_end_matches(';')),
        };
        return (name, Kind::Type);
    }
    let before = first.split('(').next().unwrap_or_default();
    (last_word(before), Kind::Function)
}

fn page(item: &Item, documented: &BTreeSet<&str>, version: &str) -> String {
    let mut page = title(&item.name, version);
    let _ = writeln!(page, ".SH NAME\n{} \\- {}", item.name, brief(item));
    page.push_str(".SH SYNOPSIS\n.nf\n.B #include <wharf.h>\n.PP\n");
    for line in &item.declaration {
        let _ = writeln!(page, "\\fB{}\\fP", escaped(&line.replace('`', "")));
    }
    page.push_str(".fi\n.SH DESCRIPTION\n");
    page.push_str(&body(&item.comment, documented, &item.name));
    let text = item.comment.join(" ") + &item.declaration.join(" ");
    let mut related: Vec<String> = text
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| documented.contains(word) && *word != item.name)
        .map(|word| format!(".BR {word} (3)"))
        .collect();
    related.sort();
    related.dedup();
    related.push(".BR libwharf (3)".to_owned());
    let _ = writeln!(page, ".SH SEE ALSO\n{}", related.join(",\n"));
    page
}

/// The page that leads to the others, with what the header's first comment says.
fn overview(header: &str, items: &[Item], version: &str) -> (String, String) {
    let mut page = title("libwharf", version);
    page.push_str(
        ".SH NAME\nlibwharf \\- Erlang's port system without the Erlang virtual machine\n\
         .SH SYNOPSIS\n.nf\n.B #include <wharf.h>\n.PP\n\
         \\fBcc program.c $(pkg\\-config \\-\\-cflags \\-\\-libs wharf)\\fP\n.fi\n.SH DESCRIPTION\n",
    );
    let comment: Vec<String> = header
        .lines()
        // Its first line names the file.
        .skip_while(|line| *line != " *")
        .skip(1)
        .take_while(|line| *line != " */")
        .map(|line| line.strip_prefix(" *").unwrap_or(line))
        .map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned())
        .collect();
    page.push_str(&body(&comment, &BTreeSet::new(), "libwharf"));
    for (section, kind) in [("TYPES", Kind::Type), ("FUNCTIONS", Kind::Function)] {
        let _ = writeln!(page, ".SH {section}");
        for item in items.iter().filter(|item| item.kind == kind) {
            let _ = writeln!(page, ".TP\n.BR {} (3)\n{}", item.name, line(&brief(item)));
        }
    }
    page.push_str(".SH CONSTANTS\n");
    for item in items.iter().filter(|item| item.kind == Kind::Macro) {
        let _ = writeln!(page, ".TP\n.B {}\n{}", item.name, line(&brief(item)));
    }
    page.push_str(".SH SEE ALSO\n.BR wharf (1)\n");
    ("libwharf".to_owned(), page)
}

fn title(name: &str, version: &str) -> String {
    format!(".TH {name} 3 \"\" \"wharf {version}\" \"Library Functions Manual\"\n")
}

/// The first sentence of a comment, as a list of pages shows it.
fn brief(item: &Item) -> String {
    let text = item.comment.join(" ");
    // What stands in front of an early colon says too little.
    let end = [(". ", 0), (": ", 16), ("; ", 16)]
        .iter()
        .filter_map(|(mark, from)| text.find(mark).filter(|at| at >= from))
        .min()
        .unwrap_or(text.len());
    escaped(&text[..end].trim_end_matches(['.', ':']).replace('`', ""))
}

/// A comment as roff: paragraphs, lists with `-`, code between fences or indented by four.
fn body(comment: &[String], documented: &BTreeSet<&str>, own: &str) -> String {
    let mut out = String::new();
    let mut code = false;
    let mut fenced = false;
    let mut listed = false;
    for text in comment {
        if text.starts_with("```") {
            out.push_str(if fenced {
                ".EE\n.RE\n"
            } else {
                ".PP\n.RS 4\n.EX\n"
            });
            fenced = !fenced;
            continue;
        }
        if fenced {
            let _ = writeln!(out, "{}", line(&escaped(text)));
            continue;
        }
        if let Some(indented) = text.strip_prefix("    ") {
            if !code {
                out.push_str(".PP\n.RS 4\n.EX\n");
            }
            code = true;
            let _ = writeln!(out, "{}", line(&escaped(indented)));
            continue;
        }
        if code {
            out.push_str(".EE\n.RE\n");
            code = false;
        }
        if text.is_empty() {
            listed = false;
            if !out.is_empty() && !out.ends_with(".PP\n") {
                out.push_str(".PP\n");
            }
        } else if let Some(point) = text.strip_prefix("- ") {
            listed = true;
            let _ = writeln!(out, ".IP \\(bu 2\n{}", inline(point, documented, own));
        } else {
            let text = if listed { text.trim_start() } else { text };
            let _ = writeln!(out, "{}", inline(text, documented, own));
        }
    }
    if code {
        out.push_str(".EE\n.RE\n");
    }
    // An empty paragraph between others is one too many.
    out.replace(".PP\n.PP\n", ".PP\n")
        .replace(".PP\n.IP", ".IP")
}

/// A line of text, with what stands between backticks in bold, and functions followed by `(3)`.
fn inline(text: &str, documented: &BTreeSet<&str>, own: &str) -> String {
    let mut out = String::new();
    for (at, part) in text.split('`').enumerate() {
        if at % 2 == 0 {
            out.push_str(&escaped(part));
        } else {
            let page = if documented.contains(part) && part != own {
                "(3)"
            } else {
                ""
            };
            let _ = write!(out, "\\fB{}\\fP{page}", escaped(part));
        }
    }
    line(&out)
}

/// A line that roff does not take for a request.
fn line(text: &str) -> String {
    let control = text.starts_with('.') || text.starts_with('\'');
    format!("{}{text}", if control { "\\&" } else { "" })
}

/// Text without what roff reads as something else.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\e"),
            '-' => out.push_str("\\-"),
            '\'' => out.push_str("\\(aq"),
            '^' => out.push_str("\\(ha"),
            '~' => out.push_str("\\(ti"),
            c if c.is_ascii() => out.push(c),
            c => {
                let _ = write!(out, "\\[u{:04X}]", u32::from(c));
            }
        }
    }
    out
}
