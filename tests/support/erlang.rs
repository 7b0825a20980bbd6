//! A real Erlang to put questions to: a file of terms goes in, a file of answers comes out, both
//! in the external format.

use std::path::PathBuf;
use std::process::Command;
use wharf::term::decode::decode;
use wharf::term::encode::encode;
use wharf::term::{Binary, Term};

/// Whether there is the Erlang to agree with; says so when there is not.
pub(crate) fn erlang_is_there() -> bool {
    let release = "io:put_chars(erlang:system_info(otp_release)), halt().";
    let Ok(output) = Command::new("timeout")
        .args(["60", "erl", "-noshell", "-eval", release])
        .output()
    else {
        println!("skipped: no erl");
        return false;
    };
    match String::from_utf8_lossy(&output.stdout).trim() {
        "25" => true,
        "" => {
            println!("skipped: no erl");
            false
        }
        other => {
            println!("skipped: no erl of OTP 25 (found {other})");
            false
        }
    }
}

/// Gives each of `questions` to the fun `answer`, an Erlang expression, and collects the results.
pub(crate) fn ask_erlang(name: &str, answer: &str, questions: &[Binary]) -> Vec<Term> {
    let path =
        |kind: &str| PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.{kind}"));
    let (asked, answered) = (path("asked"), path("answered"));
    let list = Term::list(questions.iter().cloned().map(Term::Binary).collect());
    std::fs::write(&asked, encode(&list).expect("encodes")).expect("scratch file");
    let program = format!(
        "[Asked, Answered] = init:get_plain_arguments(), {{ok, Bytes}} = file:read_file(Asked), \
         Answer = {answer}, Answers = [Answer(Q) || Q <- binary_to_term(Bytes)], \
         ok = file:write_file(Answered, term_to_binary(Answers)), halt()."
    );
    let output = Command::new("timeout")
        .env("ERL_CRASH_DUMP_SECONDS", "0")
        .args(["120", "erl", "-noshell", "-eval", &program, "-extra"])
        .args([&asked, &answered])
        .output()
        .expect("erl was there a moment ago");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let (answers, _) =
        decode(&std::fs::read(&answered).expect("answers")).expect("Erlang writes terms");
    let answers = answers.to_list_vec().expect("a list of answers");
    assert_eq!(answers.len(), questions.len());
    answers
}
