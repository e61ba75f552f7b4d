//! How findings look: rows, `JUnit` for CI services, and SARIF for code scanning.

use serde_json::{Value, json};

use super::table::{Cell, Column, Row};
use crate::model::policy::{Finding, Rule};

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

/// SARIF 2.1.0. A key is no file: where code scanning asks for one, the service's name stands.
pub(crate) fn sarif(findings: &[Finding], service: &str, flags: &str) -> Value {
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
                "physicalLocation": { "artifactLocation": { "uri": "keys-policy.toml" } },
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
