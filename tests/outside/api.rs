//! An API behind the gate that says what of a request came to it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

pub(crate) struct Api {
    pub(crate) address: String,
    /// Every request that came, as it was written.
    seen: Arc<Mutex<Vec<String>>>,
    served: Arc<AtomicUsize>,
}

impl Api {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api =
            Self { address: listener.local_addr().unwrap().to_string(), seen: Arc::default(), served: Arc::default() };
        let (seen, served) = (Arc::clone(&api.seen), Arc::clone(&api.served));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, served) = (Arc::clone(&seen), Arc::clone(&served));
                thread::spawn(move || serve(stream.unwrap(), &seen, &served));
            }
        });
        api
    }

    /// What came since this was last asked.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

fn serve(stream: TcpStream, seen: &Mutex<Vec<String>>, served: &AtomicUsize) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
        });
        let mut body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut body).unwrap();
        seen.lock().unwrap().push(format!("{head}{}", String::from_utf8_lossy(&body)));
        let count = served.fetch_add(1, Ordering::SeqCst) + 1;
        let text = format!("the API answers request {count}");
        // Whoever asked may be gone.
        let _ = write!(stream.get_mut(), "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len());
    }
}
