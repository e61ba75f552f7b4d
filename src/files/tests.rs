//! Tests of private files and locks.

use super::error::shell_word;
use super::scratch::Scratch;
use super::*;
use crate::exit::Explain as _;

fn message<T>(result: Result<T, FileError>) -> String {
    match result {
        Ok(_) => "it worked".to_owned(),
        Err(error) => format!("{error}; {}", error.hint().unwrap_or_default()),
    }
}

/// What each of the four doors says to a path.
fn refusals(path: &Path) -> [String; 4] {
    [
        message(PreparedFile::new(path, 8)),
        message(read_private(path, 100)),
        message(create_private(path)),
        message(Lock::exclusive(path)),
    ]
}

#[test]
fn a_commit_replaces_the_whole_content_and_leaves_nothing_else() {
    let scratch = Scratch::new();
    let path = scratch.path("key");
    for content in ["longer than the reserve", "short", ""] {
        PreparedFile::new(&path, 8).unwrap().commit(content.as_bytes()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
        assert_eq!(read_private(&path, 100).unwrap().unwrap().as_slice(), content.as_bytes());
    }
    assert_eq!(scratch.names(), ["key"]);
}

#[test]
fn an_abandoned_preparation_leaves_nothing_and_changes_nothing() {
    let scratch = Scratch::new();
    let path = scratch.file("old", "old");
    let prepared = [PreparedFile::new(&path, 8).unwrap(), PreparedFile::new(&scratch.path("new"), 8).unwrap()];
    assert_eq!(scratch.names().len(), 3);
    assert!(scratch.names()[..2].iter().all(|name| name.starts_with('.')));
    drop(prepared);
    assert_eq!(scratch.names(), ["old"]);
    assert_eq!(fs::read(&path).unwrap(), b"old");
}

#[test]
fn a_failed_commit_leaves_nothing_behind() {
    let scratch = Scratch::new();
    let path = scratch.path("key");
    let prepared = PreparedFile::new(&path, 8).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(message(prepared.commit(b"content")).starts_with("could not write"));
    assert_eq!(scratch.names(), ["key"]);
}

#[test]
fn what_is_not_there_is_none_and_a_missing_directory_has_a_hint() {
    let scratch = Scratch::new();
    assert!(read_private(&scratch.path("absent"), 100).unwrap().is_none());
    let refused = message(PreparedFile::new(&scratch.path("no/such/key"), 8));
    assert!(refused.contains("mkdir -p") && refused.contains("no/such"), "{refused}");
}

#[test]
fn a_path_that_names_no_file_is_refused_at_once() {
    let scratch = Scratch::new();
    for name in ["new/", "new/.", "..", "new/.."] {
        assert!(message(PreparedFile::new(&scratch.path(name), 8)).contains("name a file"), "{name}");
    }
    assert!(scratch.names().is_empty());
}

#[test]
fn a_long_name_is_cut_in_the_temporary_one() {
    let scratch = Scratch::new();
    scratch.file(&"n".repeat(255), "content");
    assert_eq!(scratch.names().len(), 1);
}

#[test]
fn a_file_beyond_the_limit_is_not_read() {
    let scratch = Scratch::new();
    let path = scratch.file("large", "12345");
    assert!(read_private(&path, 5).unwrap().is_some());
    assert!(message(read_private(&path, 4)).contains("larger than 4 bytes"));
}

#[test]
fn a_created_file_is_found_the_second_time() {
    let scratch = Scratch::new();
    assert!(create_private(&scratch.path("database")).unwrap());
    assert!(!create_private(&scratch.path("database")).unwrap());
}

#[test]
fn directories_are_refused_as_files_and_files_as_directories() {
    let scratch = Scratch::new();
    private_directory(&scratch.path("a/b/c")).unwrap();
    private_directory(&scratch.path("a/b/c")).unwrap();
    for refused in refusals(&scratch.path("a")) {
        assert!(refused.contains("it is a directory"), "{refused}");
    }
    let file = scratch.file("file", "");
    assert!(message(private_directory(&file)).contains("it is not a directory"));
    assert_eq!(scratch.names(), ["a", "file"]);
}

#[test]
fn a_lock_is_held_by_one_and_given_back() {
    let scratch = Scratch::new();
    let path = scratch.path("lock");
    let held = Lock::exclusive(&path).unwrap();
    let other = File::open(&path).unwrap();
    assert!(other.try_lock().is_err());
    drop(held);
    other.try_lock().unwrap();
}

#[test]
fn a_word_can_be_pasted() {
    assert_eq!(shell_word(Path::new("a/b.env")), "a/b.env");
    assert_eq!(shell_word(Path::new("-rf")), "./-rf");
    assert_eq!(shell_word(Path::new("it's $HOME")), r"'it'\''s $HOME'");
}

#[cfg(unix)]
mod unix {
    use super::super::scratch::{change_mode, mode};
    use super::*;

    #[test]
    fn everything_is_private_from_the_start() {
        let scratch = Scratch::new();
        let prepared = PreparedFile::new(&scratch.path("key"), 8).unwrap();
        assert_eq!(mode(&prepared.temporary), 0o600);
        prepared.commit(b"content").unwrap();
        create_private(&scratch.path("database")).unwrap();
        let _lock = Lock::exclusive(&scratch.path("lock")).unwrap();
        private_directory(&scratch.path("directory")).unwrap();
        assert_eq!(["key", "database", "lock"].map(|name| mode(&scratch.path(name))), [0o600; 3]);
        assert_eq!(mode(&scratch.path("directory")), 0o700);
    }

    #[test]
    fn a_file_others_may_use_is_refused_with_the_command_that_helps() {
        let scratch = Scratch::new();
        let path = scratch.file("key", "old");
        for open in [0o640, 0o604, 0o620, 0o602, 0o644] {
            change_mode(&path, open);
            for refused in refusals(&path) {
                assert!(refused.ends_with(&format!("run `chmod 600 {}`", path.display())), "{refused}");
            }
        }
        for closed in [0o600, 0o400, 0o700] {
            change_mode(&path, closed);
            assert_eq!(message(PreparedFile::new(&path, 8)), "it worked");
        }
        assert_eq!(scratch.names(), ["key"]);
    }

    #[test]
    fn links_are_refused_wherever_they_lead() {
        let scratch = Scratch::new();
        let file = scratch.file("file", "old");
        for target in [file.as_path(), Path::new("nowhere"), Path::new(".")] {
            let link = scratch.path("link");
            std::os::unix::fs::symlink(target, &link).unwrap();
            for refused in refusals(&link) {
                assert!(refused.contains("symbolic link"), "{refused}");
            }
            fs::remove_file(&link).unwrap();
        }
        assert_eq!(scratch.names(), ["file"]);
    }

    #[test]
    fn a_link_that_appears_after_the_preparation_is_replaced_and_not_followed() {
        let scratch = Scratch::new();
        let other = scratch.file("other", "other");
        let path = scratch.path("key");
        let prepared = PreparedFile::new(&path, 8).unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        prepared.commit(b"secret").unwrap();
        assert_eq!(fs::read(&other).unwrap(), b"other");
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
    }

    #[test]
    fn devices_and_sockets_are_refused() {
        let scratch = Scratch::new();
        let _listener = std::os::unix::net::UnixListener::bind(scratch.path("socket")).unwrap();
        for path in [Path::new("/dev/null"), &scratch.path("socket")] {
            for refused in refusals(path) {
                assert!(refused.contains("not a regular file"), "{refused}");
            }
        }
    }

    #[test]
    fn a_secret_given_to_us_is_ours_or_the_administrators_and_may_be_linked_to() {
        use std::os::unix::fs::chown;

        let scratch = Scratch::new();
        let path = scratch.file("key", "secret");
        let link = scratch.path("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        for closed in [0o600, 0o400] {
            change_mode(&path, closed);
            assert_eq!(*read_guarded(&link, 6).unwrap(), b"secret");
        }
        for open in [0o604, 0o644, 0o660, 0o606] {
            change_mode(&path, open);
            assert!(message(read_guarded(&link, 6)).contains("others may use it"), "{open:o}");
            assert_eq!(*read_public(&link, 6).unwrap(), b"secret");
        }
        change_mode(&path, 0o640);
        // Root's may be for a group; that of anybody else may not, and nobody else's is taken at all.
        let is_root = chown(&path, Some(0), None).is_ok();
        assert_eq!(read_guarded(&path, 6).is_ok(), is_root);
        if is_root {
            chown(&path, Some(4321), None).unwrap();
            assert!(message(read_guarded(&path, 6)).contains("another user (uid 4321)"));
        }
        assert!(message(read_public(&path, 5)).contains("larger than 5 bytes"));
        assert!(message(read_public(Path::new("/dev/null"), 6)).contains("not a regular file"));
        assert!(message(read_public(&scratch.path("none"), 6)).ends_with("name a file that exists"));
    }

    #[test]
    fn the_file_of_another_user_is_refused() {
        let scratch = Scratch::new();
        let path = scratch.file("key", "old");
        // Only root can give a file away; anybody else has nothing to test here.
        if std::os::unix::fs::chown(&path, Some(4321), None).is_ok() {
            for refused in refusals(&path) {
                assert!(refused.contains("another user (uid 4321)"), "{refused}");
            }
        }
    }
}
