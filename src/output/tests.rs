//! Golden texts: what scripts rely on is compared whole.

use jiff::Timestamp;
use serde_json::json;

use super::list::is_none;
use super::*;
use crate::model::key::Key;
use crate::model::key::tests::key;
use crate::model::permission::Permission;
use crate::model::tier::Tier;
use crate::terminal::tests::Captured;

const NOW: i64 = 1_795_176_000;

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn days(days: i64) -> Timestamp {
    Timestamp::from_second(NOW + days * 86_400).unwrap()
}

fn keys() -> [Key; 4] {
    let mut worker = key("key_7qz3m1v9w8x2", "Ingestion worker");
    worker.prefix = "wbk_1a2B3c4D".to_owned();
    worker.permissions = ["read:contacts", "write:contacts", "read:companies"].map(Permission::from_server).to_vec();
    worker.tier = Some(Tier::High);
    worker.created_by = Some("ana".to_owned());
    worker.created_at = Some(days(-30));
    worker.last_used_at = Some(Timestamp::from_second(NOW - 3 * 3_600).unwrap());
    worker.expires_at = Some(days(89));
    worker.more.insert("region".to_owned(), json!("eu"));
    worker.more.insert("name".to_owned(), json!("a second name"));
    worker.more.insert("secret".to_owned(), json!("no"));
    let mut formula = key("key_0000000000ab", "=HYPERLINK(\"http://evil\")");
    formula.prefix = "wbk_9z8Y7x6W".to_owned();
    formula.permissions = vec![Permission::from_server("read:lists")];
    formula.created_at = Some(days(-400));
    formula.revoked_at = Some(days(-1));
    formula.revoked_reason = Some("leaked, \"maybe\"\nnot".to_owned());
    let mut hostile = key("key_0000000000cd", "a\x1b[2J\tb\u{202e}c");
    hostile.prefix = "wbk_5v4U3t2S".to_owned();
    hostile.expires_at = Some(days(3));
    hostile.created_at = Some(days(-2));
    let mut old = key("key_0000000000ef", "old");
    old.prefix = "wbk_1r0Q9p8O".to_owned();
    old.tier = None;
    old.expires_at = Some(days(-800));
    old.permissions = vec![Permission::from_server("read:contacts")];
    [worker, formula, hostile, old]
}

fn output(format: Format, expression: Option<&str>) -> Output {
    Output { format, jq: expression.map(|expression| Jq::compile(expression).unwrap()) }
}

fn list_on((mut terminal, captured): (Terminal, Captured), output: &Output, keys: &[Key], meta: Value) -> String {
    let mut list = output.list(&terminal, &key::COLUMNS);
    for key in keys {
        list.row_of(&mut terminal, || key::cells(key, now()), || key::json(key, now())).unwrap();
    }
    list.finish(&mut terminal, meta).unwrap();
    assert_eq!(captured.stderr(), "");
    captured.stdout()
}

fn piped(format: Format, expression: Option<&str>, keys: &[Key], meta: Value) -> String {
    list_on(Terminal::test(), &output(format, expression), keys, meta)
}

fn shown(columns: u16, format: Format, expression: Option<&str>, keys: &[Key], meta: Value) -> String {
    list_on(Terminal::test_screen(columns), &output(format, expression), keys, meta)
}

fn one(terminal: (Terminal, Captured), output: &Output, data: Value) -> Result<String, OutputError> {
    let (mut terminal, captured) = terminal;
    output.object(&mut terminal, data, |terminal| writeln!(terminal.out(), "for people"))?;
    Ok(captured.stdout())
}

#[test]
fn tables_fit_80_120_and_200_columns() {
    let keys = keys();
    let at_80 = r#"
NAME           ID                STATUS   PERMISSIONS   EXPIRES      LAST USED
Ingestion wo…  key_7qz3m1v9w8x2  active   read:con… +2  in 89 days   3 hours ago
=HYPERLINK("…  key_0000000000ab  revoked  read:lists    never        never
a\x1b[2J\tb\…  key_0000000000cd  active   -             in 3 days    never
old            key_0000000000ef  expired  read:contac…  2 years ago  never
"#;
    assert_eq!(shown(80, Format::Table, None, &keys, Value::Null), at_80[1..]);
    let at_120 = r#"
NAME                       ID                STATUS   PERMISSIONS                 EXPIRES      LAST USED    PREFIX
Ingestion worker           key_7qz3m1v9w8x2  active   read:contacts +2            in 89 days   3 hours ago  wbk_1a2B3c4D
=HYPERLINK("http://evil")  key_0000000000ab  revoked  read:lists                  never        never        wbk_9z8Y7x6W
a\x1b[2J\tb\u{202e}c       key_0000000000cd  active   -                           in 3 days    never        wbk_5v4U3t2S
old                        key_0000000000ef  expired  read:contacts               2 years ago  never        wbk_1r0Q9p8O
"#;
    assert_eq!(shown(120, Format::Table, None, &keys, Value::Null), at_120[1..]);
    let at_200 = r#"
NAME                       ID                STATUS   PERMISSIONS                                  EXPIRES      LAST USED    PREFIX        TIER      CREATED
Ingestion worker           key_7qz3m1v9w8x2  active   read:contacts write:contacts read:companies  in 89 days   3 hours ago  wbk_1a2B3c4D  high      30 days ago
=HYPERLINK("http://evil")  key_0000000000ab  revoked  read:lists                                   never        never        wbk_9z8Y7x6W  standard  400 days ago
a\x1b[2J\tb\u{202e}c       key_0000000000cd  active   -                                            in 3 days    never        wbk_5v4U3t2S  standard  2 days ago
old                        key_0000000000ef  expired  read:contacts                                2 years ago  never        wbk_1r0Q9p8O  -         -
"#;
    assert_eq!(shown(200, Format::Table, None, &keys, Value::Null), at_200[1..]);
}

#[test]
fn a_table_in_a_pipe_is_separated_by_tabs_and_whole() {
    let expected = "\
key_7qz3m1v9w8x2\tIngestion worker\twbk_1a2B3c4D\tactive\tread:contacts,write:contacts,read:companies\thigh\t2026-10-21T12:00:00Z\t2026-11-20T09:00:00Z\t2027-02-17T12:00:00Z
key_0000000000ab\t=HYPERLINK(\"http://evil\")\twbk_9z8Y7x6W\trevoked\tread:lists\tstandard\t2025-10-16T12:00:00Z\t\t
key_0000000000cd\ta\\x1b[2J\\tb\\u{202e}c\twbk_5v4U3t2S\tactive\t\tstandard\t2026-11-18T12:00:00Z\t\t2026-11-23T12:00:00Z
key_0000000000ef\told\twbk_1r0Q9p8O\texpired\tread:contacts\t\t\t\t2024-09-11T12:00:00Z
";
    assert_eq!(piped(Format::Table, None, &keys(), json!({ "hidden": 1 })), expected);
    assert_eq!(piped(Format::Table, None, &[], Value::Null), "");
}

#[test]
fn csv_is_quoted_and_its_formulas_are_defused() {
    let [_, formula, hostile, _] = keys();
    let header = "id,name,prefix,status,permissions,tier,created_at,last_used_at,expires_at\r\n";
    let expected = format!(
        "{header}key_0000000000ab,\"'=HYPERLINK(\"\"http://evil\"\")\",wbk_9z8Y7x6W,revoked,read:lists,standard,2025-10-16T12:00:00Z,,\r\n\
         key_0000000000cd,a\\x1b[2J\tb\\u{{202e}}c,wbk_5v4U3t2S,active,,standard,2026-11-18T12:00:00Z,,2026-11-23T12:00:00Z\r\n"
    );
    assert_eq!(piped(Format::Csv, None, &[formula, hostile.clone()], Value::Null), expected);
    assert!(shown(80, Format::Csv, None, &[hostile], Value::Null).contains(",a\\x1b[2J\\tb\\u{202e}c,"));
    assert_eq!(piped(Format::Csv, None, &[], Value::Null), header);
}

#[test]
fn json_is_one_envelope() {
    let [worker, formula, ..] = keys();
    let first = r#"{"id":"key_7qz3m1v9w8x2","name":"Ingestion worker","description":null,"prefix":"wbk_1a2B3c4D","permissions":["read:contacts","write:contacts","read:companies"],"tier":"high","status":"active","temporary":false,"created_by":"ana","created_at":"2026-10-21T12:00:00Z","last_used_at":"2026-11-20T09:00:00Z","expires_at":"2027-02-17T12:00:00Z","revoked_at":null,"revoked_reason":null,"region":"eu"}"#;
    let second = r#"{"id":"key_0000000000ab","name":"=HYPERLINK(\"http://evil\")","description":null,"prefix":"wbk_9z8Y7x6W","permissions":["read:lists"],"tier":"standard","status":"revoked","temporary":false,"created_by":null,"created_at":"2025-10-16T12:00:00Z","last_used_at":null,"expires_at":null,"revoked_at":"2026-11-19T12:00:00Z","revoked_reason":"leaked, \"maybe\"\nnot"}"#;
    let keys = [worker, formula];
    let meta = json!({ "hidden": 2 });
    assert_eq!(
        piped(Format::Json, None, &keys, meta.clone()),
        format!("{{\"schema\":1,\"data\":[{first},{second}],\"meta\":{{\"hidden\":2}}}}\n")
    );
    assert_eq!(piped(Format::Jsonl, None, &keys, meta), format!("{first}\n{second}\n"));
    assert_eq!(piped(Format::Json, None, &[], Value::Null), "{\"schema\":1,\"data\":[]}\n");
    assert_eq!(piped(Format::Jsonl, None, &[], Value::Null), "");
}

#[test]
fn json_on_a_terminal_is_indented_as_one_document() {
    let keys = keys();
    for (keys, meta) in
        [(&keys[..], json!({ "hidden": [1] })), (&keys[..1], Value::Null), (&[], json!({})), (&[], json!({ "a": 1 }))]
    {
        let mut whole = envelope(keys.iter().map(|key| key::json(key, now())).collect());
        if !is_none(&meta) {
            whole["meta"] = meta.clone();
        }
        let expected = format!("{}\n", rendered(&whole, true).unwrap());
        assert_eq!(shown(80, Format::Json, None, keys, meta.clone()), expected);
        let streamed: Value = serde_json::from_str(&piped(Format::Json, None, keys, meta)).unwrap();
        assert_eq!(streamed, whole);
    }
}

#[test]
fn json_never_acts_on_a_terminal() {
    let [_, _, hostile, _] = keys();
    for text in [
        shown(80, Format::Json, None, std::slice::from_ref(&hostile), Value::Null),
        piped(Format::Jsonl, Some(".[\"name\"] | [.]"), &[hostile], Value::Null),
    ] {
        assert!(text.contains(r#""a\u001b[2J\tb\u202ec""#), "{text}");
    }
}

#[test]
fn a_filter_sees_the_envelope_or_each_line() {
    let keys = keys();
    let meta = json!({ "hidden": 2 });
    for format in [Format::Json, Format::Table, Format::Csv] {
        assert_eq!(
            piped(format, Some(".schema, (.data | length), .meta.hidden, .data[3].name"), &keys, meta.clone()),
            "1\n4\n2\nold\n"
        );
    }
    let names = piped(Format::Jsonl, Some(".name"), &keys, meta);
    assert_eq!(
        names, "Ingestion worker\n=HYPERLINK(\"http://evil\")\na\x1b[2J\tb\u{202e}c\nold\n",
        "a pipe gets the bytes"
    );
    let names = shown(80, Format::Json, Some(".data[2].name"), &keys, Value::Null);
    assert_eq!(names, "a\\x1b[2J\\tb\\u{202e}c\n", "a person does not");
    assert_eq!(piped(Format::Json, Some(".data"), &[], Value::Null), "[]\n");
}

#[test]
fn one_object_in_each_format() {
    let data = || json!({ "id": "key_1", "n": -1, "on": true, "none": null, "list": ["a", "b"], "more": { "a": 1 } });
    let print = |format, expression| one(Terminal::test(), &output(format, expression), data()).unwrap();
    let line = r#"{"id":"key_1","n":-1,"on":true,"none":null,"list":["a","b"],"more":{"a":1}}"#;
    assert_eq!(print(Format::Table, None), "for people\n");
    assert_eq!(print(Format::Json, None), format!("{{\"schema\":1,\"data\":{line}}}\n"));
    assert_eq!(print(Format::Jsonl, None), format!("{line}\n"));
    assert_eq!(print(Format::Csv, None), "id,n,on,none,list\r\nkey_1,-1,true,,\"a,b\"\r\n");
    assert_eq!(print(Format::Table, Some(".data.id, .data.list")), "key_1\n[\"a\",\"b\"]\n");
    assert_eq!(print(Format::Jsonl, Some(".id")), "key_1\n");
    let pretty = one(Terminal::test_screen(80), &output(Format::Json, None), json!({ "id": 1 })).unwrap();
    assert_eq!(pretty, "{\n  \"schema\": 1,\n  \"data\": {\n    \"id\": 1\n  }\n}\n");
}

#[test]
fn a_key_is_shown_line_by_line() {
    let [worker, formula, hostile, _] = keys();
    let show = |key: &Key| {
        let (mut terminal, captured) = Terminal::test();
        key::detail(key, now(), &mut terminal).unwrap();
        terminal.flush().unwrap();
        captured.stdout()
    };
    let expected = "\
Name         Ingestion worker
ID           key_7qz3m1v9w8x2
Status       active
Prefix       wbk_1a2B3c4D
Permissions  read:contacts write:contacts read:companies
Tier         high
Created      2026-10-21T12:00:00Z (30 days ago) by ana
Last used    2026-11-20T09:00:00Z (3 hours ago)
Expires      2027-02-17T12:00:00Z (in 89 days)
";
    assert_eq!(show(&worker), expected);
    let revoked = "\
Name         =HYPERLINK(\"http://evil\")
ID           key_0000000000ab
Status       revoked
Prefix       wbk_9z8Y7x6W
Permissions  read:lists
Tier         standard
Created      2025-10-16T12:00:00Z (400 days ago)
Last used    never
Expires      never
Revoked      2026-11-19T12:00:00Z (1 day ago)
Reason       leaked, \"maybe\"\\nnot
";
    assert_eq!(show(&formula), revoked);
    assert!(show(&hostile).starts_with("Name         a\\x1b[2J\\tb\\u{202e}c\n"));
}

#[test]
fn colour_adds_nothing_to_the_widths() {
    let keys = keys();
    let plain = shown(120, Format::Table, None, &keys, Value::Null);
    let (mut terminal, captured) = Terminal::test_screen(120);
    terminal.configure(crate::terminal::Color::Always, false, false);
    let painted = list_on((terminal, captured), &output(Format::Table, None), &keys, Value::Null);
    assert!(painted.contains("\x1b[32mactive\x1b[0m") && painted.contains("\x1b[1mNAME\x1b[0m"));
    assert_eq!(console::strip_ansi_codes(&painted), plain);
}

#[test]
fn a_list_of_many_rows_needs_no_memory_for_them() {
    let (mut terminal, captured) = Terminal::test_screen(80);
    let output = output(Format::Table, None);
    let mut list = output.list(&terminal, &key::COLUMNS);
    let [worker, ..] = keys();
    for _ in 0..5_000 {
        list.row_of(
            &mut terminal,
            || key::cells(&worker, now()),
            || -> Value { unreachable!("a table needs no JSON") },
        )
        .unwrap();
    }
    assert!(captured.stdout().lines().count() > 3_000, "rows are passed on while others are still to come");
    list.finish(&mut terminal, Value::Null).unwrap();
    assert_eq!(captured.stdout().lines().count(), 5_001);
}

#[test]
fn a_closed_pipe_can_be_found_in_the_chain() {
    let error: OutputError = io::Error::from(io::ErrorKind::BrokenPipe).into();
    let error = anyhow::Error::from(error).context("could not list the keys");
    let broken = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    assert!(error.chain().any(broken));
}

#[test]
fn errors_know_their_exit_code() {
    let failed = OutputError::from(io::Error::from(io::ErrorKind::StorageFull));
    assert_eq!((failed.exit(), failed.code()), (Exit::Internal, "output_failed"));
    let unknown = OutputError::from(Jq::compile("nope").err().unwrap());
    assert_eq!((unknown.exit(), unknown.code()), (Exit::Usage, "invalid_jq"));
    let failing = one(Terminal::test(), &output(Format::Json, Some(".data.a.b")), json!({ "a": "text" })).unwrap_err();
    assert_eq!((failing.exit(), failing.code()), (Exit::Usage, "jq_failed"));
    assert!(failed.hint().is_some() && unknown.hint().is_some() && failing.hint().is_some());
}
