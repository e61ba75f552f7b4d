//! The same with a person at a terminal.

use crate::support::{Place, Pty};

fn status(place: &Place, name: &str) -> String {
    let seen = place.local("show --json").arg(name).done();
    seen.data()["status"].as_str().unwrap().to_owned()
}

#[test]
fn yes_revokes() {
    let place = Place::new();
    place.create("ci", "read");
    let mut pty = Pty::shell(&place, "keys -p local revoke ci");
    pty.expect("Revoke? [y/N]");
    pty.expect("About to revoke on local:");
    pty.expect("ci  never used");
    pty.type_in("y\r");
    let (code, screen) = pty.done();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("Revoked key `ci`"), "{screen}");
    assert_eq!(status(&place, "ci"), "revoked");
}

#[test]
fn everything_else_is_a_no() {
    for answer in ["n\r", "\r", "yess\r", "ci\r", "\u{4}"] {
        let place = Place::new();
        place.create("ci", "read");
        let mut pty = Pty::shell(&place, "keys -p local revoke ci");
        pty.expect("Revoke? [y/N]");
        pty.type_in(answer);
        let (code, screen) = pty.done();
        assert_eq!(code, 13, "{answer:?}: {screen}");
        assert!(screen.contains("declined; nothing was changed"), "{screen}");
        assert_eq!(status(&place, "ci"), "active");
    }
}

#[test]
fn a_name_typed_deletes() {
    let place = Place::new();
    place.create("the one", "read");
    let mut pty = Pty::shell(&place, "keys -p local delete 'the one'");
    pty.expect("Type `the one` to confirm:");
    pty.type_in("the one\r");
    let (code, screen) = pty.done();
    assert_eq!(code, 0, "{screen}");
    assert!(!place.everything().contains("the one"));
}

#[test]
fn another_name_or_a_yes_does_not_delete() {
    for answer in ["y\r", "yes\r", "the-one\r", "THE ONE\r", "\r"] {
        let place = Place::new();
        place.create("the one", "read");
        let mut pty = Pty::shell(&place, "keys -p local delete 'the one' --yes");
        pty.expect("Type `the one` to confirm:");
        pty.type_in(answer);
        let (code, screen) = pty.done();
        assert_eq!(code, 13, "{answer:?}: {screen}");
        assert!(place.everything().contains("the one"));
    }
}

#[test]
fn several_keys_are_confirmed_by_their_number() {
    let place = Place::new();
    place.create("a", "read");
    place.create("b", "read");
    let mut pty = Pty::shell(&place, "keys -p local revoke a b");
    pty.expect("Type `revoke 2 keys` to confirm:");
    pty.type_in("revoke 2 keys\r");
    let (code, screen) = pty.done();
    assert_eq!(code, 0, "{screen}");
    assert_eq!((status(&place, "a"), status(&place, "b")), ("revoked".to_owned(), "revoked".to_owned()));
}

#[test]
fn ctrl_c_at_the_question_is_an_interruption() {
    for (line, question) in [("revoke ci", "Revoke? [y/N]"), ("delete ci", "Type `ci` to confirm:")] {
        let place = Place::new();
        place.create("ci", "read");
        let mut pty = Pty::shell(&place, &format!("keys -p local {line}"));
        pty.expect(question);
        pty.type_in("\u{3}");
        let (code, screen) = pty.done();
        assert_eq!(code, 130, "{screen}");
        assert!(!screen.contains("fault of keys"), "{screen}");
        assert_eq!(status(&place, "ci"), "active");
    }
}

#[test]
fn a_pipeline_still_asks_on_the_terminal() {
    let place = Place::new();
    place.create("ci", "read");
    let mut pty = Pty::shell(&place, "echo y | keys -p local revoke ci 2>said | cat");
    pty.expect("Revoke? [y/N]");
    assert_eq!(status(&place, "ci"), "active");
    pty.type_in("y\r");
    let (code, screen) = pty.done();
    assert_eq!(code, 0, "{screen}");
    assert_eq!(status(&place, "ci"), "revoked");
}

#[test]
fn what_is_meant_is_said_before_the_question_also_when_quiet() {
    let place = Place::new();
    place.create("ci", "read");
    let mut pty = Pty::shell(&place, "keys -p local revoke --quiet ci");
    pty.expect("Revoke?");
    pty.type_in("n\r");
    let (code, screen) = pty.done();
    assert_eq!(code, 13, "{screen}");
    assert!(screen.contains("ci"), "nobody knows what is revoked:\n{screen}");
}

#[test]
fn no_input_and_ci_ask_nothing_even_on_a_terminal() {
    for line in [
        "keys -p local revoke ci --no-input",
        "CI=1 keys -p local revoke ci",
        "KEYS_NO_INPUT=1 keys -p local revoke ci",
    ] {
        let place = Place::new();
        place.create("ci", "read");
        let (code, screen) = Pty::shell(&place, line).done();
        assert_eq!(code, 13, "{line}: {screen}");
        assert!(screen.contains("there is nobody to ask"), "{screen}");
    }
}

#[test]
fn a_key_is_asked_for_unseen() {
    let place = Place::new();
    let plain = place.create("ci", "read");
    let mut pty = Pty::shell(&place, "keys -p local lookup");
    pty.expect("Key:");
    pty.type_in(&format!("{plain}\r"));
    let (code, screen) = pty.done();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("Name") && screen.contains("ci"), "{screen}");
    assert!(!screen.contains(&plain[13..]), "{screen}");
}

#[test]
fn a_hostile_name_does_not_act_on_the_terminal() {
    let place = Place::new();
    place.create("ci", "read");
    let hostile = "UPDATE api_keys SET name = 'x' || char(27) || '[2J' || char(10) || 'error: forged' || char(8238);";
    if place.sqlite("hostile names on a terminal", hostile).is_none() {
        return;
    }
    for line in ["list", "show wbk_", "edit wbk_ --tier high", "edit wbk_ --name good"] {
        let (code, screen) = Pty::shell(&place, &format!("echo before; keys -p local {line}")).done();
        assert_eq!(code, 0, "{line}: {screen}");
        assert!(screen.starts_with("before"), "{line} cleared the screen: {screen}");
        assert!(!screen.lines().any(|line| line.starts_with("error: forged")), "{line}: {screen}");
    }
}

#[test]
fn a_table_fits_its_terminal() {
    let place = Place::new();
    place.create(
        "a name that is long enough to be cut off when there is little room for it",
        "read:contacts,write:contacts,read:deals",
    );
    place.create("短い", "read");
    for columns in [40, 80, 200] {
        let (code, screen) = Pty::sized(&place, "keys -p local list", columns).done();
        assert_eq!(code, 0);
        let lines: Vec<&str> = screen.lines().collect();
        assert_eq!(lines.len(), 3, "at {columns} columns a row is wrapped:\n{screen}");
        for name in ["短い", "a name that"] {
            let id = place
                .local("list --json --jq")
                .arg(format!(".data[] | select(.name | startswith(\"{name}\")) | .id"))
                .done();
            assert!(screen.contains(id.stdout.trim()), "the id is cut at {columns}:\n{screen}");
        }
    }
}
