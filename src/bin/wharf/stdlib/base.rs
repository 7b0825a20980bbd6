//! `Base`: bytes as text in 16, 32 and 64 letters.
//!
//! Relies on nothing. Promises RFC 4648, and Elixir's words for what is no such text.
#![forbid(unsafe_code)]

use super::argument::{Answer, bytes, is_truthy, ok_with, option};
use super::{Entry, table};
use crate::lang::throw::Throw;
use wharf::term::Term;

const UPPER: &[u8] = b"0123456789ABCDEF";
const LOWER: &[u8] = b"0123456789abcdef";
const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64_URL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Why a text cannot be decoded.
enum Fault {
    Letter(u8),
    Length(usize),
    Padding,
}

/// How many bits a letter stands for, and how many letters make up whole bytes.
fn shape(alphabet: &[u8]) -> (u32, usize) {
    match alphabet.len() {
        16 => (4, 2),
        32 => (5, 8),
        _ => (6, 4),
    }
}

fn encode(data: &[u8], alphabet: &[u8], padding: bool) -> Vec<u8> {
    let (bits, group) = shape(alphabet);
    let mut output = Vec::with_capacity(data.len() * 8 / bits as usize + group);
    let (mut held, mut count) = (0_u32, 0);
    for byte in data {
        held = held << 8 | u32::from(*byte);
        count += 8;
        while count >= bits {
            count -= bits;
            output.push(alphabet[(held >> count) as usize & (alphabet.len() - 1)]);
        }
        held &= (1 << count) - 1;
    }
    if count > 0 {
        output.push(alphabet[(held << (bits - count)) as usize & (alphabet.len() - 1)]);
    }
    while padding && !output.len().is_multiple_of(group) {
        output.push(b'=');
    }
    output
}

fn decode(text: &[u8], alphabet: &[u8], padding: bool) -> Result<Vec<u8>, Fault> {
    let (bits, group) = shape(alphabet);
    if group == 2 && !text.len().is_multiple_of(2) {
        return Err(Fault::Length(text.len()));
    }
    if padding && group > 2 && !text.len().is_multiple_of(group) {
        return Err(Fault::Padding);
    }
    let letters = &text[..text
        .iter()
        .rposition(|byte| *byte != b'=')
        .map_or(0, |last| last + 1)];
    let mut output = Vec::with_capacity(letters.len() * bits as usize / 8);
    let (mut held, mut count) = (0_u32, 0);
    for letter in letters {
        let value = alphabet
            .iter()
            .position(|known| known == letter)
            .ok_or(Fault::Letter(*letter))?;
        held = held << bits | u32::try_from(value).unwrap_or(0);
        count += bits;
        if count >= 8 {
            count -= 8;
            output.push(u8::try_from(held >> count & 0xFF).unwrap_or(0));
        }
        held &= (1 << count) - 1;
    }
    // Letters that do not make up a byte, missing padding, or padding where none belongs.
    let padded = text.len() - letters.len();
    if count >= bits
        || padded >= group
        || (padding || padded > 0) && !text.len().is_multiple_of(group)
    {
        return Err(Fault::Padding);
    }
    Ok(output)
}

fn data<'a>(function: &str, args: &'a [Term]) -> Result<&'a [u8], Throw> {
    bytes(&args[0]).ok_or_else(|| Throw::function_clause("Base", function, args))
}

fn options(args: &[Term]) -> Term {
    args.get(1).cloned().unwrap_or(Term::Nil)
}

fn wants_padding(args: &[Term]) -> bool {
    option(&options(args), "padding").is_none_or(|padding| is_truthy(&padding))
}

fn case(args: &[Term]) -> &'static str {
    match option(&options(args), "case") {
        Some(case) if case.is_atom("lower") => "lower",
        Some(case) if case.is_atom("mixed") => "mixed",
        _ => "upper",
    }
}

fn encode16(args: &[Term]) -> Answer {
    let alphabet = if case(args) == "lower" { LOWER } else { UPPER };
    Ok(super::argument::binary_of(encode(
        data("encode16", args)?,
        alphabet,
        false,
    )))
}

fn decode16(function: &str, args: &[Term]) -> Result<Result<Vec<u8>, Fault>, Throw> {
    let text = data(function, args)?;
    Ok(match case(args) {
        "lower" => decode(text, LOWER, false),
        "mixed" => decode(&text.to_ascii_uppercase(), UPPER, false),
        _ => decode(text, UPPER, false),
    })
}

fn encoded(function: &str, args: &[Term], alphabet: &[u8]) -> Answer {
    Ok(super::argument::binary_of(encode(
        data(function, args)?,
        alphabet,
        wants_padding(args),
    )))
}

fn decoded(
    function: &str,
    args: &[Term],
    alphabet: &[u8],
) -> Result<Result<Vec<u8>, Fault>, Throw> {
    Ok(decode(data(function, args)?, alphabet, wants_padding(args)))
}

fn or_error(result: Result<Vec<u8>, Fault>) -> Answer {
    Ok(result.map_or_else(
        |_| Term::atom("error"),
        |bytes| ok_with(super::argument::binary_of(bytes)),
    ))
}

fn or_raise(result: Result<Vec<u8>, Fault>) -> Answer {
    let words = |fault: Fault| match fault {
        Fault::Letter(byte) => {
            let letter = crate::inspect::inspect(&super::argument::binary_of(vec![byte]));
            format!("non-alphabet character found: {letter} (byte {byte})")
        }
        Fault::Length(length) => format!(
            "string given to decode has wrong length. An even number of bytes was expected, got: {length}. Double check your \
             string for unwanted characters or pad it accordingly"
        ),
        Fault::Padding => "incorrect padding".to_owned(),
    };
    result
        .map(super::argument::binary_of)
        .map_err(|fault| Throw::argument_error(&words(fault)))
}

/// The functions of this file.
pub(crate) const TABLE: &[Entry] = table! {
    "encode16"/1 => |_, args| encode16(args), "Base.encode16(data)";
    "encode16"/2 => |_, args| encode16(args), "Base.encode16(data, case: :upper | :lower)";
    "decode16"/1 => |_, args| or_error(decode16("decode16", args)?), "Base.decode16(string): {:ok, data} or :error";
    "decode16"/2 => |_, args| or_error(decode16("decode16", args)?), "Base.decode16(string, case: :upper | :lower | :mixed)";
    "decode16!"/1 => |_, args| or_raise(decode16("decode16!", args)?), "Base.decode16!(string)";
    "decode16!"/2 => |_, args| or_raise(decode16("decode16!", args)?), "Base.decode16!(string, case: :upper | :lower | :mixed)";
    "encode32"/1 => |_, args| encoded("encode32", args, BASE32), "Base.encode32(data)";
    "encode32"/2 => |_, args| encoded("encode32", args, BASE32), "Base.encode32(data, padding: boolean)";
    "decode32"/1 => |_, args| or_error(decoded("decode32", args, BASE32)?), "Base.decode32(string): {:ok, data} or :error";
    "decode32!"/1 => |_, args| or_raise(decoded("decode32!", args, BASE32)?), "Base.decode32!(string)";
    "encode64"/1 => |_, args| encoded("encode64", args, BASE64), "Base.encode64(data)";
    "encode64"/2 => |_, args| encoded("encode64", args, BASE64), "Base.encode64(data, padding: boolean)";
    "decode64"/1 => |_, args| or_error(decoded("decode64", args, BASE64)?), "Base.decode64(string): {:ok, data} or :error";
    "decode64"/2 => |_, args| or_error(decoded("decode64", args, BASE64)?), "Base.decode64(string, padding: boolean)";
    "decode64!"/1 => |_, args| or_raise(decoded("decode64!", args, BASE64)?), "Base.decode64!(string)";
    "decode64!"/2 => |_, args| or_raise(decoded("decode64!", args, BASE64)?), "Base.decode64!(string, padding: boolean)";
    "url_encode64"/1 => |_, args| encoded("url_encode64", args, BASE64_URL), "Base.url_encode64(data)";
    "url_encode64"/2 => |_, args| encoded("url_encode64", args, BASE64_URL), "Base.url_encode64(data, padding: boolean)";
    "url_decode64"/1 => |_, args| or_error(decoded("url_decode64", args, BASE64_URL)?), "Base.url_decode64(string)";
    "url_decode64!"/1 => |_, args| or_raise(decoded("url_decode64!", args, BASE64_URL)?), "Base.url_decode64!(string)";
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_the_standard_go_both_ways() {
        for (data, base32, base64) in [
            ("", "", ""),
            ("f", "MY======", "Zg=="),
            ("fo", "MZXQ====", "Zm8="),
            ("foo", "MZXW6===", "Zm9v"),
            ("foob", "MZXW6YQ=", "Zm9vYg=="),
            ("fooba", "MZXW6YTB", "Zm9vYmE="),
            ("foobar", "MZXW6YTBOI======", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(data.as_bytes(), BASE32, true), base32.as_bytes());
            assert_eq!(encode(data.as_bytes(), BASE64, true), base64.as_bytes());
            assert_eq!(
                decode(base32.as_bytes(), BASE32, true).ok().as_deref(),
                Some(data.as_bytes())
            );
            assert_eq!(
                decode(base64.as_bytes(), BASE64, true).ok().as_deref(),
                Some(data.as_bytes())
            );
        }
        assert!(decode(b"Zg", BASE64, true).is_err());
        assert!(decode(b"Zg", BASE64, false).is_ok());
        assert!(decode(b"Z", BASE64, false).is_err());
        assert!(decode(b"====", BASE64, true).is_err());
    }
}
