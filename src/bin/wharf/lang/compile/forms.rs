//! Special forms: names that are no functions.
#![forbid(unsafe_code)]

use super::{Compiled, Compiler};
use crate::lang::ast::{At, CallExpr, Clause as SourceClause, Expr, Kind, SectionBody};
use crate::lang::node::Node;
use crate::lang::parse::SyntaxError;
use wharf::term::Term;

/// The names of a do block's parts.
const SECTIONS: &[&str] = &["do", "else", "rescue", "catch", "after"];

/// A special form's arguments, options and blocks, however they were written (`do … end` or `, do: …`).
pub(super) struct Form {
    pub(super) args: Vec<Expr>,
    pub(super) options: Vec<(&'static str, Expr)>,
    pub(super) sections: Vec<(&'static str, SectionBody)>,
    pub(super) at: At,
}

impl Form {
    pub(super) fn new(call: &CallExpr, at: At) -> Form {
        let mut args = call.args.clone();
        let mut options = Vec::new();
        let mut sections: Vec<_> = call
            .sections
            .iter()
            .map(|section| (section.name, section.body.clone()))
            .collect();
        let keywords = args.last().and_then(Expr::keywords).filter(|pairs| {
            !pairs.is_empty()
                && (!sections.is_empty() || pairs.iter().any(|(key, _)| SECTIONS.contains(key)))
        });
        let pairs = keywords.map(|pairs| {
            pairs
                .into_iter()
                .map(|(key, value)| (key, value.clone()))
                .collect::<Vec<_>>()
        });
        if let Some(pairs) = pairs {
            args.pop();
            for (key, value) in pairs {
                match SECTIONS.contains(&key) {
                    true => sections.push((
                        key,
                        match value.kind {
                            Kind::Clauses(clauses) => SectionBody::Clauses(clauses),
                            kind => SectionBody::Expr(Expr::new(value.at, kind)),
                        },
                    )),
                    false => options.push((key, value)),
                }
            }
        }
        Form {
            args,
            options,
            sections,
            at,
        }
    }

    pub(super) fn section(&self, name: &str) -> Option<&SectionBody> {
        self.sections
            .iter()
            .find(|(section, _)| *section == name)
            .map(|(_, body)| body)
    }

    /// The part as an expression; `nil` when it is absent.
    pub(super) fn body(&self, name: &str) -> Compiled<Expr> {
        match self.section(name) {
            None => Ok(Expr::new(self.at, Kind::Literal(Term::atom("nil")))),
            Some(SectionBody::Expr(expr)) => Ok(expr.clone()),
            Some(SectionBody::Clauses(clauses)) => {
                let at = clauses.first().map_or(self.at, |clause| clause.at);
                Err(SyntaxError::meaning(
                    at,
                    format!("unexpected clauses (->) in `{name}`"),
                ))
            }
        }
    }

    /// The part as clauses.
    pub(super) fn clauses(&self, form: &str, name: &str) -> Compiled<&[SourceClause]> {
        match self.section(name) {
            Some(SectionBody::Clauses(clauses)) => Ok(clauses),
            Some(SectionBody::Expr(expr)) => Err(SyntaxError::meaning(
                expr.at,
                format!("expected -> clauses for :{name} in \"{form}\""),
            )),
            None => Err(SyntaxError::meaning(
                self.at,
                format!("missing :{name} option in \"{form}\""),
            )),
        }
    }

    fn arguments<const N: usize>(&self, name: &str) -> Compiled<[&Expr; N]> {
        let args: Vec<&Expr> = self.args.iter().collect();
        let count = args.len();
        args.try_into().map_err(|_| {
            SyntaxError::meaning(
                self.at,
                format!(
                    "undefined function {name}/{} (there is no such import)",
                    count + 1
                ),
            )
        })
    }
}

impl Compiler<'_> {
    /// Compiles the call if it is a special form's.
    pub(super) fn special_form(
        &mut self,
        call: &CallExpr,
        at: At,
        tail: bool,
    ) -> Compiled<Option<Node>> {
        let name = call.name.as_str();
        if !is_special(name) {
            return Ok(None);
        }
        let form = Form::new(call, at);
        let guarded = !matches!(name, "def" | "defp" | "alias" | "require" | "import");
        if guarded {
            self.refuse_in_guard(at, name)?;
        }
        Ok(Some(match name {
            "if" | "unless" => self.conditional(&form, name, tail)?,
            "case" => self.case(&form, tail)?,
            "cond" => self.cond(&form, tail)?,
            "with" => self.with(&form, tail)?,
            "for" => self.comprehension(&form)?,
            "receive" => self.receive(&form, tail)?,
            "try" => self.try_form(&form)?,
            "raise" | "reraise" => {
                let args = self.exprs(&call.args)?;
                self.library_call("Elixir.Kernel", name, args, at)?
            }
            "match?" => self.matches(&form)?,
            "binding" if call.args.is_empty() => self.binding(),
            "put_in" | "update_in" | "get_and_update_in" if call.args.len() == 2 => {
                self.path_form(call, at)?
            }
            "pop_in" if call.args.len() == 1 => self.path_form(call, at)?,
            "binding" | "put_in" | "update_in" | "get_and_update_in" | "pop_in" => return Ok(None),
            "alias" => self.alias(&call.args, at)?,
            "import" => self.import(&call.args, at)?,
            "require" => self.require(&call.args, at)?,
            "defmodule" => self.defmodule(&form)?,
            "def" | "defp" | "defguard" | "defguardp" | "defstruct" | "defexception"
            | "defdelegate" => self.definition(name, &form, call)?,
            "__block__" => self.block(&call.args, tail)?,
            _ => return Err(SyntaxError::unsupported(at, &format!("`{name}`"))),
        }))
    }

    fn conditional(&mut self, form: &Form, name: &str, tail: bool) -> Compiled<Node> {
        let [test] = form.arguments(name)?;
        if form.section("do").is_none() {
            return Err(SyntaxError::meaning(
                form.at,
                format!(
                    "invalid or duplicate keys for {name}, only \"do\" and an optional \"else\" are permitted"
                ),
            ));
        }
        let (yes, no) = (form.body("do")?, form.body("else")?);
        // What the test binds is known afterwards, too.
        let test = Box::new(self.expr(test, false)?);
        let yes = Box::new(self.scoped(|this| this.expr(&yes, tail))?);
        let no = Box::new(self.scoped(|this| this.expr(&no, tail))?);
        Ok(match name {
            "if" => Node::If { test, yes, no },
            _ => Node::If {
                test,
                yes: no,
                no: yes,
            },
        })
    }

    fn case(&mut self, form: &Form, tail: bool) -> Compiled<Node> {
        let [subject] = form.arguments("case")?;
        // What the subject binds is visible afterwards, as in Elixir.
        let subject = Box::new(self.expr(subject, false)?);
        let clauses = self.clauses(form.clauses("case", "do")?, 1, tail)?;
        Ok(Node::Case {
            subject,
            clauses,
            line: form.at.line,
        })
    }

    fn cond(&mut self, form: &Form, tail: bool) -> Compiled<Node> {
        let mut arms = Vec::new();
        for clause in form.clauses("cond", "do")? {
            let [test] = clause.patterns.as_slice() else {
                return Err(SyntaxError::meaning(
                    clause.at,
                    "expected one condition before -> in \"cond\"",
                ));
            };
            let arm =
                self.scoped(|this| Ok((this.expr(test, false)?, this.expr(&clause.body, tail)?)))?;
            arms.push(arm);
        }
        Ok(Node::Cond(arms, form.at.line))
    }

    fn matches(&mut self, form: &Form) -> Compiled<Node> {
        let [pattern, subject] = form.arguments("match?")?;
        let subject = Box::new(self.expr(subject, false)?);
        let (pattern, guard) = match &pattern.kind {
            Kind::Binary("when", pattern, guard) => (&**pattern, Some(&**guard)),
            _ => (pattern, None),
        };
        let yes = Expr::new(form.at, Kind::Literal(Term::from(true)));
        let clause = SourceClause {
            at: form.at,
            patterns: vec![pattern.clone()],
            guard: guard.cloned(),
            body: yes,
        };
        Ok(Node::Matches(
            subject,
            Box::new(self.clause(&clause, 1, false)?),
        ))
    }

    /// Macros are not in the subset: requiring a module says at most what `alias` says.
    fn require(&mut self, args: &[Expr], at: At) -> Compiled<Node> {
        match args {
            [_, options] if options.keywords().is_some() => self.alias(args, at),
            [module, ..] => Ok(Node::Const(Term::Atom(self.module_expr(module)?))),
            [] => Err(SyntaxError::meaning(at, "require needs a module")),
        }
    }
}

/// Every name that is a form, supported or not.
pub(crate) const FORMS: &[&str] = &[
    "if",
    "unless",
    "case",
    "cond",
    "with",
    "for",
    "receive",
    "try",
    "raise",
    "reraise",
    "match?",
    "alias",
    "import",
    "require",
    "defmodule",
    "def",
    "defp",
    "defguard",
    "defguardp",
    "defstruct",
    "defexception",
    "defdelegate",
    "binding",
    "put_in",
    "update_in",
    "get_and_update_in",
    "pop_in",
];

fn is_special(name: &str) -> bool {
    const REFUSED: &[&str] = &[
        "use",
        "quote",
        "unquote",
        "unquote_splicing",
        "defmacro",
        "defmacrop",
        "defprotocol",
        "defimpl",
        "defoverridable",
        "super",
        "var!",
        "alias!",
        "dbg",
        "destructure",
        "__block__",
        "sigil_r",
        "sigil_R",
    ];
    FORMS.contains(&name) || REFUSED.contains(&name)
}
