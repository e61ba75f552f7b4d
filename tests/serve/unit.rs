//! The systemd unit of the README.

use std::path::Path;
use std::process::Command;

use crate::support::{KEYS, Place, leave_out};

#[test]
fn systemd_understands_the_unit_of_the_readme_and_finds_it_closed() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let (_, rest) = readme.split_once("```ini\n").expect("a unit");
    let (unit, _) = rest.split_once("```").unwrap();
    // Where the program is differs; that a file of variables is there is for whoever installs it.
    assert!(unit.contains("/usr/local/bin/keys serve "));
    let place = Place::new();
    let path = place.write("keys.service", unit.replace("/usr/local/bin/keys", KEYS));
    let verified = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path).output();
    let Ok(verified) = verified else {
        return leave_out("systemd-analyze", "the unit of the README");
    };
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(verified.status.success() && !said.contains("keys.service"), "{said}");
    let exposure = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold=30", "--no-pager"])
        .arg(&path)
        .output()
        .unwrap();
    let (table, said) = (String::from_utf8_lossy(&exposure.stdout), String::from_utf8_lossy(&exposure.stderr));
    if said.contains("unrecognized option") {
        return leave_out("systemd-analyze security --offline", "how closed the unit of the README is");
    }
    assert!(exposure.status.success(), "{table}{said}");
}
