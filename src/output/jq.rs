//! `--jq`: a filter over what would be printed, in jq's own language, so that no second program is needed.
//!
//! A filter sees the value it is given and nothing else: it cannot read files, the environment or standard input, cannot
//! write to a stream and cannot end the process.

use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, compile, data};
use jaq_json::Val;
use thiserror::Error;

use super::OutputError;
use crate::text;

/// What is left out of jq's library: `env` hands out the environment and with it credentials; `halt` ends the process in
/// the midst of its work; what writes to standard error goes around `terminal`, which escapes.
const LEFT_OUT: [&str; 8] =
    ["env", "halt", "halt_error", "stderr", "stderr_empty", "debug", "debug_empty", "input_filename"];

/// What jq has and the library has not.
const ADDED: &str = r#"
def @csv: [.[] | if isstring then "\"" + (. / "\"" | join("\"\"")) + "\"" elif . == null then "" else tostring end] | join(",");
def @tsv:
  def plain: . / "\\" | join("\\\\") | . / "\t" | join("\\t") | . / "\n" | join("\\n") | . / "\r" | join("\\r");
  [.[] | if isstring then plain elif . == null then "" else tostring end] | join("\t");
"#;

/// How much is shown of an expression or a message.
const SHOWN: usize = 200;

/// A compiled filter.
pub(crate) struct Jq {
    filter: jaq_core::Filter<data::JustLut<Val>>,
}

/// What a filter puts out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JqValue {
    /// A string, bare: `jq -r`
    Text(String),
    /// Anything else, as JSON on one line
    Json(String),
}

impl Jq {
    pub(crate) fn compile(expression: &str) -> Result<Self, JqError> {
        let allowed = |name: &str| !LEFT_OUT.contains(&name);
        let definitions = jaq_core::defs()
            .chain(jaq_std::defs())
            .chain(jaq_json::defs())
            .chain(load::parse(ADDED, |parser| parser.defs()).into_iter().flatten())
            .filter(|definition| allowed(definition.name));
        let functions =
            jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs()).filter(|(name, _, _)| allowed(name));
        let arena = Arena::default();
        let modules = Loader::new(definitions)
            .load(&arena, File { code: expression, path: () })
            .map_err(|errors| JqError::not_loaded(&errors))?;
        // The loader reads no modules, but leaves data to a reader of its own; without one the filter would panic.
        load::import(&modules, |_| Err("nothing can be imported".to_owned()))
            .map_err(|errors| JqError::not_loaded(&errors))?;
        let filter = Compiler::default()
            .with_funs(functions)
            .compile(modules)
            .map_err(|errors| JqError::not_compiled(&errors))?;
        Ok(Self { filter })
    }

    /// Runs the filter over one JSON value and hands on each value it puts out.
    pub(crate) fn run(
        &self,
        input: &[u8],
        mut each: impl FnMut(JqValue) -> Result<(), OutputError>,
    ) -> Result<(), OutputError> {
        let value = jaq_json::read::parse_single(input).map_err(|error| JqError::Run { message: error.to_string() })?;
        let context = Ctx::<data::JustLut<Val>>::new(&self.filter.lut, Vars::new([]));
        for output in self.filter.id.run((context, value)) {
            match output {
                Ok(value) => each(JqValue::of(&value))?,
                Err(exception) => return Err(failure(input, exception).into()),
            }
        }
        Ok(())
    }
}

impl JqValue {
    fn of(value: &Val) -> Self {
        match value {
            Val::TStr(bytes) | Val::BStr(bytes) => Self::Text(String::from_utf8_lossy(bytes).into_owned()),
            value => Self::Json(value.to_string()),
        }
    }

    /// Enough of it to know it by.
    fn shown(&self) -> String {
        let (Self::Text(text) | Self::Json(text)) = self;
        text::shorten(text, SHOWN).into_owned()
    }
}

/// Why a filter was not understood, or failed.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum JqError {
    #[error("could not understand the jq expression: {problem}")]
    Compile { problem: String },
    #[error("the jq expression failed: {message}")]
    Run { message: String },
}

impl JqError {
    fn not_loaded(errors: &load::Errors<&str, ()>) -> Self {
        let problem = errors.first().map_or_else(String::new, |(_, error)| match error {
            load::Error::Io(files) => {
                files.first().map_or_else(String::new, |(path, message)| format!("`{path}`: {message}"))
            }
            load::Error::Lex(problems) => {
                problems.first().map_or_else(String::new, |(expected, found)| expectation(expected.as_str(), found))
            }
            load::Error::Parse(problems) => {
                problems.first().map_or_else(String::new, |(expected, found)| expectation(expected.as_str(), found))
            }
        });
        Self::Compile { problem }
    }

    fn not_compiled(errors: &compile::Errors<&str, ()>) -> Self {
        let first = errors.first().and_then(|(_, undefined)| undefined.first());
        let problem = first.map_or_else(String::new, |(name, undefined)| match undefined {
            compile::Undefined::Filter(arguments) if *arguments > 0 => {
                format!("there is no filter `{}/{arguments}`", text::shorten(name, SHOWN))
            }
            undefined => format!("there is no {} `{}`", undefined.as_str(), text::shorten(name, SHOWN)),
        });
        Self::Compile { problem }
    }
}

fn expectation(expected: &str, found: &str) -> String {
    if found.is_empty() {
        format!("expected {expected} at its end")
    } else {
        format!("expected {expected} at `{}`", text::shorten(found, SHOWN))
    }
}

/// jq's messages quote the value that did not fit. Where that may be a freshly minted key, the message is withheld:
/// standard error ends up in logs.
fn failure(input: &[u8], exception: jaq_core::Exn<'_, Val>) -> JqError {
    let holds_secret = input.windows(SECRET.len()).any(|window| window == SECRET);
    let message = match exception.get_err() {
        Ok(_) if holds_secret => "its message is withheld, because it could quote the secret".to_owned(),
        Ok(error) => JqValue::of(&error.into_val()).shown(),
        Err(_) => "it left a place it was not in".to_owned(),
    };
    JqError::Run { message }
}

/// The one field of our output that holds the plaintext of a key.
const SECRET: &[u8] = b"\"secret\":";

#[cfg(test)]
mod tests {
    use super::*;

    fn run(expression: &str, input: &str) -> Result<Vec<JqValue>, String> {
        let jq = Jq::compile(expression).map_err(|error| error.to_string())?;
        let mut values = Vec::new();
        jq.run(input.as_bytes(), |value| {
            values.push(value);
            Ok(())
        })
        .map_err(|error| match error {
            OutputError::Jq(error) => error.to_string(),
            OutputError::Io(error) => error.to_string(),
        })?;
        Ok(values)
    }

    fn text(text: &str) -> JqValue {
        JqValue::Text(text.to_owned())
    }

    fn json(json: &str) -> JqValue {
        JqValue::Json(json.to_owned())
    }

    #[test]
    fn filters_put_out_texts_bare_and_the_rest_as_json() {
        let input = r#"{"data":[{"id":"key_1","n":1.50},{"id":"key_2","n":null}]}"#;
        assert_eq!(run(".data[].id", input), Ok(vec![text("key_1"), text("key_2")]));
        assert_eq!(run(".data[0], (.data | length)", input), Ok(vec![json(r#"{"id":"key_1","n":1.50}"#), json("2")]));
        assert_eq!(
            run(r#".data | map(select(.n)) | .[0].id | ascii_upcase | test("^KEY")"#, input),
            Ok(vec![json("true")])
        );
        assert_eq!(run("empty", input), Ok(Vec::new()));
        let odd = r#"["a\"b", 1, null, true, "c\td\\e"]"#;
        assert_eq!(run("@csv", odd), Ok(vec![text("\"a\"\"b\",1,,true,\"c\td\\e\"")]));
        assert_eq!(run("@tsv", odd), Ok(vec![text("a\"b\t1\t\ttrue\tc\\td\\\\e")]));
    }

    #[test]
    fn an_expression_that_is_not_understood_is_shown() {
        assert_eq!(
            run(".data[", "{}"),
            Err("could not understand the jq expression: expected closing bracket at its end".to_owned())
        );
        assert_eq!(
            run(". |", "{}"),
            Err("could not understand the jq expression: expected term at its end".to_owned())
        );
        assert_eq!(
            run(".a | nope", "{}"),
            Err("could not understand the jq expression: there is no filter `nope`".to_owned())
        );
        assert_eq!(
            run("nope(1; 2)", "{}"),
            Err("could not understand the jq expression: there is no filter `nope/2`".to_owned())
        );
        assert!(run("", "{}").is_err(), "an empty variable in a script is noticed");
    }

    #[test]
    fn filters_reach_nothing_but_their_input() {
        for hostile in [
            "env",
            "env.PATH",
            "$ENV",
            "$ENV.PATH",
            "input",
            "inputs",
            "halt",
            "halt(3)",
            "halt_error",
            "halt_error(1)",
            "stderr",
            "debug",
            "debug(1)",
            "input_filename",
            "$__prog_args",
            "stderr_empty",
            r#"include "/etc/passwd"; ."#,
            r#"import "a" as a; ."#,
            r#"import "/etc/passwd" as $a; $a"#,
            "get_search_list",
            r#"getpath(["a"]) | ltrimstr("x") | system"#,
        ] {
            let error = run(hostile, "{}").expect_err(hostile);
            assert!(error.starts_with("could not understand"), "{hostile}: {error}");
        }
    }

    #[test]
    fn a_failing_filter_says_why_but_quotes_no_secret() {
        let error = run(".a.b", r#"{"a":"text"}"#).unwrap_err();
        assert_eq!(error, r#"the jq expression failed: cannot index "text" with "b""#);
        let error = run(".secret.b", r#"{"secret":"wbk_abc"}"#).unwrap_err();
        assert!(!error.contains("wbk_abc"), "{error}");
        assert_eq!(run(r#"error("mine")"#, "{}"), Err("the jq expression failed: mine".to_owned()));
    }
}
