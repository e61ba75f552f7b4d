//! What a new provider touches, told by those that are there: its own room, its `mod` line, and its line in the list.
//!
//! # Example
//!
//! To add `acme`: write `src/providers/acme/` with its four doors (`rules.rs`: the facts as one constant `RULES`; `wire.rs`:
//! the JSON; `client.rs`: a `Dialect`, which says an operation as HTTP and reads the answers; `routes.rs`: that HTTP, as
//! operations of the service), then add to `src/providers/mod.rs`
//!
//! ```text
//! pub(crate) mod acme;
//!             /// Acme, the keys of a team
//!             Acme = acme,
//! ```
//!
//! From there the flag, the profiles, the listener, the client, the rotation and the completions know it.

use std::fs;
use std::path::{Path, PathBuf};

/// The providers that other code has no reason to know: the native one is also the profile `local`.
const VENDORS: [(&str, &str); 3] = [("LeadLex", "leadlex"), ("Nexus", "nexus"), ("ContactLevel", "contactlevel")];

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Whether a line of code knows a provider by its name in the code, or its room.
fn knows(line: &str, name: &str, room: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let is_named = code.contains(&format!("Provider::{name}")) || code.contains(&format!("{name} = "));
    is_named || code.contains(&format!("{room}::")) || code.contains(&format!("mod {room};"))
}

#[test]
fn a_provider_is_its_own_room_and_its_lines_in_the_list() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    for (name, room) in VENDORS {
        let mut known = Vec::new();
        for path in &files {
            let shown = path.strip_prefix(root).unwrap().to_str().unwrap();
            if shown.starts_with(&format!("src/providers/{room}/")) {
                continue;
            }
            let text = fs::read_to_string(path).unwrap();
            // Tests stand at the end of a file.
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            known.extend(
                code.lines().filter(|line| knows(line, name, room)).map(|line| format!("{shown}: {}", line.trim())),
            );
        }
        let expected = [format!("{name} = {room},"), format!("pub(crate) mod {room};")];
        assert_eq!(known, expected.map(|line| format!("src/providers/mod.rs: {line}")));
    }
}
