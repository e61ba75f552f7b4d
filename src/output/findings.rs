//! How findings look: rows, `JUnit` for CI services, and SARIF for code scanning.

use std::io;
use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::table::{Cell, Column, Row};
use crate::model::policy::{Finding, Rule};
use crate::terminal::{Style, Terminal};
use crate::text;

pub(crate) static COLUMNS: [Column; 5] = [
    Column { title: "RULE", name: "rule", rank: 9, shrinks: false, right: false, place: 0 },
    Column { title: "KEY", name: "key", rank: 8, shrinks: true, right: false, place: 1 },
    Column { title: "ID", name: "key_id", rank: 5, shrinks: false, right: false, place: 2 },
    Column { title: "FINDING", name: "message", rank: 7, shrinks: true, right: false, place: 3 },
    Column { title: "MEND WITH", name: "mend", rank: 6, shrinks: false, right: false, place: 4 },
];

/// The whole command that mends a finding; `flags` choose the service.
fn command(finding: &Finding, flags: &str) -> Option<String> {
    finding.mend.command().map(|words| format!("keys{flags} {words}"))
}

pub(crate) fn row(finding: &Finding, flags: &str) -> Row {
    let (id, name) = finding.key.as_ref().map_or(("", ""), |(id, name)| (id.as_str(), name.as_str()));
    let command = command(finding, flags);
    let cells = vec![
        Cell::new(finding.rule.as_str()),
        Cell::new(name),
        Cell::new(id),
        Cell::new(finding.message.as_str()),
        Cell::new(command.as_deref().unwrap_or_default()),
    ];
    let key = finding.key.as_ref();
    let json = json!({
        "rule": finding.rule.as_str(),
        "key": key.map(|(_, name)| name),
        "key_id": key.map(|(id, _)| id),
        "message": finding.message,
        "mend": command,
    });
    Row { cells, json }
}

/// For people at a screen: sentences that a table has no room for, and commands to be copied, which are not parted.
pub(crate) fn detail(findings: &[Finding], flags: &str, terminal: &mut Terminal) -> io::Result<()> {
    const INDENT: &str = "  ";
    let room = terminal.width().saturating_sub(INDENT.len());
    for finding in findings {
        let of = finding.key.as_ref().map_or_else(|| "the workspace".to_owned(), |(id, name)| format!("{name} ({id})"));
        let rule = terminal.paint(Style::Warning, finding.rule.as_str());
        writeln!(terminal.out(), "{rule}  {}", text::escape(&of))?;
        for line in text::wrapped(&text::escape(&finding.message), room) {
            writeln!(terminal.out(), "{INDENT}{line}")?;
        }
        if let Some(command) = command(finding, flags) {
            let command = terminal.paint(Style::Strong, &command);
            writeln!(terminal.out(), "{INDENT}{command}")?;
        }
    }
    Ok(())
}

/// One test case for each rule, failed by its findings: what CI services show.
pub(crate) fn junit(findings: &[Finding], off: &[Rule], flags: &str) -> String {
    let rules: Vec<Rule> = Rule::ALL.into_iter().filter(|rule| !off.contains(rule)).collect();
    let failed = rules.iter().filter(|rule| findings.iter().any(|finding| finding.rule == **rule)).count();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let counts = format!("tests=\"{}\" failures=\"{failed}\" errors=\"0\"", rules.len());
    text.extend(["<testsuites name=\"keys check\" ", &counts, ">\n  <testsuite name=\"keys check\" ", &counts, ">\n"]);
    for rule in rules {
        let name = format!("    <testcase classname=\"keys.check\" name=\"{}\"", rule.as_str());
        let of_rule: Vec<&Finding> = findings.iter().filter(|finding| finding.rule == rule).collect();
        if of_rule.is_empty() {
            text.extend([&name, "/>\n"]);
            continue;
        }
        let lines: Vec<String> = of_rule.iter().map(|finding| line(finding, flags)).collect();
        let message = xml(&format!("{}: {} findings", rule.about(), of_rule.len()));
        text.extend([&name, ">\n      <failure message=\"", &message, "\">"]);
        text.extend([&xml(&lines.join("\n")), "</failure>\n    </testcase>\n"]);
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}

fn line(finding: &Finding, flags: &str) -> String {
    let key = finding.key.as_ref().map(|(id, name)| format!("{name} ({id}): ")).unwrap_or_default();
    let mend = command(finding, flags).map(|command| format!("; mend with: {command}")).unwrap_or_default();
    format!("{key}{}{mend}", finding.message)
}

/// Text within XML: its marks escaped, and without the characters that XML cannot hold at all.
fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            _ if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') => {
                escaped.extend(character.escape_unicode());
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

/// SARIF 2.1.0. A key is no file, and code scanning shows nothing without one: there the policy stands, or where there is
/// none, the place where one would be.
pub(crate) fn sarif(findings: &[Finding], policy: Option<&Path>, service: &str, flags: &str) -> Value {
    let policy = address(policy.unwrap_or(Path::new("keys-policy.toml")));
    let rules: Vec<Value> = Rule::ALL
        .into_iter()
        .map(|rule| json!({ "id": rule.as_str(), "shortDescription": { "text": rule.about() } }))
        .collect();
    let result = |finding: &Finding| {
        let index = Rule::ALL.iter().position(|rule| *rule == finding.rule).unwrap_or(0);
        let id = finding.key.as_ref().map_or("workspace", |(id, _)| id.as_str());
        let name = finding.key.as_ref().map_or("workspace", |(_, name)| name.as_str());
        json!({
            "ruleId": finding.rule.as_str(),
            "ruleIndex": index,
            "level": "warning",
            "message": { "text": line(finding, flags) },
            "locations": [{
                "physicalLocation": { "artifactLocation": { "uri": policy } },
                "logicalLocations": [{ "name": name, "fullyQualifiedName": format!("{service}/{id}"), "kind": "resource" }],
            }],
            "partialFingerprints": { "keyAndRule/v1": format!("{id}:{}", finding.rule.as_str()) },
        })
    };
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "keys", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "results": findings.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

/// A path as the address of a file: relative to where the command runs, unless it is absolute.
fn address(path: &Path) -> String {
    const RESERVED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/').remove(b':');
    let text = path.to_string_lossy();
    let text = if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() };
    let scheme = match (path.is_absolute(), text.starts_with('/')) {
        (true, true) => "file://",
        (true, false) => "file:///",
        // What stands before a colon would be read as a scheme.
        (false, _) if text.split('/').next().is_some_and(|first| first.contains(':')) => "./",
        (false, _) => "",
    };
    format!("{scheme}{}", utf8_percent_encode(&text, RESERVED))
}

#[cfg(test)]
#[expect(clippy::needless_raw_string_hashes, reason = "golden texts are written by `SNAPSHOTS=overwrite`, with hashes")]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::model::key::KeyId;
    use crate::model::policy::Mend;

    #[test]
    fn findings_on_a_narrow_screen() {
        let key = KeyId::new("key_0000000000ab");
        let finding = |rule, key: Option<(KeyId, String)>, message: &str, mend| Finding {
            rule,
            key,
            message: message.to_owned(),
            mend,
        };
        let of_key = Some((key.clone(), "a rather long name\u{202e}".to_owned()));
        let message = "it holds write:deals, which none of its calls needed; read:contacts would do";
        let findings = [
            finding(Rule::OverPrivileged, of_key, message, Mend::Revoke(key)),
            finding(Rule::QuotaLow, None, "5 of 100 calls are left today, fewer than 10%", Mend::Nothing),
        ];
        let (mut terminal, captured) = Terminal::test_screen(50);
        detail(&findings, " -p work", &mut terminal).unwrap();
        terminal.flush().unwrap();
        assert_data_eq!(
            captured.stdout(),
            str![[r#"
over-privileged  a rather long name/u{202e} (key_0000000000ab)
  it holds write:deals, which none of its calls
  needed; read:contacts would do
  keys -p work revoke key_0000000000ab
quota-low  the workspace
  5 of 100 calls are left today, fewer than 10%

"#]]
        );
    }
}
