//! A proxy between the program and the real service, which cuts connections where a test wants it.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::{Fake, Server};

/// What becomes of one request.
pub(crate) enum Fate {
    Arrives,
    /// The service answers, and the answer never comes back.
    Lost,
    /// The service answers, and half of the answer comes back.
    Half,
    /// The service answers, and something else comes back.
    Garbled,
    /// The service never sees it; this comes back.
    Refused(Vec<u8>),
}

/// Forwards requests to the service. The first one has the first fate, and so on; all later ones arrive.
pub(crate) fn proxy(server: &Server<'_>, fates: Vec<Fate>) -> Fake {
    let address = server.address().to_owned();
    let mut fates = fates.into_iter();
    Fake::new(move |request| match fates.next().unwrap_or(Fate::Arrives) {
        Fate::Arrives => Some(forward(&address, request)),
        Fate::Lost => {
            forward(&address, request);
            None
        }
        Fate::Half => {
            let answer = forward(&address, request);
            Some(answer[..answer.len() - 20].to_vec())
        }
        Fate::Garbled => {
            forward(&address, request);
            Some(b"\x00\x01\x02\x03 nonsense\r\n\r\n".to_vec())
        }
        Fate::Refused(answer) => Some(answer),
    })
}

/// Sends a request on, and returns the whole answer.
pub(crate) fn forward(address: &str, request: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = request.replacen("\r\n", "\r\nconnection: close\r\n", 1);
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(!answer.is_empty());
    answer
}
