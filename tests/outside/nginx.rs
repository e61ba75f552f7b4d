//! nginx, configured with the very text of the README.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::http::wait_until;
use super::service::leave_out_unless_required;
use crate::support::Place;

pub(crate) struct Nginx {
    child: Child,
    pub(crate) address: String,
}

impl Nginx {
    /// In front of an API, with the gate at an address and below a base; `None`, said on standard error, where there is no
    /// nginx.
    pub(crate) fn start(place: &Place, gate: &str, base: &str, api: &str) -> Option<Self> {
        let address = free_address();
        let text = block("nginx")
            .replace("http://keys/authorize;", &format!("http://keys{base}/authorize;"))
            .replace("listen 80;", &format!("listen {address};"))
            .replace("server 127.0.0.1:8080;", &format!("server {gate};"))
            .replace("server 127.0.0.1:3000;", &format!("server {api};"));
        assert!([address.as_str(), gate, base, api].iter().all(|part| text.contains(part)), "{text}");
        Self::run(place, "gate", address, &text)
    }

    /// A server of the files below a directory.
    pub(crate) fn of_files(place: &Place, root: &Path) -> Option<Self> {
        let address = free_address();
        let text = format!("server {{ listen {address}; root {}; default_type text/plain; }}", root.display());
        Self::run(place, "files", address, &text)
    }

    #[expect(clippy::disallowed_methods, reason = "the files of a test need be neither private nor atomic")]
    fn run(place: &Place, name: &str, address: String, servers: &str) -> Option<Self> {
        let directory = place.path(name);
        fs::create_dir(&directory).unwrap();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {}/{kind};\n", directory.display()))
            .concat();
        place.write(
            &format!("{name}/nginx.conf"),
            format!("pid nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{servers}\n}}\n"),
        );
        let spawned = Command::new(program()?)
            .args(["-g", "daemon off; master_process off; error_log stderr;", "-e", "stderr", "-c", "nginx.conf", "-p"])
            .arg(&directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(directory.join("error.log")).unwrap())
            .spawn();
        let mut nginx = Self { child: spawned.unwrap(), address };
        let listens = wait_until(|| {
            let ended = nginx.child.try_wait().unwrap().is_some();
            ended || std::net::TcpStream::connect(&nginx.address).is_ok()
        });
        let ended = nginx.child.try_wait().unwrap();
        assert!(listens && ended.is_none(), "{}", fs::read_to_string(directory.join("error.log")).unwrap());
        Some(nginx)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Distributions keep it off the path of those who are not root.
fn program() -> Option<&'static str> {
    let found = ["nginx", "/usr/sbin/nginx", "/usr/local/sbin/nginx", "/opt/homebrew/bin/nginx"]
        .into_iter()
        .find(|name| Command::new(name).arg("-v").stderr(Stdio::null()).status().is_ok_and(|status| status.success()));
    if found.is_none() {
        leave_out_unless_required("nginx", "the gate before an API");
    }
    found
}

/// The one block of the README in this language.
fn block(language: &str) -> String {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let mut blocks = readme.split("\n```").filter_map(|block| block.strip_prefix(&format!("{language}\n")));
    let only = blocks.next().unwrap_or_else(|| panic!("README.md has no block of {language}")).to_owned();
    assert_eq!(blocks.next(), None, "README.md has several blocks of {language}");
    only
}

/// Nobody listens there, or nobody did a moment ago.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}
